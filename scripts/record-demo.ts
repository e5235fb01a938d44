import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type Cell, cellsOfAnsi, svgOf } from './terminal-svg.ts';

/**
 * Records `lab demo` as the README shows it: plays a script of keys to the real program in a real terminal (tmux), takes
 * its screen after each step, and writes the frames as one animated SVG. `node scripts/record-demo.ts [FILE]`.
 */

const root = fileURLToPath(new URL('..', import.meta.url));
const out = process.argv[2] ?? fileURLToPath(new URL('../docs/demo.svg', import.meta.url));
const [columns, rows] = [110, 30];
const socket = `lab-record-${process.pid}`;
const deadlineMs = 60_000;

const tmux = (...args: readonly string[]): string => {
  const done = spawnSync('tmux', ['-L', socket, ...args], { encoding: 'utf8' });
  if (done.error !== undefined) throw new Error(`tmux is needed for the recording: ${done.error.message}`);
  return done.stdout;
};

type Step = {
  readonly keys: readonly string[];
  /** What has to be on the screen before the frame is taken. */
  readonly until: RegExp;
  /** How long the frame is shown, seconds. */
  readonly seconds: number;
  /** What one sees, below the frame. */
  readonly caption: string;
};

const story: readonly Step[] = [
  {
    keys: [],
    until: /sleeper-service +. healthy/u,
    seconds: 3,
    caption: 'lab: every machine, its state, drift and whether it needs a reboot',
  },
  { keys: ['S'], until: /STATE↓/u, seconds: 2, caption: 'S: the worst first' },
  {
    keys: ['/', '@infra', 'Enter'],
    until: /filter: @infra/u,
    seconds: 2,
    caption: '/: filter by words, @group, role:',
  },
  {
    keys: ['Escape', 'C-p', 'seq'],
    until: /Command palette/u,
    seconds: 2.5,
    caption: 'Ctrl-P: find anything by a few letters',
  },
  {
    keys: ['Enter'],
    until: /longest chain/u,
    seconds: 3,
    caption: 'the reboot sequence: waves, delays, the chain that decides',
  },
  {
    keys: ['1', 'g', 'j', 'd', ']'],
    until: /READINGS/u,
    seconds: 2.5,
    caption: 'one machine: its health with evidence',
  },
  { keys: ['l'], until: /✔ following/u, seconds: 2, caption: 'l: its journal, followed' },
  {
    keys: ['1', 'u'],
    until: /Update and full run/u,
    seconds: 2.5,
    caption: 'u: update, build, deploy, reboot what needs it',
  },
  {
    keys: ['Tab', 'Enter'],
    until: /build every system/u,
    seconds: 2,
    caption: 'nothing is touched while it is prepared',
  },
  {
    keys: [],
    until: /Plan: update/u,
    seconds: 3.5,
    caption: 'the plan: everything that will happen, and why',
  },
  { keys: ['a'], until: /Approve/u, seconds: 2.5, caption: 'Cancel has the focus' },
  {
    keys: ['Tab', 'Enter'],
    until: /Running: .*\n(?:.*\n)*.*(?:copying|activating)/u,
    seconds: 2,
    caption: 'the run, live',
  },
  {
    keys: [],
    until: /awaiting the boot|rebooting/u,
    seconds: 2.5,
    caption: 'a reboot is proven: another boot id, the right system',
  },
  {
    keys: [],
    until: /proving the reboot|proving health/u,
    seconds: 2.5,
    caption: 'healthy again before the next one goes',
  },
  {
    keys: [],
    until: /[3-6] of 7/u,
    seconds: 2.5,
    caption: 'dependencies first, the machine lab runs on last',
  },
  {
    keys: [],
    until: /Run (?:done|partial|held|failed)/u,
    seconds: 4,
    caption: 'what became of every machine',
  },
  { keys: ['8'], until: /next run/u, seconds: 3, caption: 'the pulse of the lab' },
];

const waitFor = async (wanted: RegExp): Promise<void> => {
  const latest = Date.now() + deadlineMs;
  while (!wanted.test(tmux('capture-pane', '-p', '-t', 'demo'))) {
    if (Date.now() > latest)
      throw new Error(
        `waited in vain for ${wanted}; on the screen:\n${tmux('capture-pane', '-p', '-t', 'demo')}`,
      );
    await sleep(100);
  }
};

const frames: {
  readonly cells: readonly (readonly Cell[])[];
  readonly seconds: number;
  readonly caption: string;
}[] = [];
try {
  spawnSync(`${root}/bin/lab`, ['--version']);
  tmux(
    ...['new-session', '-d', '-s', 'demo', '-x', String(columns), '-y', String(rows)],
    ...[
      'env',
      'TERM=tmux-256color',
      'COLORTERM=truecolor',
      'LANG=C.UTF-8',
      `${root}/bin/lab`,
      'demo',
      '--speed',
      '3',
    ],
  );
  for (const { keys, until, seconds, caption } of story) {
    for (const key of keys) {
      tmux('send-keys', '-t', 'demo', key);
      await sleep(key === 'Escape' ? 300 : 120);
    }
    await waitFor(until);
    await sleep(200);
    frames.push({
      cells: cellsOfAnsi(tmux('capture-pane', '-e', '-p', '-t', 'demo'), columns, rows),
      seconds,
      caption,
    });
    process.stderr.write(`${caption}\n`);
  }
} finally {
  tmux('kill-server');
}
mkdirSync(new URL('../docs/', import.meta.url), { recursive: true });
writeFileSync(out, svgOf(frames, columns, rows));
process.stderr.write(`${frames.length} frames in ${out}\n`);
