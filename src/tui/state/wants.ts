import type { Intent } from './intent.ts';
import { type Ui, viewOf } from './ui.ts';

/** What has to be read or followed for what is on show: asked for when it comes on show, left when it goes. */

type Wants = {
  readonly logs: string | null;
  readonly generations: string | null;
  /** Whose packages are compared. */
  readonly closure: string | null;
  readonly past: string | null;
  readonly inputs: boolean;
};

/** A machine and a unit as one word; neither can hold a space. */
const logsKey = (machine: string, unit: string | undefined): string => `${machine} ${unit ?? ''}`;

const wantsOf = (ui: Ui): Wants => {
  const view = viewOf(ui);
  const none: Wants = { logs: null, generations: null, closure: null, past: null, inputs: false };
  if (view.kind === 'replay') return { ...none, past: view.run };
  if (view.kind === 'inputs' || view.kind === 'pulse') return { ...none, inputs: true };
  if (view.kind !== 'machine') return none;
  return {
    ...none,
    logs: view.tab === 'logs' ? logsKey(view.name, ui.units.get(view.name)) : null,
    generations: view.tab === 'generations' ? view.name : null,
    closure: view.tab === 'overview' ? view.name : null,
  };
};

/** What to ask of the session when the screen goes from one state to the next. */
export const intentsBetween = (before: Ui, after: Ui): readonly Intent[] => {
  const [old, wanted] = [wantsOf(before), wantsOf(after)];
  const intents: Intent[] = [];
  if (old.logs !== wanted.logs) {
    if (wanted.logs === null) intents.push({ kind: 'leave-logs' });
    else {
      const [machine = '', unit = ''] = wanted.logs.split(' ');
      intents.push({ kind: 'follow-logs', machine, unit: unit === '' ? null : unit });
    }
  }
  if (wanted.generations !== null && wanted.generations !== old.generations)
    intents.push({ kind: 'look-generations', machine: wanted.generations });
  if (old.closure !== wanted.closure)
    intents.push(
      wanted.closure === null ? { kind: 'leave-closure' } : { kind: 'look-closure', machine: wanted.closure },
    );
  if (wanted.past !== null && wanted.past !== old.past) intents.push({ kind: 'open-past', run: wanted.past });
  if (wanted.inputs && !old.inputs) intents.push({ kind: 'read-inputs' });
  return intents;
};
