import { resolve } from 'node:path';
import { z } from 'zod';
import { Debt } from '../plan/debt.ts';
import { type DurationKind, type Durations, durationKinds, learn } from '../plan/durations.ts';
import { aimsOf } from '../plan/new-checks.ts';
import type { Past } from '../plan/past.ts';
import type { MachinePlan } from '../plan/plan.ts';
import type { RunEvent } from './event.ts';
import { type Measured, measuredIn } from './measured.ts';
import { debtAfter, owedBy } from './owed.ts';
import { progressOf } from './progress.ts';
import { type RunState, replayIfPossible } from './state.ts';

/**
 * What all runs so far know, folded: one run after the other, so that none has to be read twice. Kept beside the
 * journal as a copy that can be made again from it.
 */

/** So many of the latest measurements count, of each kind on each machine. */
const samplesKept = 20;
/** Labs (flakes) of one journal; the one that was silent longest is forgotten first. */
const labsKept = 50;

const ms = z.int().min(0);
const Took = z.object({ samplesMs: z.array(ms).max(samplesKept).readonly(), longestMs: ms });
const Machine = z.object({
  machine: z.string().max(256),
  debt: Debt.nullable(),
  /** What its health checks looked at when a run last brought it to its goal; null while none has. */
  checks: z.array(z.string().max(64)).readonly().nullable(),
  took: z.partialRecord(z.enum(durationKinds), Took),
});
type Machine = z.infer<typeof Machine>;
const Lab = z.object({
  /** Where its flake lies: machines of two labs may share a name. */
  place: z.string(),
  at: z.int(),
  machines: z.array(Machine).readonly(),
});
// Lists, not objects: a machine may be called `constructor`.
export const Recollection = z.object({ schema: z.literal(1), labs: z.array(Lab).readonly() });
export type Recollection = z.infer<typeof Recollection>;

export const nothingRecalled: Recollection = { schema: 1, labs: [] };

/** Where a flake lies, the same for `.`, its path and `git+file:` with it; a remote one is its reference. */
export const labPlace = (flake: string, cwd: string): string => {
  const scheme = /^(?:path|git\+file):(?:\/\/)?([^?#]*)(\?.*)?$/u.exec(flake);
  if (scheme !== null && !/[?&](?:rev|ref|narHash)=/u.test(scheme[2] ?? ''))
    return `${resolve(cwd, scheme[1] ?? '')}${scheme[2] ?? ''}`;
  return /^[./~]/u.test(flake) || !flake.includes(':') ? resolve(cwd, flake) : flake;
};

const withMeasured = (took: Machine['took'], measured: readonly Measured[]): Machine['took'] => {
  const next: Partial<Record<DurationKind, z.infer<typeof Took>>> = { ...took };
  for (const { kind, ms: taken } of measured) {
    const known = next[kind] ?? { samplesMs: [], longestMs: 0 };
    next[kind] = {
      samplesMs: [...known.samplesMs, taken].slice(-samplesKept),
      longestMs: Math.max(known.longestMs, taken),
    };
  }
  return next;
};

/** Whether the plan of this run names the whole fleet, so that what it does not name has left it. */
const namesAll = ({ selectors, goal }: RunState): boolean =>
  selectors.length === 0 && goal.kind !== 'rollback' && !(goal.kind === 'run' && goal.catchUp === true);

/** Whether the machine runs what the flake wants, proven by this run. */
const cameToGoal = (state: RunState, entry: MachinePlan): boolean => {
  const { status } = progressOf(state, entry);
  const { goal } = state;
  if (goal.kind !== 'run' && (goal.kind !== 'deploy' || goal.mode === 'dry-activate')) return false;
  return state.approvedAt !== null && entry.wanted !== null && (status === 'done' || status === 'nothing');
};

/** What is known after one more run: all its events, from its first on. A history that cannot be tells nothing. */
export const remember = (known: Recollection, events: readonly RunEvent[]): Recollection => {
  const state = replayIfPossible(events);
  if (state === null || state.plan === null) return known;
  const { plan } = state;
  const place = labPlace(state.flake, state.opened.cwd);
  const before = known.labs.find((lab) => lab.place === place)?.machines ?? [];
  const left = new Map(owedBy(state).map((debt) => [debt.machine, debt]));
  const measured = measuredIn(plan, events);
  const after = plan.machines.map((entry): Machine => {
    const { name } = entry.machine;
    const old = before.find(({ machine }) => machine === name);
    return {
      machine: name,
      debt: debtAfter(old?.debt ?? null, state, entry, left.get(name) ?? null),
      checks: cameToGoal(state, entry) ? aimsOf(entry.machine) : (old?.checks ?? null),
      took: withMeasured(
        old?.took ?? {},
        measured.filter(({ machine }) => machine === name),
      ),
    };
  });
  const told = new Set(after.map(({ machine }) => machine));
  const failed = new Set(plan.leftOut.map(({ name }) => name));
  const all = namesAll(state);
  const kept = before.filter(({ machine }) => !told.has(machine) && (!all || failed.has(machine)));
  const others = known.labs.filter((lab) => lab.place !== place);
  return {
    schema: 1,
    labs: [{ place, at: state.startedAt, machines: [...kept, ...after] }, ...others].slice(0, labsKept),
  };
};

const durationsOf = ({ took }: Machine): Durations =>
  Object.fromEntries(
    durationKinds.flatMap((kind) => {
      const known = took[kind];
      const learnt = known === undefined ? null : learn(known.samplesMs, known.longestMs);
      return learnt === null ? [] : [[kind, learnt] as const];
    }),
  );

/** What is known of the machines of one lab. */
export const pastOf = (known: Recollection, place: string): Past => {
  const machines = known.labs.find((lab) => lab.place === place)?.machines ?? [];
  return {
    debts: new Map(
      machines.flatMap(({ machine, debt }) => (debt === null ? [] : [[machine, debt] as const])),
    ),
    checks: new Map(
      machines.flatMap(({ machine, checks }) => (checks === null ? [] : [[machine, checks] as const])),
    ),
    durations: new Map(
      machines
        .map((known) => [known.machine, durationsOf(known)] as const)
        .filter(([, durations]) => Object.keys(durations).length > 0),
    ),
  };
};
