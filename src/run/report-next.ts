import type { Debt } from '../plan/debt.ts';
import { isHalting } from './next.ts';
import { progressOf } from './progress.ts';
import type { RunState } from './state.ts';
import { whyNotSteer } from './steer.ts';

/** What can be done about the machine that keeps the run from its goal: tried again, or left behind. */
const steerWords = (state: RunState): string | null => {
  const short = (state.plan?.machines ?? []).flatMap((entry) => {
    const { status, skippedBy } = progressOf(state, entry);
    return (status === 'failed' || status === 'restored') && skippedBy === null ? [entry] : [];
  });
  const entry = short.find((each) => isHalting({ plan: each })) ?? short[0];
  if (entry === undefined) return null;
  const { name } = entry.machine;
  const can = (what: 'skip' | 'retry'): boolean => whyNotSteer(state, { what, machine: name }) === null;
  const ways = [
    ...(can('retry') ? [`\`lab retry ${name}\` tries it again, once you have seen to it`] : []),
    ...(can('skip') ? [`\`lab skip ${name}\` goes on without it`] : []),
  ];
  return ways.length === 0 ? null : `${ways.join('; ')}; as long as no other run has begun`;
};

/** What the reader of a report can do now, where the machines do not say it themselves; or null. */
export const nextOf = (state: RunState, owed: readonly Debt[]): string | null => {
  if (state.ended?.result === 'interrupted' && state.approvedAt !== null)
    return `\`lab resume ${state.run}\` goes on from here, as long as no other run has begun`;
  if (owed.length > 0)
    return `what is owed is done by the next run, or by \`lab run --catch-up\`, once ${owed.length === 1 ? 'it answers' : 'they answer'}`;
  return state.approvedAt === null ? null : steerWords(state);
};
