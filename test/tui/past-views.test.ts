import { describe, expect, test } from 'vitest';
import type { LabSnapshot } from '../../src/flow/session.ts';
import { noPast } from '../../src/plan/past.ts';
import { stateAfter, turnsOf } from '../../src/tui/screen/replay.ts';
import type { View } from '../../src/tui/state/view.ts';
import { now, seedSnapshot } from './fixtures/lab.ts';
import { heldSnapshot, lockChange, pastRuns, runId, withPastSnapshot } from './fixtures/runs.ts';
import { frameText, sceneOf } from './fixtures/scene.ts';
import { opened } from './fixtures/shell.ts';

/** Past runs, the inputs of flake.lock, and the pulse of the lab. */

const sizes = [
  { columns: 80, rows: 24 },
  { columns: 120, rows: 40 },
  { columns: 60, rows: 20 },
] as const;
const text = (
  snapshot: LabSnapshot,
  view: View,
  size: { columns: number; rows: number } = sizes[1],
): string => frameText(sceneOf(snapshot, [{ kind: 'go', view }], size));

describe('the history', () => {
  test('lists runs with how they ended, how long they took and what became of the machines', () => {
    const shown = text(withPastSnapshot, { kind: 'history' });
    expect(shown).toMatch(/▶ 2026-11-20 \d\d:\d\d +\S+ +✖ held +full run +19 s +1 failed/u);
    expect(shown).toMatch(/2d +✔ done +full run +21 min/u);
    expect(text(withPastSnapshot, { kind: 'history' }, { columns: 160, rows: 20 })).toContain('root (timer)');
    expect(shown).toContain('1 of 2 runs');
  });

  test.each(sizes)('keeps when and how at $columns × $rows', (size) => {
    const shown = text(withPastSnapshot, { kind: 'history' }, size);
    expect(shown).toContain('✖ held');
    expect(shown).toContain('RESULT');
  });

  test('that is empty says how to begin', () => {
    expect(text({ ...seedSnapshot, past: [] }, { kind: 'history' })).toContain('no run yet');
  });
});

describe('a replay', () => {
  const opening: LabSnapshot = {
    ...withPastSnapshot,
    opened: { run: runId, events: heldSnapshot.events, problem: null },
  };
  const { events } = heldSnapshot;

  test('is opened from the history, and read then', () => {
    const { press, lab, text: screen } = opened(withPastSnapshot);
    press('7', 'enter');
    expect(lab.asked).toEqual([`open ${runId}`]);
    expect(screen()).toContain('[7 History]');
    expect(screen()).toContain(`› ${runId}`);
    lab.show({ opened: opening.opened });
    expect(screen()).toContain(`${events.length} of ${events.length}`);
    expect(screen()).toContain('WHAT HAPPENED');
  });

  test('goes through the events, one by one and from decision to decision', () => {
    const { press, text: screen } = opened(opening);
    press('7', 'enter', '{');
    expect(screen()).toContain(`1 of ${events.length}`);
    expect(screen()).toContain('Preparing: full run');
    press('right', 'right', 'left');
    expect(screen()).toContain(`2 of ${events.length}`);
    press(']');
    expect(screen()).toContain('Plan: full run');
    press(']');
    expect(screen()).toContain('Running: full run');
    press('}');
    expect(screen()).toContain('Run held: needs you');
    press('right');
    expect(screen()).toContain(`${events.length} of ${events.length}`);
    press('esc');
    expect(screen()).toContain('1 of 2 runs');
  });

  test('shows at every event what the fold of those events is', () => {
    for (let count = 1; count <= events.length; count += 1)
      expect(stateAfter(events, count)?.lastSeq).toBe(events[count - 1]?.seq);
    // Backwards too: what is kept along the way must not change the answer.
    for (let count = events.length; count >= 1; count -= 1)
      expect(stateAfter(events, count)?.lastSeq).toBe(events[count - 1]?.seq);
    expect(turnsOf(events).every((turn) => turn >= 1 && turn <= events.length)).toBe(true);
  });

  test('of a run that cannot be read says why', () => {
    const broken = { run: runId, events: [], problem: 'the journal is damaged' };
    expect(text({ ...withPastSnapshot, opened: broken }, { kind: 'replay', run: runId })).toContain(
      '✖ the journal is damaged',
    );
  });
});

