import { describe, expect, test } from 'vitest';
import { rebootOrderOf, wavesOf } from '../../src/fleet/order.ts';
import type { LabSnapshot } from '../../src/flow/session.ts';
import { slotsOf } from '../../src/tui/screen/sequence-times.ts';
import type { UiAction } from '../../src/tui/state/ui.ts';
import { machine, seedMachines, seedSnapshot } from './fixtures/lab.ts';
import { frameText, sceneOf } from './fixtures/scene.ts';
import { opened } from './fixtures/shell.ts';

const go: UiAction = { kind: 'go', view: { kind: 'sequence' } };
const text = (snapshot: LabSnapshot, actions: readonly UiAction[] = [], columns = 140): string =>
  frameText(sceneOf(snapshot, [go, ...actions], { columns, rows: 40 }));
const slots = slotsOf(wavesOf(rebootOrderOf(seedMachines)), new Map());

describe('times', () => {
  test('each machine begins when the one before it is over, and delays count from there', () => {
    expect(
      slots.map(({ machine: { name }, startMs, delayMs, takesMs }) => [name, startMs, delayMs, takesMs]),
    ).toEqual([
      ['sleeper-service', 0, 0, 75_000],
      ['grey-area', 75_000, 30_000, 75_000],
      ['reverse-proxy', 180_000, 600_000, 75_000],
      ['congenital-optimist', 855_000, 0, 0],
    ]);
  });

  test('what was measured counts more than the guess', () => {
    const learnt = { times: 5, typicalMs: 200_000, slowMs: 250_000, longestMs: 300_000 };
    const [first] = slotsOf(
      wavesOf(rebootOrderOf(seedMachines)),
      new Map([['sleeper-service', { reboot: learnt }]]),
    );
    expect(first).toMatchObject({ takesMs: 215_000, measured: true });
  });

  test('the longest chain of needs is the one that takes longest, not the one with most machines', () => {
    const slow = machine('slow', {
      dependencies: ['a'],
      orchestration: { rebootDelay: 3_000, rebootDelayIsOwn: true },
    });
    const machines = [
      machine('a'),
      machine('b', { dependencies: ['a'], orchestration: { rebootDelay: 0, rebootDelayIsOwn: true } }),
      machine('c', { dependencies: ['b'], orchestration: { rebootDelay: 0, rebootDelayIsOwn: true } }),
      slow,
    ];
    const critical = slotsOf(wavesOf(rebootOrderOf(machines)), new Map()).filter((slot) => slot.critical);
    expect(critical.map(({ machine: { name } }) => name).sort()).toEqual(['a', 'slow']);
  });
});

describe('the sequence', () => {
  test('is drawn on a line of time: delays, then reboots', () => {
    const shown = text(seedSnapshot);
    expect(shown).toContain(
      'if all of them reboot, about 14 min, of which the delays alone take 10 min 30 s',
    );
    expect(shown).toContain('◆ the longest chain of needs: sleeper-service → grey-area → reverse-proxy');
    expect(shown).toMatch(/grey-area .*\+1:45 .*░+█+/u);
    expect(shown).toMatch(/congenital-optimist +never/u);
  });

  test('keeps names, delays and needs on a narrow screen', () => {
    const narrow = text(seedSnapshot, [], 60);
    expect(narrow).toMatch(/grey-area .*after 30 s .*sleeper-se/u);
    expect(narrow).not.toContain('TIMELINE');
  });

  test('as a tree: below each machine those that need it', () => {
    const shown = text(seedSnapshot, [{ kind: 'sequence', tree: true, onlyMarked: false }]);
    expect(shown).toContain('✔ sleeper-service  healthy');
    expect(shown).toContain('└─ ▲ grey-area  degraded');
    expect(shown).toContain('   └─ ✖ reverse-proxy');
  });

  test('a machine with several needs stands below each of them, its dependents once', () => {
    const machines = [
      machine('a'),
      machine('b'),
      machine('c', { dependencies: ['a', 'b'] }),
      machine('d', { dependencies: ['c'] }),
    ];
    const snapshot: LabSnapshot = {
      ...seedSnapshot,
      problems: [],
      evaluation: {
        ...seedSnapshot.evaluation,
        value: { fleet: { machines, failed: [] }, discrepancies: [] },
      },
    };
    const shown = text(snapshot, [{ kind: 'sequence', tree: true, onlyMarked: false }]);
    expect(shown.match(/\? c /gu)).toHaveLength(2);
    expect(shown.match(/\? d /gu)).toHaveLength(1);
    expect(shown).toContain('(what needs it: see above)');
  });

  test('of a subset: mark some, and see how it changes', () => {
    const { press, text: screen } = opened(seedSnapshot, { columns: 120 });
    press('2', 'o');
    expect(screen()).toContain('mark machines first');
    press('j', 'space', 'o');
    expect(screen()).toContain('only the marked: 1 machine in 1 wave');
    expect(screen()).toContain(
      'needed and not among the marked: sleeper-service; they only have to be healthy',
    );
    press('o', 't');
    expect(screen()).toContain('└─');
  });
});
