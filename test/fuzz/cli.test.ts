import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { joinPairs } from '../../src/cli/options.ts';
import { nearest, selectMachines } from '../../src/fleet/selector.ts';
import { JournalFailure } from '../../src/journal/journal.ts';
import { openJournal } from '../../src/journal/sqlite.ts';
import type { RunEvent } from '../../src/run/event.ts';
import { ImpossibleHistory, replay } from '../../src/run/state.ts';
import 'node-cron'; // loaded here already: the virtual clock does not wait for files
import { createStage, exampleMachines } from '../cli/stage.ts';
import { damaged, expectCalm, hostileText, hostileWord, hugeTexts, soon, timeBoxed } from './hostile.ts';

/** The command line under any words, and the journal under any rows. */

process.env.TZ = 'UTC';

const knownExits: ReadonlySet<number> = new Set([0, 1, 2, 3, 4, 5, 7, 130]);
const fleet = { machines: exampleMachines, failed: [] };

describe('selectors', () => {
  const selector = fc.oneof(
    hostileWord,
    fc
      .array(fc.constantFrom('grey-area', '*', '?', '@backend', 'role:nas', '!', ',', 'a', '[', '.', '\\'), {
        maxLength: 8,
      })
      .map((parts) => parts.join('')),
  );
  test('of any form choose machines that are there, or say what is wrong', () => {
    const names = exampleMachines.map(({ name }) => name);
    fc.assert(
      fc.property(fc.array(selector, { maxLength: 4 }), (selectors) => {
        const chosen = selectMachines(fleet, selectors);
        if (!chosen.ok) return expectCalm([chosen.failure.message, chosen.failure.remedy]);
        for (const name of chosen.value) expect(names).toContain(name);
      }),
      timeBoxed(5_000),
    );
  });
  test('that are long, or full of wildcards, are answered soon', async () => {
    const long = { ...exampleMachines[0], name: 'a'.repeat(63) };
    const machines = [...exampleMachines, long as (typeof exampleMachines)[number]];
    for (const glob of ['*a'.repeat(30), `${'*a'.repeat(30)}b`, `${'?*'.repeat(200)}b`, '*'.repeat(4_000)])
      await soon(glob.slice(0, 20), () => selectMachines({ machines, failed: [] }, [glob]));
    for (const [name, huge] of hugeTexts) {
      await soon(name, () => selectMachines(fleet, [huge]));
      await soon(name, () => nearest(huge, ['grey-area']));
    }
  });
});

describe('words on the command line', () => {
  const word = fc.oneof(
    {
      weight: 5,
      arbitrary: fc.constantFrom(
        ...['run', 'plan', 'status', 'machines', 'check', 'health', 'reboot-sequence', 'update', 'deploy'],
        ...['deploy-all', 'reboot', 'attach', 'stop', 'abort', 'pause', 'resume', 'journal', 'ssh', 'help'],
        ...['--json', '--yes', '--dry-run', '--no-update', '--help', '--version', '--runs', '--report'],
        ...['--lines', '--run', '--mode', '--flake', '--override-input', '--nix-option', '--confirm', '--'],
        ...['--format', '--via', '--wanted', '--needed', 'grey-area', '*', '@backend', '!laptop', '0', '-1'],
      ),
    },
    { weight: 2, arbitrary: hostileWord },
  );
  test('end in an exit code that has a meaning, and in output that no terminal obeys', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(word, { maxLength: 6 }), async (words) => {
        // What stays and waits is no matter of words.
        if (words.includes('--follow') || words.includes('daemon')) return;
        const stage = createStage({ machines: exampleMachines });
        const { out, err, exitCode } = await stage.run(...words);
        expect(knownExits).toContain(exitCode);
        expectCalm(`${out}${err}`.split('\n'));
      }),
      timeBoxed(600),
    );
  });
  test('are joined in pairs without losing any', () => {
    fc.assert(
      fc.property(fc.array(word, { maxLength: 8 }), (words) => {
        const joined = joinPairs(words);
        expect(joined.join('').replaceAll('=', '')).toBe(words.join('').replaceAll('=', ''));
      }),
      timeBoxed(3_000),
    );
  });
});

describe('rows of the journal', () => {
  let directory = '';
  let bodies: readonly string[] = [];
  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'lab-fuzz-journal-'));
    const stage = createStage({ machines: exampleMachines, wants: { 'grey-area': '6.12.11' } });
    await stage.run('run', '--yes', '--no-update');
    bodies = stage.journal.tail(1_000).map(({ body }) => JSON.stringify(body));
    openJournal(directory, () => 5).close();
  });
  afterAll(() => rmSync(directory, { recursive: true, force: true }));
  const run = '20261120-234101-3fa9';

  test('of any content are read, or refused with the number of the row', () => {
    const db = new DatabaseSync(join(directory, 'journal.db'));
    const journal = openJournal(directory, () => 5);
    const row = fc.oneof(
      { weight: 4, arbitrary: fc.nat().map((index) => bodies[index % bodies.length] ?? '') },
      {
        weight: 2,
        arbitrary: fc.nat().chain((index) => damaged(bodies[index % bodies.length] ?? '')),
      },
      { weight: 1, arbitrary: fc.json() },
      { weight: 1, arbitrary: hostileText() },
    );
    const read = (): readonly RunEvent[] => {
      try {
        return journal.eventsOf(run);
      } catch (error) {
        if (!(error instanceof JournalFailure)) throw error;
        expect(error.message).toMatch(/event \d+/u);
        return [];
      }
    };
    fc.assert(
      fc.property(fc.array(row, { maxLength: 12 }), (rows) => {
        db.exec('DELETE FROM events');
        const insert = db.prepare('INSERT INTO events (at, run, body) VALUES (5, ?, ?)');
        for (const body of rows) insert.run(run, body);
        const events = read();
        try {
          // Any prefix too: a record ends wherever its process did.
          for (let length = 0; length <= events.length; length += 1) replay(events.slice(0, length));
        } catch (error) {
          expect(error).toBeInstanceOf(ImpossibleHistory);
        }
      }),
      timeBoxed(800),
    );
    journal.close();
    db.close();
  });

  test('of 10 MB are read or refused soon', async () => {
    const db = new DatabaseSync(join(directory, 'journal.db'));
    const journal = openJournal(directory, () => 5);
    for (const [name, huge] of hugeTexts) {
      db.exec('DELETE FROM events');
      const text = JSON.stringify({ kind: 'preparation-noted', work: 'build', note: huge.toWellFormed() });
      db.prepare('INSERT INTO events (at, run, body) VALUES (5, ?, ?)').run(run, text);
      await soon(name, () => expect(() => journal.eventsOf(run)).toThrow(JournalFailure));
    }
    journal.close();
    db.close();
  });
});
