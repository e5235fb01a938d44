import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { openPty, type PtyTerminal } from '../scripts/pty-terminal.ts';
import { type Benchmark, inTurns, measured, median, missing, msRow, type Row, ratioRow } from './harness.ts';
import { leaveNothing } from './leave-nothing.ts';
import { bundleSubjects } from './screen-bundle.ts';

/** The screen as a terminal sees it: on a real pty, read by an emulator, from the key to the frame that shows it. */

const root = fileURLToPath(new URL('..', import.meta.url));
const node = process.execPath;
/** As `bin/lab` starts it. */
const semiSpace = '--max-semi-space-size=8';
const size = { columns: 120, rows: 40 };
const ticksPerSecond = 100;

const firstFrameTarget = 8;
const keyTargetMs = 20;
const windowedTarget = 1.3;
const frameBytesTarget = 1_024;
const idleTarget = 1;
const memoryTarget = 150;

const few = 50;
const many = 5_000;
const ordinary = 1_000;
const floodPerSecond = 10_000;

const keysPerRound = 40;
const idleMs = 10_000;
const changesMs = 4_000;
const changesPerSecond = 4;
/** Slower than frames are drawn, as people are; never in step with them. */
const betweenKeysMs = (index: number): number => 45 + ((index * 7) % 23);

const within = async <Value>(
  argv: readonly string[],
  use: (terminal: PtyTerminal) => Promise<Value>,
  onOutput: (data: Buffer) => void = () => {},
): Promise<Value> => {
  const terminal = openPty(argv, { ...size, onOutput });
  // The program is ended before the first wait.
  const putAway = leaveNothing(() => void terminal.close());
  try {
    return await use(terminal);
  } finally {
    putAway();
    await terminal.ended.catch(() => {});
  }
};

/** From the start of a process to what it first shows; that it shows nothing but ends counts too. */
const untilShown = (argv: readonly string[], text: string) => (): Promise<number> => {
  const begun = performance.now();
  return within(argv, async (terminal) => {
    await terminal.waitFor((screen) => screen.includes(text), text);
    return performance.now() - begun;
  });
};
const untilEnded = (argv: readonly string[]) => (): Promise<number> => {
  const begun = performance.now();
  return within(argv, async (terminal) => {
    await terminal.ended;
    return performance.now() - begun;
  });
};

const nameOf = (index: number): string => `machine-${String(index + 1).padStart(4, '0')}`;

/** The median of many keys: from the key to the frame that shows what it did. */
const keyToFrame = async (
  terminal: PtyTerminal,
  keys: readonly { readonly key: string; readonly shows: (screen: string) => boolean }[],
): Promise<number> => {
  const times: number[] = [];
  for (const [index, { key, shows }] of keys.entries()) {
    await pause(betweenKeysMs(index));
    const begun = performance.now();
    terminal.type(key);
    await terminal.waitFor(shows, `what ${JSON.stringify(key)} does`);
    times.push(performance.now() - begun);
  }
  return median(times);
};

/** Down the list, past the lower edge of the window. */
const walk = Array.from({ length: keysPerRound }, (_, index) => ({
  key: 'j',
  shows: (screen: string) => screen.includes(`▶  ${nameOf(index + 1)}`),
}));

/** Letters typed after `:`, and taken away again. */
const letters = 'abcdefghij';
const typing = Array.from({ length: keysPerRound }, (_, index) => {
  const half = index % (2 * letters.length);
  const length = half < letters.length ? half + 1 : 2 * letters.length - half - 1;
  return {
    key: half < letters.length ? (letters[half] ?? '') : '\u007f',
    shows: (screen: string) =>
      screen
        .split('\n')
        .some((line) => new RegExp(`^ ?:${letters.slice(0, length)}(?![a-j])`, 'u').test(line)),
  };
});

