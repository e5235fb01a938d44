import type { FailedMachine, Machine } from '../../fleet/machine.ts';
import { lastOutcomes, type PastMachine, type PastRun } from '../../flow/past-run.ts';
import type { LabSnapshot } from '../../flow/session.ts';
import { type Debt, debtWords, owedAfterSeeing, shownBy } from '../../plan/debt.ts';
import { driftOf, rebootNeed } from '../../plan/drift.ts';
import type { Generation, HealthReport, Observation, Reachable, Toplevel } from '../../ports.ts';
import { statusWords } from '../../run/telling.ts';
import type { Pen } from '../draw/pen.ts';
import { busyStates, type State, stateOf } from './machine-state.ts';
import type { Cell } from './table.ts';
import { sshWords } from './words.ts';

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
  readonly platform: string;
  /** `gen 42`'s number, or null. */
  readonly generation: number | null;
  /** When that generation was made, where it is known. */
  readonly generationAt: number | null;
  /** When it booted, as its uptime tells; null where it was not reached. */
  readonly bootedAt: number | null;
  /** What the latest run that concerned it made of it. */
  readonly lastRun: { readonly cell: Cell; readonly at: number } | null;
  /** What past runs left undone on it. */
  readonly debt: Cell;
  readonly role: string;
  readonly groups: string;
  /** When the oldest of what is shown was read; null when nothing was. */
  readonly seenAt: number | null;
  readonly looking: boolean;
  /** Everything a filter can find, in lower case. */
  readonly text: string;
};

const driftCell = (observation: Observation | undefined, toplevel: Toplevel | undefined, pen: Pen): Cell => {
  if (observation === undefined) return { text: '', tone: 'quiet' };
  const drift = driftOf(observation, toplevel?.outPath ?? null);
  if (drift === null) return { text: 'not known', tone: 'quiet' };
  const [first = '', ...others] = drift.words.map((word) => pen.clean(word));
  if (first !== '')
    return {
      text: [first, ...others].join(', '),
      tone: 'warn',
      shorter: others.length === 0 ? [] : [`${first} +${others.length}`],
    };
  return toplevel === undefined
    ? { text: 'not compared', tone: 'quiet' }
    : { text: 'in sync', tone: 'quiet' };
};

/** `kernel 6.12.34 → 6.12.40 +2`, `kernel → 6.12.40 +2`, `kernel +2`, `yes`: the most telling, and how many more. */
const shorterReasons = (reasons: readonly string[]): readonly string[] => {
  const [first = ''] = reasons;
  const more = reasons.length > 1 ? ` +${reasons.length - 1}` : '';
  const [, part = first, to] = /^(.+?) \S+ → (\S+)$/u.exec(first) ?? [];
  return [
    `${first}${more}`,
    ...(to === undefined ? [] : [`${part} → ${to}${more}`]),
    `${part}${more}`,
    'yes',
  ];
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
    return {
      text: pen.clean(`${reasons.join(', ')}${policy}`),
      tone: 'warn',
      needed: true,
      shorter: shorterReasons(reasons).map((form) => pen.clean(form)),
    };
  const next = toplevel?.parts == null ? [] : rebootNeed(seen.bootedParts, toplevel.parts).reasons;
  if (next.length > 0)
    return {
      text: pen.clean(`after deploy: ${next.join(', ')}${policy}`),
      tone: 'plain',
      needed: false,
      shorter: [
        ...shorterReasons(next).flatMap((form) =>
          form === 'yes' ? [] : [pen.clean(`after deploy: ${form}`)],
        ),
        'after deploy',
      ],
    };
  if (unknown.length > 0) return { text: `not known: ${unknown.join(', ')}`, tone: 'quiet', needed: false };
  return { text: 'no', tone: 'quiet', needed: false };
};

const failedRow = (failed: FailedMachine, pen: Pen): MachineRow => ({
  name: pen.clean(failed.name),
  machine: null,
  failed,
  state: { text: 'not evaluated', tone: 'bad', glyph: pen.glyphs.bad, rank: 0, ages: false, since: null },
  drift: { text: pen.clean(failed.message), tone: 'bad' },
  reboot: { text: '', tone: 'quiet', needed: false },
  ssh: { text: '', tone: 'quiet' },
  platform: '',
  generation: null,
  generationAt: null,
  bootedAt: null,
  lastRun: null,
  debt: { text: '', tone: 'quiet' },
  role: '',
  groups: '',
  seenAt: null,
  looking: false,
  text: `${failed.name} not evaluated ${failed.message}`.toLowerCase(),
});

