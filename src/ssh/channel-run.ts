import type { Clock } from '../ports.ts';
import type { Exit, Started } from './connection.ts';
import type { Announcement } from './remote-shell.ts';

/** Keeps the first `bytesMax` bytes and counts the rest. */
type Sink = { push(chunk: Buffer): void; text(): string; cut(): boolean };

const createSink = (bytesMax: number): Sink => {
  const chunks: Buffer[] = [];
  let length = 0;
  let cut = false;
  return {
    push: (chunk) => {
      const kept = chunk.subarray(0, bytesMax - length);
      if (kept.length < chunk.length) cut = true;
      if (kept.length === 0) return;
      chunks.push(kept);
      length += kept.length;
    },
    text: () => Buffer.concat(chunks, length).toString('utf8'),
    cut: () => cut,
  };
};

export type ChannelEnd =
  /** The command has ended; the exit is what it ended with. */
  | ({ readonly kind: 'exited' } & Exit)
  /** The channel is gone and nobody said how the command ended. */
  | { readonly kind: 'lost' }
  /** `stop` aborted first. */
  | { readonly kind: 'stopped' }
  /** More output than anyone could mean. */
  | { readonly kind: 'flood' };

export type ChannelRun = {
  readonly ended: Promise<ChannelEnd>;
  stdout(): string;
  stderr(): string;
  truncated(): boolean;
};

/**
 * Feeds a started command its input and reads all it says until it ends. Both streams are always read: unread output
 * would keep ssh2 from ever reporting the end. After the command's exit its streams get `drainMs` of silence, since
 * a child in the background may hold them open for ever.
 */
export const runChannel = (
  started: Started,
  options: {
    readonly stdin: string | undefined;
    readonly outputBytesMax: number;
    readonly floodBytesMax: number;
    readonly drainMs: number;
    readonly announcement: Announcement;
    readonly clock: Clock;
    readonly stop: AbortSignal;
  },
): ChannelRun => {
  const { channel } = started;
  const { announcement, clock, stop } = options;
  const stdout = createSink(options.outputBytesMax);
  const stderr = createSink(options.outputBytesMax);
  const over = new AbortController();
  let seenBytes = 0;
  let chunksSeen = 0;

  const ended = new Promise<ChannelEnd>((resolve) => {
    const settle = (end: ChannelEnd): void => {
      if (over.signal.aborted) return;
      over.abort('ended');
      stop.removeEventListener('abort', onStop);
      if (end.kind === 'exited' || end.kind === 'lost') stdout.push(announcement.flush());
      resolve(end);
    };
    const onStop = (): void => settle({ kind: 'stopped' });
    const count = (chunk: Buffer): void => {
      chunksSeen += 1;
      seenBytes += chunk.length;
      if (seenBytes > options.floodBytesMax) settle({ kind: 'flood' });
    };
    const finish = (): void => {
      const exit = started.exit();
      settle(exit === null ? { kind: 'lost' } : { kind: 'exited', ...exit });
    };
    const drain = async (): Promise<void> => {
      for (let before = -1; before !== chunksSeen && !over.signal.aborted; ) {
        before = chunksSeen;
        await clock.sleep(options.drainMs, over.signal);
      }
      finish();
    };

    channel.on('data', (chunk: Buffer) => {
      count(chunk);
      stdout.push(announcement.push(chunk));
    });
    channel.stderr.on('data', (chunk: Buffer) => {
      count(chunk);
      stderr.push(chunk);
    });
    channel.on('error', () => undefined);
    channel.stderr.on('error', () => undefined);
    started.onExit(() => void drain());
    // The channel's `close` waits for stdout only.
    let open = 2;
    const closed = (): void => {
      open -= 1;
      if (open === 0) finish();
    };
    channel.once('close', closed);
    channel.stderr.once('end', closed);
    stop.addEventListener('abort', onStop, { once: true });
    if (stop.aborted) onStop();
  });
  // A command that is to be stopped as soon as it starts gets no input: it might act on it, or on its end.
  if (!stop.aborted) channel.end(options.stdin ?? '');

  return {
    ended,
    stdout: stdout.text,
    stderr: stderr.text,
    truncated: () => stdout.cut() || stderr.cut(),
  };
};
