import './fixtures/colour.ts';
import { describe, expect, test } from 'vitest';
import type { LabSnapshot } from '../../src/flow/session.ts';
import { widthOf } from '../../src/tui/draw/line.ts';
import { frameOf } from '../../src/tui/frame.ts';
import type { UiAction } from '../../src/tui/state/ui.ts';
import type { View } from '../../src/tui/state/view.ts';
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
import { keys, openScreen } from './fixtures/terminal.ts';

/** A telephone in one hand at two in the morning: what matters is whole, and what is hidden says so. */

const screenOf = (snapshot: LabSnapshot, columns: number, rows: number, readonly = false) =>
  openScreen(fakeSession(snapshot).session, { columns, rows, readonly });

const away: LabSnapshot = { ...seedSnapshot, awaySince: new Map([['reverse-proxy', now - 12 * 60_000]]) };

describe('the machines', () => {
  test('at 80 columns: since when one is offline, and why one needs a reboot, are whole', async () => {
    const screen = await screenOf(away, 80, 24);
    expect(screen.text()).toContain('✖ offline 12m');
    expect(screen.text()).toMatch(/kernel → 6\.12\.11 \+1$/mu);
    const fresh = await screenOf({ ...seedSnapshot, awaySince: new Map([['reverse-proxy', now]]) }, 80, 24);
    expect(fresh.text()).not.toContain('for now');
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

describe('what is said', () => {
  test('and is longer than a line takes that of the hints, until the next key', async () => {
    const screen = await screenOf(liveSnapshot, 40, 12);
    await screen.press('3', '\u000b');
    expect(screen.text().replaceAll(/\s+/gu, ' ')).toContain('x stops a run, in its view (3)');
    await screen.press('j');
    expect(screen.text()).toContain('? help');
  });

  test('about a pasted name is gone with the next key', async () => {
    const screen = await screenOf(criticalRebootSnapshot, 80, 24);
    await screen.press('3', 'a', '\u001b[200~sleeper-service\u001b[201~');
    expect(screen.text()).toContain('a pasted name proves nothing');
    await screen.press('s');
    expect(screen.text()).not.toContain('a pasted name proves nothing');
  });
});

test('a run that is paused is not told as running', async () => {
  const { run } = liveSnapshot;
  const paused: LabSnapshot = { ...liveSnapshot, run: run === null ? null : { ...run, pausedBy: 'ana' } };
  const screen = await screenOf(paused, 60, 20);
  await screen.press('3');
  expect(screen.text()).toContain('Paused: full run');
  expect(screen.text()).toContain('paused by ana: no step begins; z goes on');
});

test('at 60 columns the hints of a run that has ended name a new one before anything else is lost', async () => {
  const screen = await screenOf(doneSnapshot, 60, 20);
  await screen.press('3');
  expect(screen.text().split('\n').at(-1)).toMatch(/r run {2}x put away/u);
});

test('a plan shows what is done before what is left alone', async () => {
  const screen = await screenOf(waitingSnapshot, 60, 40);
  await screen.press('3');
  expect(screen.text()).not.toContain('Nothing to do');
  await screen.press('G');
  expect(screen.text()).toMatch(/Nothing to do\n {3}✔ congenital-optimist\n {5}because/u);
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

test('a window of one cell is survived, and the next size shows everything again', async () => {
  const screen = await screenOf(preparingSnapshot, 60, 20);
  await screen.press('3');
  for (const [columns, rows] of [
    [1, 1],
    [2, 30],
    [23, 5],
    [60, 20],
  ] as const)
    await screen.resize(columns, rows);
  expect(screen.text()).toContain('12/40');
});

test('the sequence at 40 × 15 leaves its rows the room', async () => {
  const screen = await screenOf(seedSnapshot, 40, 15);
  await screen.press('2');
  expect(screen.text()).toMatch(/\d machines in \d waves?, at most ~/u);
  for (const name of ['sleeper-service', 'grey-area', 'reverse-proxy'])
    expect(screen.text()).toContain(name.slice(0, 12));
});

test('the history at 40 columns tells what its columns have no room for', async () => {
  const screen = await screenOf(withPastSnapshot, 40, 15);
  await screen.press('7');
  expect(screen.text()).toMatch(/machines: 1 failed/u);
  expect(screen.text()).toContain('reason: sleeper-service is critical');
});

test('the palette at 40 columns says in full what the chosen entry does', async () => {
  const screen = await screenOf(seedSnapshot, 40, 15);
  await screen.press('\u0010', 'reboot');
  expect(screen.text().replaceAll(/[\s│]+/gu, ' ')).toContain(
    'reboot the marked machines, or the one under the cursor',
  );
});

test('the history does not deny the run that is under way', async () => {
  const screen = await screenOf({ ...liveSnapshot, past: [] }, 60, 20);
  await screen.press('7');
  expect(screen.text()).toContain('3 shows the one under way');
});

test('the bars of a preparation have the room, the log what they leave', async () => {
  const screen = await screenOf(preparingSnapshot, 40, 12);
  await screen.press('3');
  expect(screen.text()).toContain('12/40');
});

test('the pulse at 40 × 15 begins with who is not well', () => {
  const shown = frameText(sceneOf(withPastSnapshot, [go({ kind: 'pulse' })], { columns: 40, rows: 15 }));
  expect(shown).toContain('1 offline  1 degraded');
  expect(shown).toContain('reverse-proxy: offline');
});

describe('what can follow a colon', () => {
  test('is walked with Tab at 40 columns, to its end and round again, and back', async () => {
    const screen = await screenOf(seedSnapshot, 40, 12);
    await screen.press(':', 'sort-', keys.tab);
    expect(screen.text()).toContain(' :sort-debt█');
    const seen = ['sort-debt'];
    for (let press = 0; press < 20; press += 1) {
      await screen.press(keys.tab);
      seen.push(/:(sort-\S+)█/u.exec(screen.text())?.[1] ?? 'none');
      expect(screen.text()).toContain(`[${seen.at(-1)}]`);
      if (seen.at(-1) === 'sort-debt') break;
    }
    expect(new Set(seen).size).toBe(13);
    await screen.press('\u001b[Z');
    expect(screen.text()).toContain(' :sort-uptime█');
    await screen.press(keys.enter);
    expect(screen.text()).toContain('[1 Machines]');
  });

  test('says how much there is beyond the line, and what a clear name would do', async () => {
    const screen = await screenOf(seedSnapshot, 40, 12);
    await screen.press(':');
    expect(screen.text()).toMatch(/ \+\d+: Tab$/u);
    await screen.press('seq');
    expect(screen.text()).toContain('the reboot sequence as waves');
  });
});

describe('the help', () => {
  test('is searched: what does not hold the text goes, Esc brings it back', async () => {
    const screen = await screenOf(seedSnapshot, 60, 20);
    await screen.press('?', '/', 'journal', keys.enter);
    expect(screen.text()).toContain(':logs');
    expect(screen.text()).not.toContain(':machines');
    await screen.press(keys.esc);
    expect(screen.text()).toContain('HERE');
  });

  test('names the places in the order of their digits', () => {
    const shown = frameText(sceneOf(seedSnapshot, [go({ kind: 'help' })], { columns: 80, rows: 200 }));
    const digits = [...shown.matchAll(/^ {2}([1-8])(?: @)? +:/gmu)].map(([, digit]) => digit);
    expect(digits).toEqual(['1', '2', '3', '4', '5', '6', '7', '8']);
  });
});
