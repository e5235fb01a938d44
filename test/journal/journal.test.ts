import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { JournalFailure } from '../../src/journal/journal.ts';
import { openJournal } from '../../src/journal/sqlite.ts';
import type { EventBody } from '../../src/run/event.ts';

let directory = '';
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'lab-journal-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const run = '20261120-234101-3fa9';
const other = '20261121-040000-0001';
const started: EventBody = {
  kind: 'run-started',
  goal: { kind: 'run', update: true },
  flake: '/etc/nixos',
  selectors: [],
  by: { user: 'amy', host: 'desk', pid: 1, via: 'cli' },
  labVersion: '0.1.0',
  opened: { cwd: '/', overrideInputs: [], nixOptions: [], sshConfig: null },
};
const noted = (note: string): EventBody => ({ kind: 'preparation-noted', work: 'build', note });

const withDatabase = (act: (db: DatabaseSync) => void): void => {
  const db = new DatabaseSync(join(directory, 'journal.db'));
  try {
    act(db);
  } finally {
    db.close();
  }
};

describe('the journal', () => {
  test('keeps what was appended, numbered and dated, over a reopening', () => {
    let now = 1_000;
    const first = openJournal(directory, () => now);
    expect(first.append(run, started)).toEqual({ seq: 1, at: 1_000, run, body: started });
    now = 2_000;
    first.append(other, started);
    first.append(run, noted('half way'));
    first.close();

    const again = openJournal(directory, () => now);
    expect(again.eventsOf(run).map(({ seq, at }) => [seq, at])).toEqual([
      [1, 1_000],
      [3, 2_000],
    ]);
    expect(again.eventsOf(run, 1).map(({ seq }) => seq)).toEqual([3]);
    expect(again.runs(10).map((summary) => summary.run)).toEqual([other, run]);
    again.close();
  });

  test('tail gives the last events, oldest of them first', () => {
    const journal = openJournal(directory, () => 5);
    journal.append(run, started);
    for (let index = 0; index < 9; index += 1) journal.append(run, noted(`note ${index}`));
    expect(journal.tail(3).map(({ seq }) => seq)).toEqual([8, 9, 10]);
    expect(journal.after(7, 2).map(({ seq }) => seq)).toEqual([8, 9]);
    journal.close();
  });

  test('syncs every append to disk and lets readers in beside the writer', () => {
    const journal = openJournal(directory, () => 5);
    journal.append(run, started);
    withDatabase((db) => expect(db.prepare('PRAGMA journal_mode').get()).toEqual({ journal_mode: 'wal' }));
    const reader = openJournal(directory, () => 6);
    expect(reader.tail(1)).toHaveLength(1);
    journal.append(run, noted('while a reader is open'));
    expect(reader.tail(5)).toHaveLength(2);
    reader.close();
    journal.close();
  });

  test('forgets the oldest runs when a new one starts, so that it stays bounded', () => {
    const journal = openJournal(directory, () => 5);
    const id = (index: number): string => `20261120-234101-${index.toString(16).padStart(4, '0')}`;
    for (let index = 0; index < 505; index += 1) journal.append(id(index), started);
    const kept = journal.runs(1_000);
    expect(kept).toHaveLength(500);
    expect(kept[0]?.run).toBe(id(504));
    expect(kept.at(-1)?.run).toBe(id(5));
    journal.close();
  });

  test('refuses a record that it cannot read, naming it, instead of leaving it out', () => {
    openJournal(directory, () => 5).close();
    withDatabase((db) =>
      db.exec(`INSERT INTO events (at, run, body) VALUES (5, '${run}', '{"kind":"from-the-future"}')`),
    );
    const journal = openJournal(directory, () => 5);
    expect(() => journal.tail(1)).toThrow(/event 1/u);
    journal.close();
  });

  test('refuses the journal of a newer lab', () => {
    openJournal(directory, () => 5).close();
    withDatabase((db) => db.exec('PRAGMA user_version = 99'));
    expect(() => openJournal(directory, () => 5)).toThrow(/newer lab \(schema 99/u);
  });

  test('takes over a journal from before runs were listed', () => {
    const journal = openJournal(directory, () => 5);
    journal.append(run, started);
    journal.append(other, started);
    journal.close();
    withDatabase((db) => db.exec('DROP TABLE runs; PRAGMA user_version = 1'));
    const later = openJournal(directory, () => 6);
    expect(later.runs(10).map((summary) => summary.run)).toEqual([other, run]);
    later.append(run, noted('still goes'));
    later.close();
  });

  test('takes over a journal from before machines were skipped, with what was asked and not heard', () => {
    const journal = openJournal(directory, () => 5);
    journal.append(run, started);
    journal.close();
    withDatabase((db) =>
      db.exec(`DROP TABLE controls;
        CREATE TABLE controls (id INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, run TEXT NOT NULL,
          kind TEXT NOT NULL CHECK (kind IN ('approve', 'decline', 'stop', 'abort', 'pause', 'unpause')),
          by TEXT NOT NULL) STRICT;
        INSERT INTO controls (id, at, run, kind, by) VALUES (7, 5, '${run}', 'pause', 'amy (cli)');
        PRAGMA user_version = 2`),
    );
    const later = openJournal(directory, () => 6);
    later.ask(run, 'skip', 'amy (cli)', 'nas');
    expect(later.asked(run, 0)).toEqual([
      { id: 7, at: 5, run, kind: 'pause', by: 'amy (cli)', machine: null },
      { id: 8, at: 6, run, kind: 'skip', by: 'amy (cli)', machine: 'nas' },
    ]);
    later.close();
  });

  test('a table that is missing is a failure that says what to do', () => {
    openJournal(directory, () => 5).close();
    withDatabase((db) => db.exec('DROP TABLE controls'));
    expect(() => openJournal(directory, () => 5)).toThrow(JournalFailure);
  });

  test('a file that is no database is an error that says what to do, and stays untouched', () => {
    writeFileSync(
      join(directory, 'journal.db'),
      'this is no database, whatever its name says, and long enough to tell\n'.repeat(20),
    );
    const failure = (() => {
      try {
        openJournal(directory, () => 5);
        return null;
      } catch (error) {
        return error;
      }
    })();
    expect(failure).toBeInstanceOf(JournalFailure);
    expect(failure).toMatchObject({ remedy: expect.stringMatching(/^move .* away/u) });
  });

  test('a file that was cut short is damaged, at whatever length, and is left as it is', () => {
    const journal = openJournal(directory, () => 5);
    journal.append(run, started);
    for (let index = 0; index < 40; index += 1) journal.append(run, noted('x'.repeat(4_000)));
    journal.close();
    const path = join(directory, 'journal.db');
    const whole = readFileSync(path);
    for (const length of [1, 99, 100, 4_095, 4_096, 8_192, 20_000, whole.length - 4_096, whole.length - 1]) {
      writeFileSync(path, whole.subarray(0, length));
      const failure = (() => {
        try {
          const cut = openJournal(directory, () => 5);
          try {
            cut.eventsOf(run);
            cut.append(run, noted('more'));
            return null;
          } finally {
            cut.close();
          }
        } catch (error) {
          return error;
        }
      })();
      expect(failure, `cut to ${length} bytes`).toBeInstanceOf(JournalFailure);
      expect((failure as JournalFailure).remedy, `cut to ${length} bytes`).toMatch(/^move .* away/u);
    }
  });

  test('refuses to write what it could not read back', () => {
    const journal = openJournal(directory, () => 5);
    expect(() => journal.append(run, { kind: 'step-intended', step: 'x'.repeat(100_000) })).toThrow();
    expect(journal.tail(10)).toEqual([]);
    journal.close();
  });
});
