import { describe, expect, test } from 'vitest';
import type { LabSnapshot } from '../../../src/flow/session.ts';
import { makePen } from '../../../src/tui/draw/pen.ts';
import { arrange, type Sort, sortColumns } from '../../../src/tui/screen/arrange.ts';
import { type MachineRow, machineRows, type RowMemory } from '../../../src/tui/screen/machine-row.ts';
import { emptySnapshot, health, now, reachable, seedSnapshot } from '../fixtures/lab.ts';
import { liveSnapshot, withPastSnapshot } from '../fixtures/runs.ts';

const pen = makePen(false);
const rowOf = (snapshot: LabSnapshot, name: string): MachineRow => {
  const row = machineRows(snapshot, pen).find((candidate) => candidate.name === name);
  if (row === undefined) throw new Error(`no row for ${name}`);
  return row;
};
const seed = (name: string): MachineRow => rowOf(seedSnapshot, name);

describe('the state of a machine', () => {
  test('every machine has a row, the one that could not be evaluated with its cause', () => {
    expect(machineRows(seedSnapshot, pen).map(({ name }) => name)).toEqual([
      'congenital-optimist',
      'grey-area',
      'reverse-proxy',
      'sleeper-service',
      'what-are-the-civilian-applications',
    ]);
    expect(seed('what-are-the-civilian-applications')).toMatchObject({
      state: { text: 'not evaluated', tone: 'bad' },
      drift: { text: 'The option `services.nginx.enabel` does not exist' },
    });
  });

  test('is a word and a sign, never a colour alone', () => {
    expect(seed('congenital-optimist').state).toMatchObject({ glyph: '✔', text: 'healthy' });
    expect(seed('grey-area').state).toMatchObject({ glyph: '▲', text: 'degraded' });
    expect(seed('reverse-proxy').state).toMatchObject({ glyph: '✖', text: 'offline' });
  });

  test('is never healthy where nothing was seen', () => {
    const blind: LabSnapshot = { ...seedSnapshot, observations: new Map(), health: new Map() };
    for (const row of machineRows(blind, pen)) expect(row.state.tone).not.toBe('good');
    expect(rowOf(blind, 'grey-area').state.text).toBe('not seen');
  });

  test('an old verdict does not cover a machine that no longer answers', () => {
    const report = health('reverse-proxy', 'healthy', 'all checks pass');
    const snapshot = { ...seedSnapshot, health: new Map([['reverse-proxy', report]]) };
    expect(rowOf(snapshot, 'reverse-proxy').state.text).toBe('offline');
  });

  test('away since when is known from the first look that did not reach it', () => {
    const since = now - 3_600_000;
    const snapshot = { ...seedSnapshot, awaySince: new Map([['reverse-proxy', since]]) };
    expect(rowOf(snapshot, 'reverse-proxy').state.since).toBe(since);
  });

  test('a row is the same as long as nothing it is made of has changed', () => {
    const memory: RowMemory = new Map();
    const before = machineRows(seedSnapshot, pen, memory);
    const observations = new Map(seedSnapshot.observations).set('grey-area', reachable('grey-area'));
    const after = machineRows({ ...seedSnapshot, observations, messages: [] }, pen, memory);
    const same = before.map((row, index) => row === after[index]);
    // Failed machines have next to nothing to remember.
    expect(same.slice(0, 4)).toEqual([true, false, true, true]);
  });

  test('tells a machine that refuses from one that is away', () => {
    const away = seedSnapshot.observations.get('reverse-proxy');
    if (away?.kind !== 'unreachable') throw new Error('the fixture has changed');
    const refused = { ...away, error: { ...away.error, kind: 'hostkey-mismatch' as const } };
    const row = rowOf(
      { ...seedSnapshot, observations: new Map([['reverse-proxy', refused]]) },
      'reverse-proxy',
    );
    expect([row.state.text, row.ssh.text]).toEqual(['no access', 'host key changed']);
  });

  test('is what the run does to it while one is under way', () => {
    expect(rowOf(liveSnapshot, 'sleeper-service').state).toMatchObject({ text: 'rebooting', tone: 'busy' });
    expect(rowOf(liveSnapshot, 'grey-area').state.text).toBe('degraded');
  });
});

