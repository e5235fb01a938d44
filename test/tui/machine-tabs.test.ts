import { describe, expect, test } from 'vitest';
import type { LabSnapshot } from '../../src/flow/session.ts';
import type { MachineTab } from '../../src/tui/screen/machine.ts';
import type { UiAction } from '../../src/tui/state/ui.ts';
import { health, now, reachable, seedSnapshot, toplevelPath } from './fixtures/lab.ts';
import { withPastSnapshot } from './fixtures/runs.ts';
import { frameText, sceneOf } from './fixtures/scene.ts';
import { opened } from './fixtures/shell.ts';

/** One machine, tab by tab. */

const open = (tab: MachineTab, name = 'grey-area'): UiAction => ({
  kind: 'go',
  view: { kind: 'machine', name, tab },
});
const text = (
  snapshot: LabSnapshot,
  tab: MachineTab,
  options: { readonly columns?: number; readonly rows?: number; readonly ascii?: boolean } = {},
): string => frameText(sceneOf(snapshot, [open(tab)], { columns: 100, rows: 40, ...options }));

test('all tabs are named, shorter where the terminal is narrow', () => {
  expect(text(seedSnapshot, 'health')).toContain(
    ' overview [health] sequence  generations  journal  logs  metadata',
  );
  const narrow = text(seedSnapshot, 'health', { columns: 60, rows: 20 }).split('\n');
  expect(narrow.some((line) => /^ over \[health\] sequ {2}gene {2}jour {2}logs {2}meta/u.test(line))).toBe(
    true,
  );
});

describe('health', () => {
  const readings = (verdict: 'passed' | 'failed', ms: number) => [{ check: 'forge', verdict, ms }];
  const snapshot: LabSnapshot = {
    ...seedSnapshot,
    health: new Map([['grey-area', health('grey-area', 'healthy', 'all checks pass')]]),
    samples: new Map([
      [
        'grey-area',
        [
          { at: now - 120_000, verdict: 'healthy', readings: readings('passed', 10) },
          { at: now - 60_000, verdict: 'unhealthy', readings: readings('failed', 900) },
          { at: now, verdict: 'healthy', readings: readings('passed', 80) },
        ],
      ],
    ]),
  };

  test('shows how a check went over time, failures as what they are', () => {
    expect(text(snapshot, 'health')).toMatch(/▁✖▁ {2}the last 3, at most 900 ms/u);
    expect(text(snapshot, 'health')).toMatch(/verdicts +✔✖✔ {2}since/u);
  });

  test('in ASCII too', () => {
    expect(text(snapshot, 'health', { ascii: true })).toMatch(/_x_ {2}the last 3/u);
  });
});

describe('generations', () => {
  const parts = (() => {
    const seen = reachable('grey-area');
    if (seen.kind !== 'reachable') throw new Error('the fixture has changed');
    return seen.bootedParts;
  })();
  const generation = (number: number, traits: object) => ({
    number,
    toplevel: toplevelPath('grey-area', `26.11.${number}`),
    at: now - (50 - number) * 86_400_000,
    isDefault: false,
    isCurrent: false,
    isBooted: false,
    nixosVersion: `26.11.${number}`,
    parts,
    ...traits,
  });
  const value = [generation(42, { isDefault: true }), generation(41, { isCurrent: true, isBooted: true })];

  test('are listed with what each of them is', () => {
    const known = { value, at: now, refreshing: false, failure: null };
    const shown = text({ ...seedSnapshot, generations: new Map([['grey-area', known]]) }, 'generations');
    expect(shown).toMatch(/▶ 42 +next boot +2026-11-12 +8d +26\.11\.42 +6\.12\.8/u);
    expect(shown).toMatch(/41 +runs, booted/u);
    expect(shown).toContain('1 of 2 generations');
  });

  test('that cannot be read: why, and what to do', () => {
    const failure = {
      kind: 'x',
      machine: 'grey-area',
      phase: 'x',
      message: 'no answer',
      remedy: 'try again',
    };
    const known = { value: null, at: null, refreshing: false, failure };
    const shown = text({ ...seedSnapshot, generations: new Map([['grey-area', known]]) }, 'generations');
    expect(shown).toContain('✖ no answer');
    expect(shown).toContain('try again');
  });

  test('are read when the tab is opened', () => {
    const { press, lab } = opened(seedSnapshot);
    press('j', 'd', ']', ']', ']');
    expect(lab.asked.at(-1)).toBe('generations grey-area');
  });
});

test('the journal tells what past runs did to the machine', () => {
  const shown = text(withPastSnapshot, 'journal');
  expect(shown).toMatch(/✔ done|· not touched/u);
  expect(shown).toContain('by root (timer)');
  expect(text(seedSnapshot, 'journal')).toContain('being read from the journal');
});

describe('logs', () => {
  const lines = [
    '2026-11-21T02:55:01+0000 grey-area sshd[812]: Accepted publickey for root',
    '2026-11-21T02:55:02+0000 grey-area nginx[99]: \u001b[31mupstream failed\u001b[0m',
    'and a line of no known form',
  ].map((line) => ({ at: now, text: line }));
  const following: LabSnapshot = {
    ...seedSnapshot,
    logs: {
      machine: 'grey-area',
      unit: null,
      since: now,
      status: 'following',
      message: '',
      lines,
      count: 1_203,
    },
  };

  test('are followed while they are on show, and left when they are not', () => {
    const { press, lab } = opened(seedSnapshot);
    press('j', 'l');
    expect(lab.asked).toEqual(['logs grey-area']);
    press('[');
    expect(lab.asked.at(-1)).toBe('leave logs');
    press(']', 'esc');
    expect(lab.asked.slice(-2)).toEqual(['logs grey-area', 'leave logs']);
  });

  test('of one unit, by name', () => {
    const { press, type, lab } = opened(seedSnapshot);
    press(':');
    type('logs grey-area nginx.service');
    press('enter', ':');
    type('logs sshd.service');
    press('enter');
    expect(lab.asked).toEqual(['logs grey-area nginx.service', 'logs grey-area sshd.service']);
  });

  test('are shown with the newest in view, what is foreign made harmless', () => {
    const shown = text(following, 'logs');
    expect(shown).toContain('✔ following  the whole journal  1203 lines');
    expect(shown).toContain('02:55:01 sshd Accepted publickey for root');
    expect(shown).toContain('02:55:02 nginx upstream failed');
    expect(shown).toContain('and a line of no known form');
  });

  test('are searched with /, and Esc shows all again before it leads back', () => {
    const { press, type, text: screen } = opened(following);
    press('j', 'l', '/');
    type('UPSTREAM');
    press('enter');
    expect(screen()).not.toContain('Accepted publickey');
    expect(screen()).toContain('only with: UPSTREAM');
    press('esc');
    expect(screen()).toContain('Accepted publickey');
    press('/');
    type('!upstream');
    press('enter');
    expect(screen()).not.toContain('upstream failed');
    expect(screen()).toContain('and a line of no known form');
  });

  test('that ended say why', () => {
    const ended: LabSnapshot = {
      ...following,
      logs: { ...seedLogs, status: 'ended', message: 'connection closed by remote host' },
    };
    expect(text(ended, 'logs')).toContain('▲ ended: connection closed by remote host');
  });

  const seedLogs = { machine: 'grey-area', unit: null, since: now, lines: [], count: 0 } as const;
});

test('metadata ends with what was evaluated, as it came', () => {
  const shown = frameText(sceneOf(seedSnapshot, [open('metadata')], { columns: 100, rows: 90 }));
  expect(shown).toContain('"deployStrategy": "blue-green"');
});
