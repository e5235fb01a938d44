import { isDeepStrictEqual } from 'node:util';
import { type MachineProgress, progressOf } from '../../src/run/progress.ts';
import { recordOfKind } from '../../src/run/records.ts';
import type { RunState } from '../../src/run/state.ts';
import { endedBlind, fallenAtEnd } from './end-rules.ts';
import { wrongSkip } from './hold-rules.ts';
import { didSomething, type Known } from './knowledge.ts';
import { isGrave, isMisled, isOver, startFor } from './known.ts';
import { notGivenBack } from './lease-rules.ts';
import { wrongReport } from './report-rules.ts';

/** What must hold of how a run ends: it says of itself and of each machine what is so. */

/** Why the run should not have ended here, or null. However it did: also where another process will go on. */
export const wrongLeaving = (known: Known, at: number): string | null => {
  const { plan, world, state, seenTo, stoppedAtOnce } = known;
  const untrue = wrongReport(plan, world, state) ?? notGivenBack(plan, world, seenTo, at, known.stood());
  if (untrue !== null || stoppedAtOnce) return untrue;
  for (const { machine } of plan.machines)
    if (
      recordOfKind(state, machine.name, 'reboot')?.status === 'succeeded' &&
      recordOfKind(state, machine.name, 'await-boot') === undefined
    )
      return `the run ended, and nobody waits for ${machine.name}, which goes down`;
  return null;
};

/** As the policies say: a critical machine that was touched, and one whose activation was not confirmed. */
const mustBeRestored = (
  { world }: Known,
  { plan: entry, status, touched: said, current, failure }: MachineProgress,
): boolean => {
  if (status !== 'failed' || !said || entry.restore === null || current === null) return false;
  if (failure?.kind === 'changed-since-plan') return false;
  // Its address leads to a machine that must not be returned to what this one ran.
  if (failure?.kind === 'another-machine' && isMisled({ world }, entry.machine.name)) return false;
  return (
    entry.machine.orchestration.criticalityLevel === 'critical' ||
    current.kind === 'activate' ||
    current.kind === 'confirm' ||
    (current.kind === 'gate' && current.after === 'activation')
  );
};

/** What is said to have become of this machine. */
const wrongMachine = (
  known: Known,
  { plan: entry, status, touched: said }: MachineProgress,
): string | null => {
  const { world, state, clockWasSet } = known;
  const { name } = entry.machine;
  const did = world.effects.some((effect) => effect.machine === name && didSomething(effect));
  // Brought back to what it ran, and then nothing more was done to it.
  const origin = startFor(known, name)?.current ?? null;
  const truth = world.look(name);
  const returnedAt = recordOfKind(state, name, 'restore')?.endedAt ?? 0;
  const sameBoot = truth.power === 'up' && truth.bootedAt < returnedAt;
  // Whoever deploys to it afterwards has it run theirs.
  const theirs = (truth.foreignAt ?? 0) > returnedAt;
  if (status === 'restored' && sameBoot && !theirs && !clockWasSet && truth.current !== origin)
    return `${name} counts as returned and runs ${truth.current}`;
  if (did && !said) return `${name} counts as untouched and was not`;
  return (status === 'skipped' || status === 'nothing') && did && entry.steps.length === 0
    ? `${name} was left out of the plan and touched`
    : null;
};

const wrongMachines = (known: Known, progress: readonly MachineProgress[]): string | null => {
  for (const machine of progress) {
    const wrong = wrongMachine(known, machine);
    if (wrong !== null) return wrong;
  }
  for (const machine of progress) {
    const wrong = wrongSkip(known.plan, machine);
    if (wrong !== null) return wrong;
  }
  if (known.state.ended?.result === 'interrupted') return null;
  for (const machine of progress)
    if (
      mustBeRestored(known, machine) &&
      recordOfKind(known.state, machine.plan.machine.name, 'restore')?.outcome == null
    )
      return `${machine.plan.machine.name} failed and nobody tried to return it to what it ran`;
  return null;
};

/** What the run says of itself. */
const wrongResult = (
  { plan, state, leftOut }: Known,
  result: NonNullable<RunState['ended']>['result'],
  progress: readonly MachineProgress[],
): string | null => {
  const isLow = ({ machine }: MachineProgress['plan']): boolean =>
    machine.orchestration.criticalityLevel === 'low';
  const fallen = fallenAtEnd(plan, state).some((entry) => !isLow(entry));
  const bad = progress.filter(({ status }) => isOver(status));
  const short = bad.some(({ plan: entry }) => !isLow(entry));
  const halting = bad.some(
    ({ plan: entry, status }) => status !== 'skipped' && !leftOut.has(entry.machine.name) && isGrave(entry),
  );
  const unfinished = progress.some(({ status }) => status === 'waiting' || status === 'active');
  switch (result) {
    case 'done':
      if (short || fallen || unfinished) return 'the run says done and is not';
      return leftOut.size > 0 ? 'the run says done, and somebody had left out a machine' : null;
    case 'held':
      return halting ? null : 'the run holds and nothing asks for it';
    case 'partial':
    case 'failed':
      if (result === 'partial' && fallen && !halting && !unfinished) return null;
      return bad.length === 0 || halting || unfinished ? `the run says ${result}` : null;
    case 'interrupted':
      return state.stopRequestedBy === null ? 'the run says interrupted and nobody stopped it' : null;
    case 'declined':
    case 'expired':
      return `an approved run cannot be ${result}`;
    default:
      return result satisfies never;
  }
};

/** Why the run should not have come to this end, or null. `written` is what the journal replays to. */
export const wrongEnd = (known: Known, written: RunState): string | null => {
  const { plan, state } = known;
  if (state.ended === null) return 'the run came back without an end';
  // Folded event by event: every prefix of the journal has been replayed on the way.
  if (!isDeepStrictEqual(written, state)) return 'the journal does not replay to the state it left';
  const progress = plan.machines.map((entry) => progressOf(state, entry));
  const wrong = wrongMachines(known, progress);
  if (wrong !== null) return wrong;
  if (endedBlind(plan, state)) return 'the run ended without a last look at its machines';
  return wrongResult(known, state.ended.result, progress);
};
