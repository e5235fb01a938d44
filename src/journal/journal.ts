import type { EventBody, RunEvent, RunId } from '../run/event.ts';

/** One run as the journal lists it. `lastSeq` lets a viewer ask only for what is new. */
export type RunSummary = {
  readonly run: RunId;
  readonly startedAt: number;
  readonly lastAt: number;
  readonly lastSeq: number;
  readonly events: number;
};

/** What somebody asks of a run under way. The process that executes the run reads it from the journal. */
export type ControlKind =
  | 'approve'
  | 'decline'
  | 'stop'
  | 'abort'
  | 'pause'
  | 'unpause'
  // About one machine, which they name.
  | 'skip'
  | 'retry';
export type Control = {
  /** Rises with every control. */
  readonly id: number;
  readonly at: number;
  readonly run: RunId;
  readonly kind: ControlKind;
  /** Who asks, for the record: `amy (cli)`. */
  readonly by: string;
  /** What it is about, where it is about one machine. */
  readonly machine: string | null;
};

/**
 * The durable record of runs, the sole truth about them. Reads and writes are synchronous: an append has reached the
 * disk when it returns. Throws `JournalFailure` when it cannot be read or written; never shrugs damage off.
 */
export type Journal = {
  append(run: RunId, body: EventBody): RunEvent;
  eventsOf(run: RunId, afterSeq?: number): readonly RunEvent[];
  /** The last `count` events of all runs, oldest first. */
  tail(count: number): readonly RunEvent[];
  /** Everything after `seq`, oldest first, at most `count`. Throws as well where the file is not the one that was opened. */
  after(seq: number, count: number): readonly RunEvent[];
  /** The latest runs, newest first. */
  runs(count: number): readonly RunSummary[];
  /**
   * What was kept of all runs up to this one, as it stood after its event `seq`; null where nothing was. A copy of what
   * the events say: it may be lost, or out of date.
   */
  recalled(run: RunId): { readonly seq: number; readonly text: string } | null;
  keepRecalled(run: RunId, seq: number, text: string): void;
  /** Asks something of a run, whichever process executes it. */
  ask(run: RunId, kind: ControlKind, by: string, machine?: string): void;
  /** What was asked of a run after the control `afterId`, oldest first. */
  asked(run: RunId, afterId: number): readonly Control[];
  close(): void;
};

/**
 * What is wrong with a journal: no room to write, not writable, held by another program, not to be read (damaged or no
 * journal at all), written by a newer lab, or something else that SQLite says.
 */
export type JournalTrouble = 'no-room' | 'unwritable' | 'busy' | 'damaged' | 'newer' | 'other';

export class JournalFailure extends Error {
  override readonly name = 'JournalFailure';
  readonly remedy: string;
  readonly trouble: JournalTrouble;
  constructor(
    message: string,
    remedy: string,
    more: { readonly trouble?: JournalTrouble; readonly cause?: unknown } = {},
  ) {
    super(message, { cause: more.cause });
    this.remedy = remedy;
    this.trouble = more.trouble ?? 'other';
  }
}
