import type { ActivateOutcome, ActivateRequest, SettleOutcome, Verdict } from '../ports.ts';
import { faultOf } from './fault.ts';
import { type SimMachine, type TransientUnit, type Watch, withDue } from './machine.ts';

/** What watches over an activation on a simulated machine, as the script of the real unit does: pure. */

/** Where the machine returns to, recorded before anything is changed; null for an activation nobody watches over. */
export const superviseFrom = (
  machine: SimMachine,
  { toplevel, supervision }: ActivateRequest,
): Watch | null => {
  if (supervision === undefined) return null;
  const { recorded } = supervision;
  return {
    current: (machine.current === toplevel ? recorded.current : null) ?? machine.current,
    profile: (machine.profile === toplevel ? recorded.profile : null) ?? machine.profile,
    verdict: null,
    end: null,
  };
};

/** The number that a change of the profile names, if the request does. */
export const numbered = ({ generation }: ActivateRequest): { readonly generation?: number } =>
  generation === undefined ? {} : { generation };

const lieOf = ({ faults }: SimMachine) => faultOf(faults, 'activation-lies')?.about ?? null;

/** Holds the lock of activations: it activates, or acts on its verdict. */
export const isBusy = ({ outcome, watch }: TransientUnit): boolean =>
  outcome === null || (watch !== null && watch.verdict !== null && watch.end === null);

const withUnit = (machine: SimMachine, name: string, unit: TransientUnit): SimMachine => ({
  ...machine,
  units: new Map(machine.units).set(name, unit),
});

/** The wait begins, or begins anew since somebody asked about it. */
export const awaitWord = (machine: SimMachine, name: string, now: number): SimMachine => {
  const unit = machine.units.get(name);
  const waits = unit?.outcome != null && unit.watch !== null && unit.watch.verdict === null;
  if (!waits || unit.request.supervision === undefined) return machine;
  const { confirmWithinMs } = unit.request.supervision;
  const others = machine.due.filter((due) => due.kind !== 'unconfirmed' || due.unit !== name);
  return withDue(
    { ...machine, due: others },
    {
      at: now + confirmWithinMs * (faultOf(machine.faults, 'slow-ticks')?.factor ?? 1),
      kind: 'unconfirmed',
      unit: name,
    },
  );
};

/** The activation has ended so: a live one waits for its word, a refused one returns before it says so. */
export const unitEnded = (
  machine: SimMachine,
  name: string,
  outcome: ActivateOutcome,
  at: number,
): SimMachine => {
  const unit = machine.units.get(name);
  if (unit === undefined) return machine;
  const { watch } = unit;
  if (watch === null || outcome.kind === 'needs-reboot')
    return withUnit(machine, name, { ...unit, outcome, watch: null });
  if (outcome.kind !== 'refused') {
    const live = withUnit(machine, name, { ...unit, outcome });
    return watch.verdict === null ? awaitWord(live, name, at) : act(live, name, at, null);
  }
  // Refused by another activation's lock, or by a check: nothing was touched.
  if (machine.current === watch.current)
    return withUnit(machine, name, { ...unit, outcome, watch: { ...watch, end: restored('refused') } });
  return act(machine, name, at, outcome);
};

const restored = (why: 'asked' | 'unconfirmed' | 'refused' | 'no-boot-default') =>
  ({ kind: 'restored', why }) as const;

/** It was confirmed, and its disk was too full to make it the boot default: it returns. */
const withoutBootDefault = (
  machine: SimMachine,
  name: string,
  watch: Watch,
  at: number,
  profileWasSet: boolean,
): SimMachine => {
  const { activationMs } = machine.nature;
  const after = (share: number): number => at + Math.round(activationMs * share);
  const toplevel = machine.units.get(name)?.request.toplevel ?? watch.profile;
  return withDue(
    machine,
    ...(profileWasSet
      ? ([
          { at: after(0.1), kind: 'profile', toplevel },
          { at: after(0.3), kind: 'profile', toplevel: watch.profile },
        ] as const)
      : []),
    { at: after(0.5), kind: 'live', toplevel: watch.current },
    { at: after(1), kind: 'returned', unit: name, outcome: null },
  );
};

/** What somebody else deployed: neither the new, nor what was before. */
const isTheirs = ({ request, watch }: TransientUnit, toplevel: string): boolean =>
  toplevel !== request.toplevel && toplevel !== watch?.current && toplevel !== watch?.profile;
