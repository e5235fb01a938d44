import type { Step } from '../plan/plan.ts';
import type { Clock } from '../ports.ts';
import type { EventBody } from './event.ts';
import type { PerformContext } from './step-context.ts';

/** Each note is synced to disk: a copy of a thousand paths must not wait for a thousand of them. */
const progressPauseMs = 500;
const noteMax = 2_000;

type Noted = Extract<EventBody, { kind: 'step-noted' }>;

/** What a step tells while it is under way, as events. */
export const notesOf = (
  step: Step,
  clock: Clock,
  write: (body: Noted) => void,
): Pick<PerformContext, 'note' | 'warn' | 'progress' | 'ends'> => {
  const noteAs = (text: string, kept: Pick<Noted, 'warning' | 'endsBoot'>): void =>
    write({ kind: 'step-noted', step: step.id, note: text.slice(0, noteMax), ...kept });
  let progressAt = Number.NEGATIVE_INFINITY;
  return {
    note: (text) => noteAs(text, {}),
    warn: (text) => noteAs(text, { warning: true }),
    ends: (bootId) => noteAs(`ends the boot ${bootId}`, { endsBoot: bootId }),
    progress: (text) => {
      const now = clock.elapsed();
      if (now - progressAt < progressPauseMs) return;
      progressAt = now;
      noteAs(text, {});
    },
  };
};