describe('the inputs', () => {
  const known: LabSnapshot = {
    ...seedSnapshot,
    inputs: {
      value: [
        {
          input: 'agenix',
          locked: {
            url: 'github:ryantm/agenix',
            rev: 'aaaaaaaa11111111',
            lastModified: now - 190 * 86_400_000,
          },
        },
        {
          input: 'nixpkgs',
          locked: {
            url: 'github:NixOS/nixpkgs',
            rev: '1111111122222222',
            lastModified: now - 19 * 86_400_000,
          },
        },
      ],
      at: now,
      refreshing: false,
      failure: null,
    },
  };
  const previewed: LabSnapshot = {
    ...known,
    inputsPreview: {
      inputs: [],
      value: { changes: [lockChange], notAsked: [], remark: null },
      at: now,
      refreshing: false,
      failure: null,
    },
  };

  test('are listed with age and revision', () => {
    const shown = text(known, { kind: 'inputs' });
    expect(shown).toMatch(/▶ agenix +190d +2026-05-14 +aaaaaaaa +github:ryantm\/agenix/u);
    expect(shown).toMatch(/nixpkgs +19d/u);
    expect(text(known, { kind: 'inputs' }, sizes[2])).toMatch(/nixpkgs +19d .*11111111/u);
  });

  test('one is asked for, the difference shown, and moved only after that', () => {
    const { press, lab, text: screen } = opened(known);
    press('6', 'enter');
    expect(screen()).toContain('ask first what would move');
    press('j', 'space');
    expect(lab.asked).toEqual(['read inputs', 'preview nixpkgs']);
    lab.show({ inputsPreview: previewed.inputsPreview });
    expect(screen()).toMatch(/nixpkgs .*33333333 \(2026-11-19\)/u);
    press('enter');
    expect(screen()).toContain('[▶ Cancel ]');
    press('enter');
    expect(lab.asked).toHaveLength(2);
    press('enter', 'tab', 'enter');
    expect(lab.asked.at(-1)).toBe('update all');
  });

  test('are not moved read-only', () => {
    const { press, lab, text: screen } = opened(previewed, { readonly: true });
    press('6');
    expect(screen()).toContain('1 input would move');
    expect(screen()).not.toContain('Enter moves');
    press('enter');
    expect(screen()).toContain('read-only');
    expect(lab.asked).toEqual(['read inputs']);
  });

  test('that cannot be read say why', () => {
    const failure = {
      kind: 'x',
      machine: null,
      phase: 'x',
      message: 'no flake.lock here',
      remedy: 'lab update',
    };
    const shown = text(
      { ...known, inputs: { value: null, at: null, refreshing: false, failure } },
      { kind: 'inputs' },
    );
    expect(shown).toContain('✖ no flake.lock here');
  });
});

describe('the pulse', () => {
  test.each(sizes)('tells of the whole lab at $columns × $rows', (size) => {
    const shown = text({ ...withPastSnapshot, nextScheduled: now + 3_600_000 }, { kind: 'pulse' }, size);
    expect(shown).toMatch(size.rows > 30 ? /healthy +2 +█+/u : /2 healthy/u);
    expect(shown).toContain('reverse-proxy: offline');
    expect(shown).toMatch(/last run +held/u);
  });

  test('names what is owed, scheduled and wrong', () => {
    const debt = {
      machine: 'reverse-proxy',
      run: runId,
      at: now - 86_400_000,
      runs: 1,
      deploy: { toplevel: null },
      reboot: null,
      why: 'it did not answer',
    };
    const shown = text(
      {
        ...withPastSnapshot,
        nextScheduled: now + 3_600_000,
        recalled: { ...noPast, debts: new Map([['reverse-proxy', debt]]) },
      },
      { kind: 'pulse' },
      { columns: 120, rows: 60 },
    );
    expect(shown).toContain('in 60 min');
    expect(shown).toContain('▲ reverse-proxy: deploy, since 1d ago: it did not answer');
    expect(shown).toMatch(/✖ reverse-proxy: offline/u);
    expect(shown).toContain('hosts/old-laptop has no nixosConfigurations.old-laptop');
  });

  test('of a lab that nothing is known of yet says so', () => {
    const blind = { ...seedSnapshot, evaluation: { ...seedSnapshot.evaluation, value: null } };
    expect(text(blind, { kind: 'pulse' })).toContain('evaluating the flake');
  });
});

test('the runs of the fixtures are what the journal would tell', () => {
  expect(pastRuns.map(({ result }) => result)).toEqual(['held', 'done']);
});