const cpuMsOf = (pid: number): number => {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? [];
  return ((Number(fields[11]) + Number(fields[12])) / ticksPerSecond) * 1_000;
};
const residentMb = (pid: number): number =>
  Number(/^VmRSS:\s+(\d+) kB$/mu.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1.024e-3;

const plainRow = (what: string, unit: Row['unit'], values: readonly number[], target: number): Row => ({
  ...{ what, unit, values, target },
  against: null,
  detail: '',
});

const opened = (screen: string): boolean => screen.includes(`▶  ${nameOf(0)}`);

export const screen: Benchmark = {
  name: 'screen',
  about: `first frame, keys, bytes, idling and memory on a pty of ${size.columns} × ${size.rows}`,
  rounds: 5,
  run: async (rounds, say) => {
    if (process.platform !== 'linux') return missing('it reads /proc, which is of Linux');
    if (spawnSync('script', ['--version']).error !== undefined)
      return missing('`script` of util-linux is needed (Debian: bsdutils)');
    // Builds the bundle where the sources are newer.
    spawnSync(`${root}bin/lab`, ['--version']);
    const { subject, bareInk, putAway } = await bundleSubjects();
    const over = (machines: number, changes = 0, lines = 0): readonly string[] =>
      [node, semiSpace, subject, machines, changes, lines].map(String);

    const walking =
      (argv: readonly string[], shows = opened) =>
      () =>
        within(argv, async (terminal) => {
          await terminal.waitFor(shows, 'the first frame');
          return keyToFrame(terminal, walk);
        });
    const flooded: number[] = [];
    const inLogs = (lines: number) => () =>
      within(over(few, 0, lines), async (terminal) => {
        await terminal.waitFor(opened, 'the first frame');
        terminal.type('d');
        await terminal.waitFor((text) => text.includes('[overview]'), 'the machine');
        terminal.type('l');
        const count = (): number => Number(/(\d+) lines/u.exec(terminal.text())?.[1] ?? Number.NaN);
        await terminal.waitFor(() => count() >= 200, 'the log');
        terminal.type(':');
        const [before, begun] = [count(), performance.now()];
        const took = await keyToFrame(terminal, typing);
        if (lines > 0) flooded.push(((count() - before) / (performance.now() - begun)) * 1_000);
        return took;
      });

    try {
      const start = await inTurns(
        rounds,
        {
          node: untilEnded([node, '-e', '0']),
          bareInk: untilShown([node, bareInk], nameOf(0)),
          lab: untilShown([node, semiSpace, `${root}dist/main.js`, 'demo'], 'Machines'),
        },
        { say },
      );
      const keys = await inTurns(
        rounds,
        {
          bareInk: walking([node, bareInk]),
          few: walking(over(few)),
          many: walking(over(many)),
          quiet: inLogs(0),
          flood: inLogs(floodPerSecond),
        },
        { say, warmUp: false },
      );
      const { bytes, idle, memory } = await inTurns(
        rounds,
        {
          bytes: () => {
            let written = 0;
            return within(
              over(ordinary, changesPerSecond),
              async (terminal) => {
                await terminal.waitFor(opened, 'the first frame');
                await pause(1_000);
                const begun = performance.now();
                written = 0;
                await pause(changesMs);
                return written / (((performance.now() - begun) * changesPerSecond) / 1_000);
              },
              (data) => {
                written += data.length;
              },
            );
          },
          idle: () =>
            within(over(ordinary), async (terminal) => {
              await terminal.waitFor(opened, 'the first frame');
              await pause(2_000);
              const pid = terminal.pid();
              const [before, begun] = [cpuMsOf(pid), performance.now()];
              await pause(idleMs);
              return ((cpuMsOf(pid) - before) / (performance.now() - begun)) * 100;
            }),
          memory: () =>
            within(over(ordinary), async (terminal) => {
              await terminal.waitFor(opened, 'the first frame');
              for (const view of ['2', '3', '4', '8', '1']) {
                terminal.type(view);
                await pause(300);
              }
              await keyToFrame(terminal, walk);
              return residentMb(terminal.pid());
            }),
        },
        { say, warmUp: false },
      );
      return measured(
        [
          ratioRow('first frame of `lab demo`', start.lab, 'node -e 0', start.node, firstFrameTarget),
          ratioRow('first frame of `lab demo`', start.lab, 'bare Ink', start.bareInk, null),
          msRow(`key to frame, ${few} machines`, keys.few, keyTargetMs),
          msRow(`key to frame, ${many} machines`, keys.many, keyTargetMs),
          ratioRow(`key to frame, ${many} machines`, keys.many, `${few}`, keys.few, windowedTarget),
          ratioRow(`key to frame, ${few} machines`, keys.few, 'bare Ink', keys.bareInk, null),
          msRow(`key to frame, ${floodPerSecond} log lines a second`, keys.flood, keyTargetMs),
          ratioRow('key to frame in a log, flooded', keys.flood, 'still', keys.quiet, windowedTarget),
          plainRow('a frame in which five rows change a cell', 'B', bytes, frameBytesTarget),
          plainRow(`idle, ${ordinary} machines, of one processor`, '%', idle, idleTarget),
          plainRow(`resident, ${ordinary} machines`, 'MB', memory, memoryTarget),
        ],
        [
          `a round of keys is the median of ${keysPerRound}; the emulator that reads the frame is part of it`,
          `of the log, ${Math.round(median(flooded))} lines a second were read`,
        ],
      );
    } finally {
      putAway();
    }
  },
};
