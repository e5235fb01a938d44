import type { Fault } from './fault.ts';

/** What can be made to go wrong in the demo, so that one sees how a run takes it before one's own lab shows it. */
export type DemoTrouble = 'gate' | 'reboot' | 'cut' | 'stuck' | 'busy';

/** The faults that this trouble gives a machine of the demo. */
export const faultsIn = (trouble: DemoTrouble | null, machine: string): readonly Fault[] => {
  switch (trouble) {
    case null:
      return [];
    case 'gate':
      // What is new makes it ill: the gate fails, and the machine goes back by itself.
      return machine === 'grey-area' ? [{ kind: 'unhealthy-after', cause: 'activation', forMs: null }] : [];
    case 'reboot':
      return machine === 'sleeper-service' || machine === 'lightly-seared'
        ? [{ kind: 'never-comes-back' }]
        : [];
    case 'cut':
      return machine === 'grey-area' ? [{ kind: 'cut-during', act: 'activate', forMs: 90_000 }] : [];
    case 'stuck':
      return machine === 'grey-area' ? [{ kind: 'activation-exit', code: 4 }] : [];
    case 'busy':
      // Nothing is wrong with them, and yet they are better left alone: unless somebody says otherwise.
      return machine === 'lightly-seared'
        ? [{ kind: 'inhibited' }, { kind: 'occupied', by: 'user', atMs: 0, forMs: null }]
        : machine === 'grey-area'
          ? [{ kind: 'disk-full', path: '/boot' }]
          : [];
    default:
      return trouble satisfies never;
  }
};
