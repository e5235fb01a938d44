import type { MachinePlan } from '../plan/plan.ts';
import type { Seen } from './event.ts';
import { actsOnAny, isJudgedAtEnd, lookedAt, seenAtEnd } from './looks.ts';
import type { Decision } from './next.ts';
import type { RunState } from './state.ts';

/** The end of a run as the last look at its machines makes it: what came to its goal and fell over since is not as planned. */

type End = Extract<Decision, { kind: 'end' }>;
type Judged = { readonly entry: MachinePlan; readonly seen: Seen };

const named = (list: readonly Judged[]): string =>
  list.map(({ entry, seen }) => `${entry.machine.name} (${seen.why})`).join(', ');

const judgedAtEnd = (state: RunState): readonly Judged[] =>
  (state.plan?.machines ?? []).flatMap((entry) => {
    const seen = isJudgedAtEnd(state, entry) ? seenAtEnd(state, entry.machine.name) : null;
    return seen === null ? [] : [{ entry, seen }];
  });

/** In place of what the steps alone would end the run with. What is not known to be well is not. */
const madeTrue = (state: RunState, end: End): End => {
  const machines = state.plan?.machines ?? [];
  const judged = judgedAtEnd(state);
  const asBefore = judged.filter(({ seen }) => seen.verdict === 'as-before');
  const fallen = judged.filter(({ seen }) => seen.verdict === 'worse' || seen.verdict === 'unknown');
  const grave = fallen.some(({ entry }) => entry.machine.orchestration.criticalityLevel !== 'low');
  const all = end.result === 'done' && judged.length === machines.length;
  const idle = all && !actsOnAny(machines);
  const many = (list: readonly Judged[]): string =>
    list.length === 1 ? '1 machine is' : `${list.length} machines are`;
  const told = [
    ...(fallen.length === 0
      ? []
      : [idle ? `${many(fallen)} not well: ${named(fallen)}` : `not well at the end: ${named(fallen)}`]),
    ...(asBefore.length === 0
      ? []
      : [
          idle
            ? `${many(asBefore)} unhealthy: ${named(asBefore)}`
            : `unhealthy as before the run: ${asBefore.map(({ entry }) => entry.machine.name).join(', ')}`,
        ]),
  ];
  if (told.length === 0) return end;
  const worse = end.result === 'done' && grave;
  const base = idle
    ? 'nothing to do'
    : all && fallen.length > 0
      ? 'every machine came to its goal'
      : end.reason;
  return { ...end, result: worse ? 'partial' : end.result, reason: `${base}; ${told.join('; ')}` };
};

/** A run ends once its machines were looked at: before that the look is what is to be done. */
export const atEnd = (state: RunState, end: End): Decision => {
  const { end: look } = state.looks;
  if (look === 'begun') return { kind: 'await' };
  if (look === null && lookedAt(state, 'end').length > 0) return { kind: 'look', moment: 'end' };
  return madeTrue(state, end);
};
