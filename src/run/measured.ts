import { type DurationKind, durationKindOf } from '../plan/durations.ts';
import type { Plan, Step } from '../plan/plan.ts';
import type { RunEvent } from './event.ts';

/** What a run tells of how long things take: only what succeeded in one go, with nobody away in between. */

export type Measured = { readonly machine: string; readonly kind: DurationKind; readonly ms: number };

type Seen = { readonly intendedAt: number; readonly endedAt: number | null; readonly sound: boolean };

const stepsOf = (plan: Plan): readonly Step[] =>
  plan.machines.flatMap(({ steps, contingent }) => [...steps, ...contingent]);

/**
 * When each step began and ended. One that was begun twice, or over which the engine died, measures nothing. Nor does one
 * that was under way when the run was paused: a process that stood still says so by a pause, once what it waited for has
 * ended, and in a pause by a person it says nothing.
 */
const seenIn = (events: readonly RunEvent[]): ReadonlyMap<string, Seen> => {
  const seen = new Map<string, Seen>();
  /** Begun and not ended, or ended since the run last had something to begin. */
  let underWay: string[] = [];
  let paused = false;
  const spoil = (): void => {
    for (const step of underWay) {
      const known = seen.get(step);
      if (known !== undefined) seen.set(step, { ...known, sound: false });
    }
  };
  for (const { at, body } of events) {
    if (body.kind === 'step-intended') {
      underWay = [...underWay.filter((step) => seen.get(step)?.endedAt === null), body.step];
      seen.set(body.step, { intendedAt: at, endedAt: null, sound: !paused && !seen.has(body.step) });
    }
    if (body.kind === 'step-ended') {
      const known = seen.get(body.step);
      const sound = known?.sound === true && body.outcome.kind === 'succeeded';
      seen.set(body.step, { intendedAt: known?.intendedAt ?? at, endedAt: at, sound });
    }
    if (body.kind === 'paused') spoil();
    if (body.kind === 'paused') paused = true;
    // Who takes a run up takes it out of its pause.
    if (body.kind === 'unpaused' || body.kind === 'resumed' || body.kind === 'reopened') paused = false;
  }
  return seen;
};

/** The measurements of a run with this plan, in the order of its steps. Whole milliseconds. */
export const measuredIn = (plan: Plan, events: readonly RunEvent[]): readonly Measured[] => {
  const seen = seenIn(events);
  const resumed = events
    .filter(({ body }) => body.kind === 'resumed' || body.kind === 'reopened')
    .map(({ at }) => at);
  const steps = stepsOf(plan);
  const took = (step: Step, own: Seen): number | null => {
    if (!own.sound || own.endedAt === null) return null;
    if (step.kind === 'gate') return Math.max(0, own.endedAt - own.intendedAt - step.stableMs);
    if (step.kind !== 'await-boot') return own.endedAt - own.intendedAt;
    // A reboot lasts from its trigger on, which is a step of its own.
    const trigger = steps.find(({ machine, kind }) => machine === step.machine && kind === 'reboot');
    const from = trigger === undefined ? undefined : seen.get(trigger.id);
    if (from?.sound !== true || from.endedAt === null) return null;
    const [since, until] = [from.endedAt, own.endedAt];
    return resumed.some((at) => at >= since && at <= until) ? null : until - since;
  };
  return steps.flatMap((step): readonly Measured[] => {
    const kind = durationKindOf(step);
    const own = seen.get(step.id);
    const ms = kind === null || own === undefined ? null : took(step, own);
    // A clock that was set back in the middle measures nothing.
    return kind === null || ms === null || ms < 0
      ? []
      : [{ machine: step.machine, kind, ms: Math.round(ms) }];
  });
};
