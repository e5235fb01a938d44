import type { FailedMachine, Machine } from '../../fleet/machine.ts';
import type { LabSnapshot } from '../../flow/session.ts';
import { driftOf, rebootNeed } from '../../plan/drift.ts';
import type { HealthReport, HealthVerdict, Observation, Reachable, Toplevel } from '../../ports.ts';
import { progressOf } from '../../run/progress.ts';
import { recordOf } from '../../run/records.ts';
import type { Pen } from '../draw/pen.ts';
import type { Cell } from './table.ts';
import { busyWord, sshWords } from './words.ts';

/** A machine of the fleet as people see it: one reading of everything the session knows of it. */
export type MachineRow = {
  readonly name: string;
  /** Null where the machine could not be evaluated: `failed` says why. */
  readonly machine: Machine | null;
  readonly failed: FailedMachine | null;
  readonly state: State;
  readonly drift: Cell;
  readonly reboot: Cell & { readonly needed: boolean };
  readonly ssh: Cell;
  readonly role: string;
  readonly groups: string;
  /** When the oldest of what is shown was read; null when nothing was. */
  readonly seenAt: number | null;
  readonly looking: boolean;
  /** Everything a filter can find, in lower case. */
  readonly text: string;
};

export type State = Cell & {
  readonly glyph: string;
  /** Worst first, for sorting. */
  readonly rank: number;
  /** A reading of the past, which goes stale; false for what is happening or configured. */
  readonly ages: boolean;
};

/** Older readings are shown as the past. */
export const staleAfterMs = 300_000;

const verdictState = (verdict: HealthVerdict, pen: Pen): State => {
  switch (verdict) {
    case 'healthy':
      return { text: 'healthy', tone: 'good', glyph: pen.glyphs.good, rank: 6, ages: true };
    case 'degraded':
      return { text: 'degraded', tone: 'warn', glyph: pen.glyphs.warn, rank: 3, ages: true };
    case 'unhealthy':
      return { text: 'unhealthy', tone: 'bad', glyph: pen.glyphs.bad, rank: 1, ages: true };
    case 'unknown':
      return { text: 'unknown', tone: 'warn', glyph: pen.glyphs.unknown, rank: 4, ages: true };
    default:
      return verdict satisfies never;
  }
};

const stateOf = (
  observation: Observation | undefined,
  report: HealthReport | undefined,
  looking: boolean,
  pen: Pen,
): State => {
  const { glyphs } = pen;
  if (observation?.kind === 'unreachable') {
    const away = observation.error.kind === 'unreachable' || observation.error.kind === 'timeout';
    const text = away ? 'offline' : 'no access';
    return { text, tone: 'bad', glyph: glyphs.bad, rank: 1, ages: true };
  }
  if (observation?.state === 'stopping' || observation?.state === 'starting')
    return { text: observation.state, tone: 'busy', glyph: glyphs.warn, rank: 2, ages: true };
  if (report !== undefined) return verdictState(report.verdict, pen);
  const text = looking ? 'looking' : observation === undefined ? 'not seen' : 'not probed';
  return {
    text: text + (looking ? glyphs.more : ''),
    tone: 'quiet',
    glyph: glyphs.unknown,
    rank: 5,
    ages: false,
  };
};

const driftCell = (observation: Observation | undefined, toplevel: Toplevel | undefined, pen: Pen): Cell => {
  if (observation === undefined) return { text: '', tone: 'quiet' };
  const drift = driftOf(observation, toplevel?.outPath ?? null);
  if (drift === null) return { text: 'not known', tone: 'quiet' };
  if (drift.words.length > 0) return { text: pen.clean(drift.words.join(', ')), tone: 'warn' };
  return toplevel === undefined
    ? { text: 'not compared', tone: 'quiet' }
    : { text: 'in sync', tone: 'quiet' };
};

