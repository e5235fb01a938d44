import { type Control, type Journal, JournalFailure, type RunSummary } from '../journal/journal.ts';
import type { EventBody, RunEvent, RunId } from '../run/event.ts';

/** The journal of simulated runs: the same contract as the durable one, kept in memory and dated by the given clock. */
export const createMemoryJournal = (now: () => number): Journal => {
  const events: RunEvent[] = [];
  const byRun = new Map<RunId, RunEvent[]>();
  const controls: Control[] = [];
  const recollections = new Map<RunId, { readonly seq: number; readonly text: string }>();
  let closed = false;
  return {
    append: (run: RunId, body: EventBody): RunEvent => {
      if (closed) throw new JournalFailure('the journal is closed', 'open it again');
      const event: RunEvent = { seq: events.length + 1, at: now(), run, body };
      events.push(event);
      const own = byRun.get(run);
      if (own === undefined) byRun.set(run, [event]);
      else own.push(event);
      return event;
    },
    eventsOf: (run, afterSeq = 0) => (byRun.get(run) ?? []).filter(({ seq }) => seq > afterSeq),
    tail: (count) => events.slice(Math.max(0, events.length - count)),
    // `seq` is the position, from 1.
    after: (seq, count) => events.slice(seq, seq + count),
    runs: (count) =>
      [...byRun]
        .map(([run, own]): RunSummary | null => {
          const first = own[0];
          const last = own.at(-1);
          return first === undefined || last === undefined
            ? null
            : { run, startedAt: first.at, lastAt: last.at, lastSeq: last.seq, events: own.length };
        })
        .filter((summary) => summary !== null)
        .sort((a, b) => b.lastSeq - a.lastSeq)
        .slice(0, count),
    recalled: (run) => recollections.get(run) ?? null,
    keepRecalled: (run, seq, text) => void recollections.set(run, { seq, text }),
    ask: (run, kind, by, machine) =>
      void controls.push({ id: controls.length + 1, at: now(), run, kind, by, machine: machine ?? null }),
    asked: (run, afterId) => controls.filter((control) => control.run === run && control.id > afterId),
    close: () => {
      closed = true;
    },
  };
};
