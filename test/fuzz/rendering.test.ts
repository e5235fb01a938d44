import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  discrepancyLines,
  failureLines,
  lockLines,
  machineLines,
  problemLines,
} from '../../src/cli/render.ts';
import { planLines } from '../../src/cli/render-plan.ts';
import { eventLine, reportLines } from '../../src/cli/render-run.ts';
import { reportOf } from '../../src/run/report.ts';
import { replay } from '../../src/run/state.ts';
import { cellsOf } from '../../src/tui/draw/line.ts';
import { frameOf } from '../../src/tui/frame.ts';
import { createStage, exampleMachines } from '../cli/stage.ts';
import { bigSnapshot, seedSnapshot } from '../tui/fixtures/lab.ts';
import { heldSnapshot, liveSnapshot, preparingSnapshot, waitingSnapshot } from '../tui/fixtures/runs.ts';
import { opened } from '../tui/fixtures/shell.ts';
import { plainTextOf } from '../tui/fixtures/text.ts';
import { expectCalm, hostileText, timeBoxed } from './hostile.ts';

/** Whatever foreign text says, what people see of it is one calm line after the other. */

process.env.TZ = 'UTC';

/** Fields that hold words of machines, Nix, ssh or other people. Names and ids are checked where they enter. */
const foreign: ReadonlySet<string> = new Set([
  ...['message', 'remedy', 'note', 'reason', 'flake', 'user', 'host', 'url', 'rev', 'summary', 'evidence'],
  ...['check', 'role', 'description', 'text', 'noActivationWhy', 'noRebootWhy', 'why', 'detail', 'remarks'],
  ...['failedUnits', 'selectors', 'cwd', 'nixosVersion', 'kernelRelease', 'input', 'pausedBy', 'words'],
]);

/** The same value with every foreign text exchanged for one of these, in turn. */
const withHostile = <T>(value: T, texts: readonly string[]): T => {
  let at = 0;
  const next = (): string => texts[at++ % texts.length] ?? '';
  const exchange = (part: unknown, isForeign: boolean): unknown => {
    if (typeof part === 'string') return isForeign ? next() : part;
    if (part === null || typeof part !== 'object') return part;
    if (Array.isArray(part)) return part.map((item) => exchange(item, isForeign));
    if (part instanceof Map) return new Map([...part].map(([key, item]) => [key, exchange(item, false)]));
    if (part instanceof Set) return part;
    // Methods and what they close over stay as they are.
    if (Object.getPrototypeOf(part) !== Object.prototype) return part;
    return Object.fromEntries(
      Object.entries(part).map(([key, item]) => [key, exchange(item, foreign.has(key))]),
    );
  };
  return exchange(value, false) as T;
};
const texts = fc.array(hostileText(), { minLength: 1, maxLength: 12 });

const story = await (async () => {
  const stage = createStage({
    machines: exampleMachines,
    wants: { 'sleeper-service': '6.12.11', 'grey-area': '6.12.11' },
    faults: { 'grey-area': [{ kind: 'never-comes-back' }], 'congenital-optimist': [{ kind: 'offline' }] },
    lockChanges: [
      { input: 'nixpkgs', kind: 'added', from: null, to: { url: 'x', rev: null, lastModified: null } },
    ],
  });
  await stage.run('run', '--yes');
  const events = stage.journal.tail(1_000);
  const state = replay(events);
  const report = state === null ? null : reportOf(state);
  if (state?.plan == null || report === null) throw new Error('the story did not come to its end');
  return { events, plan: state.plan, report };
})();

test('lines of the command line are calm, and one line each', () => {
  const failure = {
    ...{ kind: 'x', machine: null, phase: 'x', message: 'm', remedy: 'r' },
    detail: ['one', 'two'],
  };
  const facts = {
    failure,
    problems: [
      { kind: 'x', severity: 'error' as const, message: 'm', remedy: 'r', machines: [] },
    ] as unknown as Parameters<typeof problemLines>[0],
    evaluation: {
      fleet: { machines: exampleMachines, failed: [{ name: 'box', message: 'm', remedy: 'r' }] },
      discrepancies: [{ kind: 'hostname-differs' as const, machine: 'box', message: 'm' }],
    },
    lock: [
      {
        ...{ input: 'nixpkgs', kind: 'updated' as const },
        from: { url: 'u', rev: 'r', lastModified: 1 },
        to: { url: 'u', rev: null, lastModified: 2 },
      },
    ],
    ...story,
  };
  fc.assert(
    fc.property(texts, (words) => {
      const bad = withHostile(facts, words);
      const lines = [
        ...failureLines(bad.failure),
        ...problemLines(bad.problems),
        ...machineLines(bad.evaluation),
        ...discrepancyLines(bad.evaluation),
        ...lockLines(bad.lock, words[0] ?? null),
        ...planLines(bad.plan),
        ...reportLines(bad.report),
        ...bad.events.map(eventLine),
      ];
      expectCalm(lines);
    }),
    timeBoxed(400),
  );
});

test('frames of the screen are calm, and every row is as wide as the terminal', () => {
  const snapshots = [
    seedSnapshot,
    bigSnapshot(20),
    preparingSnapshot,
    waitingSnapshot,
    liveSnapshot,
    heldSnapshot,
  ];
  const key = fc.constantFrom(
    ...[
      'j',
      'k',
      'd',
      ']',
      '[',
      '1',
      '2',
      '3',
      '4',
      '5',
      '6',
      '7',
      '?',
      ':',
      'enter',
      'esc',
      'tab',
      'G',
      '/',
    ],
  );
  fc.assert(
    fc.property(
      texts,
      fc.nat({ max: snapshots.length - 1 }),
      fc.array(key, { maxLength: 8 }),
      fc.boolean(),
      (words, index, pressed, ascii) => {
        const screen = opened(withHostile(snapshots[index] ?? seedSnapshot, words), {
          columns: 100,
          rows: 30,
          ascii,
        });
        for (const name of ['', ...pressed]) {
          if (name !== '') screen.press(name);
          const rows = frameOf(screen.shell.scene()).map(plainTextOf);
          expectCalm(rows);
          expect(rows).toHaveLength(30);
          for (const row of rows) expect(cellsOf(row), JSON.stringify(row)).toBe(100);
        }
      },
    ),
    timeBoxed(400),
  );
});