const rebootCell = (
  machine: Machine,
  seen: Reachable,
  toplevel: Toplevel | undefined,
  pen: Pen,
): MachineRow['reboot'] => {
  const { reasons, unknown } = rebootNeed(seen.bootedParts, seen.profileParts);
  const policy = machine.reboot.policy === 'never' ? ' (policy: never)' : '';
  if (reasons.length > 0)
    return { text: pen.clean(`${reasons.join(', ')}${policy}`), tone: 'warn', needed: true };
  const next = toplevel?.parts == null ? [] : rebootNeed(seen.bootedParts, toplevel.parts).reasons;
  if (next.length > 0)
    return { text: pen.clean(`after deploy: ${next.join(', ')}${policy}`), tone: 'plain', needed: false };
  if (unknown.length > 0) return { text: `not known: ${unknown.join(', ')}`, tone: 'quiet', needed: false };
  return { text: 'no', tone: 'quiet', needed: false };
};

const failedRow = (failed: FailedMachine, pen: Pen): MachineRow => ({
  name: pen.clean(failed.name),
  machine: null,
  failed,
  state: { text: 'not evaluated', tone: 'bad', glyph: pen.glyphs.bad, rank: 0, ages: false },
  drift: { text: pen.clean(failed.message), tone: 'bad' },
  reboot: { text: '', tone: 'quiet', needed: false },
  ssh: { text: '', tone: 'quiet' },
  role: '',
  groups: '',
  seenAt: null,
  looking: false,
  text: `${failed.name} not evaluated ${failed.message}`.toLowerCase(),
});

/** What the live run does to each machine right now, by name. */
const busyStates = (snapshot: LabSnapshot, pen: Pen): ReadonlyMap<string, State> => {
  const { run, phase } = snapshot;
  if (phase.kind !== 'running' || run?.plan == null) return new Map();
  return new Map(
    run.plan.machines.flatMap((plan) => {
      const { current } = progressOf(run, plan);
      if (current === null || recordOf(run, current.id)?.status !== 'open') return [];
      const state = {
        text: busyWord(current),
        tone: 'busy',
        glyph: pen.glyphs.pointer,
        rank: 2,
        ages: false,
      };
      return [[plan.machine.name, state as State] as const];
    }),
  );
};

const machineRow = (
  snapshot: LabSnapshot,
  machine: Machine,
  busy: State | undefined,
  pen: Pen,
): MachineRow => {
  const { name } = machine;
  const observation = snapshot.observations.get(name);
  const report = snapshot.health.get(name);
  const toplevel = snapshot.toplevels.get(name);
  const looking = snapshot.observing.has(name) || snapshot.probing.has(name);
  const seen = observation?.kind === 'reachable' ? observation : null;
  const state = busy ?? stateOf(observation, report, looking, pen);
  const drift = driftCell(observation, toplevel, pen);
  const reboot =
    seen === null
      ? { text: observation === undefined ? '' : 'not known', tone: 'quiet' as const, needed: false }
      : rebootCell(machine, seen, toplevel, pen);
  const ssh: Cell =
    observation === undefined
      ? { text: '', tone: 'quiet' }
      : observation.kind === 'reachable'
        ? { text: 'ok', tone: 'good' }
        : { text: sshWords(observation.error.kind), tone: 'bad' };
  const times = [observation?.at, report?.at].filter((at) => at !== undefined);
  const role = pen.clean(machine.role ?? '');
  const groups = pen.clean(machine.groups.join(' '));
  return {
    name,
    machine,
    failed: null,
    state,
    drift,
    reboot,
    ssh,
    role,
    groups,
    seenAt: times.length === 0 ? null : Math.min(...times),
    looking,
    text: [name, role, groups, state.text, drift.text, reboot.text, ssh.text].join(' ').toLowerCase(),
  };
};

/** Every machine of the fleet, those that failed to evaluate included, in the order of their names. */
export const machineRows = (snapshot: LabSnapshot, pen: Pen): readonly MachineRow[] => {
  const fleet = snapshot.evaluation.value?.fleet;
  if (fleet === undefined) return [];
  const busy = busyStates(snapshot, pen);
  return [
    ...fleet.machines.map((machine) => machineRow(snapshot, machine, busy.get(machine.name), pen)),
    ...fleet.failed.map((failed) => failedRow(failed, pen)),
  ].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
};
