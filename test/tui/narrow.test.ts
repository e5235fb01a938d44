import './fixtures/colour.ts';
import { describe, expect, test } from 'vitest';
import type { LabSnapshot } from '../../src/flow/session.ts';
import { widthOf } from '../../src/tui/draw/line.ts';
import { frameOf } from '../../src/tui/frame.ts';
import type { UiAction, View } from '../../src/tui/state/ui.ts';
import { fakeSession } from './fixtures/fake-session.ts';
import { now, seedSnapshot } from './fixtures/lab.ts';
import {
  criticalRebootSnapshot,
  doneSnapshot,
  heldSnapshot,
  liveSnapshot,
  preparingSnapshot,
  waitingSnapshot,
  withPastSnapshot,
} from './fixtures/runs.ts';
import { frameText, sceneOf } from './fixtures/scene.ts';
import { openScreen } from './fixtures/terminal.ts';

/** A telephone in one hand at two in the morning: what matters is whole, and what is hidden says so. */

const screenOf = (snapshot: LabSnapshot, columns: number, rows: number, readonly = false) =>
  openScreen(fakeSession(snapshot).session, { columns, rows, readonly });

const away: LabSnapshot = { ...seedSnapshot, awaySince: new Map([['reverse-proxy', now - 12 * 60_000]]) };

describe('the machines', () => {
  test('at 80 columns: since when one is offline, and why one needs a reboot, are whole', async () => {
    const screen = await screenOf(away, 80, 24);
    expect(screen.text()).toContain('✖ offline 12m');
    expect(screen.text()).toMatch(/kernel → 6\.12\.11 \+1$/mu);
    await screen.press('jjj');
    expect(screen.text()).toContain(
      'reboot needed: kernel 6.12.8 → 6.12.11, kernel modules 6.12.8 → 6.12.11',
    );
  });

  test.each([
    [60, 20],
    [40, 15],
  ])(
    'at %i × %i: what no column has room for stands below, of the machine under the cursor',
    async (columns, rows) => {
      const screen = await screenOf(away, columns, rows);
      await screen.press('jj');
      expect(screen.text()).toContain('state: ✖ offline since');
      expect(screen.text()).toContain('reboot needed: not known');
      expect(screen.text()).toContain('seen: 20s');
    },
  );

  test('a long table keeps its rows, and says how much more there is to a machine', async () => {
    const screen = await screenOf(seedSnapshot, 40, 12);
    await screen.press('jj');
    expect(screen.text()).toMatch(/▶ {2}reverse-proxy/u);
    expect(screen.text()).toMatch(/──\n {2}\S/u);
  });
});

describe('a live run', () => {
  test.each([
    [60, 20],
    [40, 15],
    [40, 12],
  ])(
    'at %i × %i: tells its time and what is expected, and what is waited for until when',
    async (columns, rows) => {
      const screen = await screenOf(liveSnapshot, columns, rows);
      await screen.press('3');
      expect(screen.text()).toMatch(/\d+ s of about 5 min/u);
      expect(screen.text()).toMatch(/awaiting the boot:\s+1 s, deadline in 11:59/u);
    },
  );

  test('tells the time of a machine in all against what was expected of it', async () => {
    const screen = await screenOf(liveSnapshot, 60, 20);
    await screen.press('3');
    expect(screen.text()).toContain('in all 3 s of about 77 s');
    expect(screen.text()).toMatch(/grey-area +· waiting +2 s of 3 min/u);
  });
});

describe('what a run came to', () => {
  test.each([40, 60])('at %i columns: every machine with its outcome, nothing cut', async (columns) => {
    const screen = await screenOf(doneSnapshot, columns, 60);
    await screen.press('3');
    for (const name of ['sleeper-service', 'grey-area', 'congenital-optimist'])
      expect(screen.text()).toMatch(new RegExp(`${name} {2,}(?:not touched|nothing to do)`, 'u'));
    expect(screen.text().replaceAll(/\s+/gu, ' ')).toContain(
      'reverse-proxy did not answer on port 22 within 10 s',
    );
  });
});

describe('a question', () => {
  test('at 40 × 12 is whole, and so is what it asks to type', async () => {
    const screen = await screenOf(criticalRebootSnapshot, 40, 12);
    await screen.press('3', 'a');
    expect(screen.text()).toContain('1 to reboot');
    expect(screen.text()).toContain('type sleeper-service:');
    expect(screen.text()).toContain('[▶ Cancel ]');
    expect(screen.text()).not.toContain('in a larger terminal');
  });
});

describe('the title', () => {
  test.each([waitingSnapshot, liveSnapshot, heldSnapshot])(
    'at 40 columns keeps run and age whole',
    async (snapshot) => {
      const screen = await screenOf({ ...snapshot, demo: true }, 40, 12, true);
      const [title = ''] = screen.text().split('\n');
      expect(title).toMatch(/DEMO +read-only (?:plan waits \(3\)|run on \(3\)|run held \(3\)) 20s ago$/u);
    },
  );
});

const go = (view: View): UiAction => ({ kind: 'go', view });
const texts: readonly (readonly [string, LabSnapshot, View])[] = [
  ['the plan', waitingSnapshot, { kind: 'run' }],
  ['the hold', heldSnapshot, { kind: 'run' }],
  ['the result', doneSnapshot, { kind: 'run' }],
  ['no run', seedSnapshot, { kind: 'run' }],
  ['the problems', seedSnapshot, { kind: 'problems' }],
  ['the pulse', withPastSnapshot, { kind: 'pulse' }],
  ['a machine', away, { kind: 'machine', name: 'reverse-proxy', tab: 'overview' }],
  ['its health', seedSnapshot, { kind: 'machine', name: 'grey-area', tab: 'health' }],
  ['the help', seedSnapshot, { kind: 'help' }],
];

describe('from 40 to 400 columns', () => {
  test.each(texts)('%s: nothing that is text is cut', (_, snapshot, view) => {
    for (const columns of [40, 41, 43, 47, 50, 53, 59, 60, 64, 72, 80, 93, 100, 133, 200, 400]) {
      const body = frameText(sceneOf(snapshot, [go(view)], { columns, rows: 400 }))
        .split('\n')
        .slice(2, -2);
      expect({ columns, cut: body.filter((text) => text.endsWith('…')) }).toEqual({ columns, cut: [] });
    }
  });

  test('every frame of every moment has the size of the terminal', () => {
    const moments = [away, preparingSnapshot, waitingSnapshot, liveSnapshot, heldSnapshot, doneSnapshot];
    for (const snapshot of moments)
      for (let columns = 40; columns <= 400; columns += 9)
        for (const kind of ['machines', 'sequence', 'run', 'log', 'inputs', 'history', 'pulse'] as const)
          for (const content of frameOf(sceneOf(snapshot, [go({ kind })], { columns, rows: 20 })))
            expect(widthOf(content)).toBe(columns);
  });
});