/** To confirm it would put ours in the place of what somebody else has made the boot default. */
const takesOver = (machine: SimMachine, unit: TransientUnit): boolean =>
  unit.request.mode === 'switch' && isTheirs(unit, machine.profile);

/** Acts on the verdict, or on the refusal that `outcome` is. */
const act = (machine: SimMachine, name: string, at: number, outcome: ActivateOutcome | null): SimMachine => {
  const unit = machine.units.get(name);
  if (unit?.watch == null) return machine;
  const { activationMs } = machine.nature;
  if (isTheirs(unit, machine.current))
    return withUnit(machine, name, {
      ...unit,
      outcome: outcome ?? unit.outcome,
      watch: { ...unit.watch, end: { kind: 'spared' } },
    });
  if (outcome === null && unit.watch.verdict === 'confirm' && !takesOver(machine, unit)) {
    const done = { at: at + Math.round(activationMs * 0.2), kind: 'confirmed', unit: name } as const;
    const lies = lieOf(machine) !== null && lieOf(machine) !== 'the-return';
    const full = machine.faults.flatMap((fault) => (fault.kind === 'disk-full' ? [fault.path] : []));
    const fits = !full.includes('at-profile') && !full.includes('at-boot-entry');
    if (unit.request.mode === 'switch' && !fits)
      return withoutBootDefault(machine, name, unit.watch, at, full.includes('at-boot-entry'));
    return unit.request.mode === 'switch' && !lies
      ? withDue(
          machine,
          {
            at: at + Math.round(activationMs * 0.1),
            kind: 'profile',
            toplevel: unit.request.toplevel,
            ...numbered(unit.request),
          },
          done,
        )
      : withDue(machine, done);
  }
  const back = faultOf(machine.faults, 'restore-refused') === null && lieOf(machine) !== 'the-return';
  const { current, profile } = unit.watch;
  // An attempt before this one has made it the boot default.
  const boots = machine.profile === unit.request.toplevel && profile !== machine.profile;
  return withDue(
    machine,
    ...(back && boots
      ? [{ at: at + Math.round(activationMs * 0.3), kind: 'profile', toplevel: profile } as const]
      : []),
    ...(back ? [{ at: at + Math.round(activationMs * 0.5), kind: 'live', toplevel: current } as const] : []),
    { at: at + activationMs, kind: 'returned', unit: name, outcome },
  );
};

/** Tells the supervisor a word: the first one counts. */
export const tellSupervisor = (
  machine: SimMachine,
  name: string,
  verdict: Verdict | 'expired',
  at: number,
): SimMachine => {
  const unit = machine.units.get(name);
  if (unit?.watch == null || unit.watch.verdict !== null || unit.watch.end !== null) return machine;
  // A confirmation of what is not live yet is none.
  if (verdict === 'confirm' && unit.outcome === null) return machine;
  // It waits no longer. What is started under its name later waits for itself.
  const due = machine.due.filter((one) => one.kind !== 'unconfirmed' || one.unit !== name);
  const told = withUnit({ ...machine, due }, name, { ...unit, watch: { ...unit.watch, verdict } });
  return unit.outcome === null ? told : act(told, name, at, null);
};

export const confirmedUnit = (machine: SimMachine, name: string): SimMachine => {
  const unit = machine.units.get(name);
  return unit?.watch == null
    ? machine
    : withUnit(machine, name, { ...unit, watch: { ...unit.watch, end: { kind: 'confirmed' } } });
};

export const returnedUnit = (
  machine: SimMachine,
  name: string,
  outcome: ActivateOutcome | null,
): SimMachine => {
  const unit = machine.units.get(name);
  if (unit?.watch == null) return machine;
  const { verdict } = unit.watch;
  const why =
    outcome !== null
      ? 'refused'
      : verdict === 'confirm'
        ? 'no-boot-default'
        : verdict === 'restore'
          ? 'asked'
          : 'unconfirmed';
  const end: SettleOutcome =
    verdict === 'confirm' && takesOver(machine, unit)
      ? { kind: 'spared' }
      : machine.current === unit.watch.current || lieOf(machine) === 'the-return'
        ? restored(why)
        : ({ kind: 'stuck', message: 'its own return to what it ran before failed' } as const);
  return withUnit(machine, name, {
    ...unit,
    outcome: outcome ?? unit.outcome,
    watch: { ...unit.watch, end },
  });
};