const outcomeCell = (outcome: Outcome, pen: Pen): Cell => {
  const { status } = outcome.machine;
  if (status === 'left-out') return { text: `${pen.glyphs.bad} left out`, tone: 'bad' };
  const { text, mark } = statusWords[status];
  const tone = mark ?? 'quiet';
  return { text: `${mark === null ? pen.glyphs.idle : pen.glyphs[mark]} ${text}`, tone };
};

type Outcome = { readonly run: PastRun; readonly machine: PastMachine };

/** Everything of a snapshot that a row is made of: equal parts, equal row. */
type Parts = readonly [
  Machine,
  State | undefined,
  Observation | undefined,
  HealthReport | undefined,
  Toplevel | undefined,
  boolean,
  number | undefined,
  Outcome | undefined,
  Debt | undefined,
  readonly Generation[] | null | undefined,
];

const partsOf = (
  snapshot: LabSnapshot,
  machine: Machine,
  busy: State | undefined,
  outcome: Outcome | undefined,
): Parts => {
  const { name } = machine;
  return [
    machine,
    busy,
    snapshot.observations.get(name),
    snapshot.health.get(name),
    snapshot.toplevels.get(name),
    snapshot.observing.has(name) || snapshot.probing.has(name),
    snapshot.awaySince.get(name),
    outcome,
    snapshot.recalled.debts.get(name),
    snapshot.generations.get(name)?.value,
  ];
};

const machineRow = (parts: Parts, pen: Pen): MachineRow => {
  const [machine, busy, observation, report, toplevel, looking, since, outcome, owed, made] = parts;
  const { name } = machine;
  const seen = observation?.kind === 'reachable' ? observation : null;
  const state = busy ?? stateOf(observation, report, looking, since ?? null, pen);
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
  const platform = pen.clean(machine.system);
  const lastRun =
    outcome === undefined
      ? null
      : { cell: outcomeCell(outcome, pen), at: outcome.run.endedAt ?? outcome.run.startedAt };
  const left = owed === undefined ? null : seen === null ? owed : owedAfterSeeing(owed, shownBy(seen));
  const debt: Cell =
    left === null ? { text: '', tone: 'quiet' } : { text: pen.clean(debtWords(left)), tone: 'warn' };
  return {
    name,
    machine,
    failed: null,
    state,
    drift,
    reboot,
    ssh,
    platform,
    generation: seen?.generation ?? null,
    generationAt: made?.find(({ number }) => number === seen?.generation)?.at ?? null,
    bootedAt: seen === null ? null : seen.at - seen.uptimeSeconds * 1_000,
    lastRun,
    debt,
    role,
    groups,
    seenAt: times.length === 0 ? null : Math.min(...times),
    looking,
    text: [
      name,
      role,
      groups,
      platform,
      state.text,
      drift.text,
      reboot.text,
      ssh.text,
      lastRun?.cell.text ?? '',
      debt.text,
    ]
      .join(' ')
      .toLowerCase(),
  };
};

/** Rows of the snapshots before, to be used again where nothing they are made of has changed. */
export type RowMemory = Map<string, { readonly parts: Parts; readonly row: MachineRow }>;

/** Every machine of the fleet, those that failed to evaluate included, in the order of their names. */
export const machineRows = (
  snapshot: LabSnapshot,
  pen: Pen,
  memory: RowMemory = new Map(),
): readonly MachineRow[] => {
  const fleet = snapshot.evaluation.value?.fleet;
  if (fleet === undefined) return [];
  const busy = busyStates(snapshot, pen);
  const outcomes = outcomesOf(snapshot);
  const rowOf = (machine: Machine): MachineRow => {
    const parts = partsOf(snapshot, machine, busy.get(machine.name), outcomes.get(machine.name));
    const known = memory.get(machine.name);
    if (known?.parts.every((part, index) => part === parts[index]) === true) return known.row;
    const row = machineRow(parts, pen);
    memory.set(machine.name, { parts, row });
    return row;
  };
  return [...fleet.machines.map(rowOf), ...fleet.failed.map((failed) => failedRow(failed, pen))].sort(
    (a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0),
  );
};

const outcomesKnown = new WeakMap<readonly PastRun[], ReturnType<typeof lastOutcomes>>();
const outcomesOf = ({ past }: LabSnapshot): ReturnType<typeof lastOutcomes> => {
  if (past === null) return new Map();
  const known = outcomesKnown.get(past) ?? lastOutcomes(past);
  outcomesKnown.set(past, known);
  return known;
};