describe('drift and reboot', () => {
  test('say what differs, in words', () => {
    expect(seed('congenital-optimist').drift.text).toBe('in sync');
    expect(seed('grey-area').drift.text).toBe('flake ≠ running');
    expect(seed('sleeper-service').drift.text).toBe('running ≠ booted');
  });

  test('a reboot is needed for a reason, or will be after the deploy', () => {
    expect(seed('sleeper-service').reboot).toMatchObject({ needed: true });
    expect(seed('sleeper-service').reboot.text).toContain('kernel 6.12.8 → 6.12.11');
    expect(seed('grey-area').reboot).toMatchObject({ needed: false });
    expect(seed('grey-area').reboot.text).toContain('after deploy: kernel 6.12.8 → 6.12.11');
    expect(seed('congenital-optimist').reboot.text).toBe('no');
  });

  test('what was not compared is not called in sync', () => {
    const snapshot = { ...seedSnapshot, toplevels: new Map() };
    expect(rowOf(snapshot, 'congenital-optimist').drift.text).toBe('not compared');
  });

  test('what could not be read is not called no', () => {
    const gone = { kernel: null, initrd: null, modules: null, params: null, systemd: null };
    const seen = reachable('congenital-optimist', { profileParts: gone });
    const snapshot = {
      ...seedSnapshot,
      observations: new Map([['congenital-optimist', seen]]),
      toplevels: new Map(),
    };
    expect(rowOf(snapshot, 'congenital-optimist').reboot.text).toContain('not known: kernel');
  });
});

describe('filter and order', () => {
  const rows = machineRows(seedSnapshot, pen);
  const byName: Sort = { by: 'name', reversed: false };
  const shown = (filter: string, sort: Sort = byName): readonly string[] =>
    arrange(rows, filter, sort).map(({ name }) => name);

  test('words are looked for in everything that is shown', () => {
    expect(shown('grey')).toEqual(['grey-area']);
    expect(shown('OFFLINE')).toEqual(['reverse-proxy']);
    expect(shown('kernel after')).toEqual(['grey-area']);
  });

  test('@group and role: look there alone', () => {
    expect(shown('@infra')).toEqual(['grey-area', 'sleeper-service']);
    expect(shown('role:nas')).toEqual(['sleeper-service']);
  });

  test('! shows what does not match', () => {
    expect(shown('!@infra')).toEqual([
      'congenital-optimist',
      'reverse-proxy',
      'what-are-the-civilian-applications',
    ]);
    expect(shown('!')).toHaveLength(5);
  });

  test('by state the worst comes first, and turned round last', () => {
    expect(shown('', { by: 'state', reversed: false }).slice(0, 2)).toEqual([
      'what-are-the-civilian-applications',
      'reverse-proxy',
    ]);
    expect(shown('', { by: 'state', reversed: true }).at(-1)).toBe('what-are-the-civilian-applications');
  });

  test('by reboot those that need one come first', () => {
    expect(shown('', { by: 'reboot', reversed: false })[0]).toBe('sleeper-service');
  });

  test('~ finds a name by some of its letters', () => {
    expect(shown('~grar')).toEqual(['grey-area']);
    expect(shown('~slpsrv')).toEqual(['sleeper-service']);
    expect(shown('!~grar')).not.toContain('grey-area');
  });

  test('every column gives an order, which turned round is the other way round', () => {
    const all = machineRows(withPastSnapshot, pen);
    for (const by of sortColumns) {
      const [there, back] = [false, true].map((reversed) =>
        arrange(all, '', { by, reversed }).map(({ name }) => name),
      );
      expect({ by, size: there?.length }).toEqual({ by, size: 5 });
      if (by === 'name') expect(there).toEqual(back?.toReversed());
    }
  });

  test('by last run failures come first, and what took part in none last', () => {
    const all = machineRows(withPastSnapshot, pen);
    const order = arrange(all, '', { by: 'last-run', reversed: false });
    expect(order[0]?.name).toBe('sleeper-service');
    expect(order[0]?.lastRun?.cell).toEqual({ text: '✖ failed', tone: 'bad' });
  });

  test('there is nothing to arrange before the flake is evaluated', () => {
    expect(machineRows(emptySnapshot, pen)).toEqual([]);
  });
});
