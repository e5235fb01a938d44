import { EventEmitter } from 'node:events';
import { PassThrough } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { LabSnapshot } from '../src/flow/session.ts';
import { startTui } from '../src/tui/run-tui.tsx';
import { defaultSettings } from '../src/tui/state/settings.ts';
import { fakeSession } from '../test/tui/fixtures/fake-session.ts';
import { bigSnapshot } from '../test/tui/fixtures/lab.ts';
import { liveSnapshot } from '../test/tui/fixtures/runs.ts';

/** One round of the screen's benchmark, in a process of its own and bundled as lab is: prints one line of JSON. */

const keysEach = 40;
/** Between two keys: more than a frame lasts. */
const betweenKeysMs = 50;
const idleMs = 4_000;
const logLinesASecond = 10_000;
const logsForMs = 3_000;

class CountingStdout extends EventEmitter {
  readonly isTTY = true;
  readonly columns = 120;
  readonly rows = 40;
  bytes = 0;
  lastAt = 0;
  write(data: string, done?: () => void): boolean {
    this.bytes += Buffer.byteLength(data);
    this.lastAt = performance.now();
    done?.();
    return true;
  }
}

const open = (snapshot: LabSnapshot) => {
  const stdout = new CountingStdout();
  const stdin = Object.assign(new PassThrough(), {
    isTTY: true,
    setRawMode: () => stdin,
    ref: () => stdin,
    unref: () => stdin,
  }) as unknown as PassThrough;
  const lab = fakeSession(snapshot);
  const tui = startTui(lab.session, {
    ascii: false,
    colour: 'full',
    readonly: false,
    settings: defaultSettings,
    stdin: stdin as unknown as NodeJS.ReadStream,
    stdout: stdout as unknown as NodeJS.WriteStream,
    runInteractive: async () => 0,
  });
  return { stdout, stdin, lab, tui };
};
type Opened = ReturnType<typeof open>;

const close = async ({ stdin, tui }: Opened): Promise<void> => {
  stdin.end();
  await tui.exited;
};

/** From a key to the frame that shows it, milliseconds each. */
const keysToFrames = async ({ stdin, stdout, tui }: Opened): Promise<readonly number[]> => {
  const times: number[] = [];
  for (let index = 0; index < keysEach; index += 1) {
    const before = stdout.bytes;
    const begun = performance.now();
    stdin.write(index % 10 < 8 ? 'j' : 'k');
    while (stdout.bytes === before && performance.now() - begun < 1_000)
      await new Promise((resolve) => setImmediate(resolve));
    await tui.flush();
    times.push(stdout.lastAt - begun);
    await sleep(betweenKeysMs);
  }
  return times;
};

const middle = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;

const keyMsAt = async (machines: number): Promise<number> => {
  const opened = open(bigSnapshot(machines));
  await opened.tui.flush();
  await keysToFrames(opened);
  const times = await keysToFrames(opened);
  await close(opened);
  return middle(times);
};

const bytesOfSmallChange = async (): Promise<number> => {
  const opened = open(liveSnapshot);
  await opened.tui.flush();
  opened.stdin.write('3');
  await sleep(300);
  await opened.tui.flush();
  const sizes: number[] = [];
  for (let second = 1; second <= 10; second += 1) {
    const before = opened.stdout.bytes;
    opened.lab.pass(1_000);
    opened.tui.shell.tick();
    await opened.tui.flush();
    await sleep(60);
    sizes.push(opened.stdout.bytes - before);
  }
  await close(opened);
  return middle(sizes);
};

const idleShare = async (): Promise<number> => {
  const opened = open(bigSnapshot(50));
  await sleep(1_500);
  const before = process.cpuUsage();
  await sleep(idleMs);
  const { user, system } = process.cpuUsage(before);
  await close(opened);
  return (user + system) / 1_000 / idleMs;
};

const rssMegabytes = async (): Promise<number> => {
  const opened = open(bigSnapshot(1_000));
  await keysToFrames(opened);
  const rss = process.memoryUsage().rss / 1e6;
  await close(opened);
  return rss;
};

const keyMsUnderLogs = async (): Promise<number> => {
  const snapshot = bigSnapshot(50);
  const opened = open(snapshot);
  await opened.tui.flush();
  opened.stdin.write('l');
  await sleep(300);
  const lines: { readonly at: number; readonly text: string }[] = [];
  let count = 0;
  let told = 0;
  const perTick = Math.round(logLinesASecond / 50);
  // As the session does it: lines come all the time, and are told five times a second.
  const flood = setInterval(() => {
    for (let index = 0; index < perTick; index += 1) {
      count += 1;
      lines.push({
        at: snapshot.now,
        text: `2026-11-21T02:55:01+0000 nas nginx[${count}]: GET /${count} 200 in 12 ms`,
      });
    }
    if (lines.length > 10_000) lines.splice(0, lines.length - 5_000);
    if (performance.now() - told < 200) return;
    told = performance.now();
    opened.lab.show({
      logs: {
        machine: 'machine-0001',
        unit: null,
        since: snapshot.now,
        status: 'following',
        message: '',
        lines: lines.slice(-5_000),
        count,
      },
    });
  }, 20);
  const times: number[] = [];
  const begun = performance.now();
  while (performance.now() - begun < logsForMs) times.push(...(await keysToFramesOnce(opened)));
  clearInterval(flood);
  await close(opened);
  return middle(times);
};

/** A key that changes the frame in a log whatever else does: it opens and shuts the search line. */
const keysToFramesOnce = async ({ stdin, tui }: Opened): Promise<readonly number[]> => {
  const before = tui.shell.moment();
  const begun = performance.now();
  stdin.write(before.ui.input === null ? '/' : '\u007f');
  while (tui.shell.moment().ui.input === before.ui.input && performance.now() - begun < 1_000)
    await new Promise((resolve) => setImmediate(resolve));
  // Everything known by now is on the terminal, this key's change with it.
  await tui.flush();
  const took = performance.now() - begun;
  await sleep(betweenKeysMs);
  return [took];
};

export const round = async (): Promise<void> => {
  const rss = await rssMegabytes();
  const small = await keyMsAt(50);
  const large = await keyMsAt(5_000);
  const bytes = await bytesOfSmallChange();
  const idle = await idleShare();
  const logs = await keyMsUnderLogs();
  process.stdout.write(`${JSON.stringify({ small, large, bytes, idle, rss, logs })}\n`);
};
