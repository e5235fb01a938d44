import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import { recallPast } from '../../src/flow/recall.ts';
import type { Journal } from '../../src/journal/journal.ts';
import { openJournal } from '../../src/journal/sqlite.ts';
import type { Plan } from '../../src/plan/plan.ts';
import { createMemoryJournal } from '../../src/sim/memory-journal.ts';
import { notSeen, planFor } from '../plan/input.ts';
import { started } from '../run/history.ts';
import { machineNamed } from '../simulation/fleet.ts';

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});
const durable = (): Journal => {
  const folder = mkdtempSync(join(tmpdir(), 'lab-recall-'));
  folders.push(folder);
  return openJournal(folder, () => 5_000);
};

/** Counts the runs whose events are read. */
const counting = (journal: Journal): Journal & { readonly read: () => readonly string[] } => {
  let read: string[] = [];
  return {
    ...journal,
    eventsOf: (run, afterSeq) => {
      read.push(run);
      return journal.eventsOf(run, afterSeq);
    },
    read: () => {
      const before = read;
      read = [];
      return before;
    },
  };
};

const box = machineNamed('box');
const away = planFor([box], { observations: { box: notSeen('box') } });
const idOf = (number: number): string => `20260101-${String(number).padStart(6, '0')}-0001`;
const begin = (journal: Journal, number: number, plan: Plan = away): void => {
  const run = idOf(number);
  journal.append(run, started(plan));
  journal.append(run, { kind: 'plan-made', plan, remarks: [] });
  journal.append(run, { kind: 'approved', hash: plan.hash, how: 'yes-flag' });
};
const end = (journal: Journal, number: number): void =>
  void journal.append(idOf(number), {
    kind: 'run-ended',
    result: 'interrupted',
    reason: '',
    failure: null,
  });
const runsOwing = (journal: Journal): number => {
  const past = recallPast(journal, '/lab', '/');
  if (!past.ok) throw new Error(past.failure.message);
  return past.value.debts.get('box')?.runs ?? 0;
};

describe.each([
  ['in memory', () => createMemoryJournal(() => 5_000)],
  ['on disk', durable],
])('past runs %s', (_where, open) => {
  test('are read once each', () => {
    const journal = counting(open());
    for (let number = 1; number <= 12; number += 1) {
      begin(journal, number);
      end(journal, number);
    }
    expect(runsOwing(journal)).toBe(12);
    expect(journal.read()).toHaveLength(12);
    expect(runsOwing(journal)).toBe(12);
    expect(journal.read()).toEqual([]);
    begin(journal, 13);
    end(journal, 13);
    expect(runsOwing(journal)).toBe(13);
    expect(journal.read()).toEqual([idOf(13)]);
    journal.close();
  });

  test('tell the same, read one by one or all at once', () => {
    const plans = [away, planFor([box]), planFor([box], { selection: [] })];
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.constantFrom(...plans), fc.boolean()), { maxLength: 8 }),
        (history) => {
          const [often, once] = [createMemoryJournal(() => 5_000), open()];
          for (const [index, [plan, look]] of history.entries()) {
            for (const journal of [often, once]) {
              begin(journal, index, plan);
              end(journal, index);
            }
            if (look) runsOwing(often);
          }
          expect(recallPast(often, '/lab', '/')).toEqual(recallPast(once, '/lab', '/'));
          once.close();
        },
      ),
      { numRuns: 20 },
    );
  });

  test('that are under way count as far as they have come, and are read again', () => {
    const journal = counting(open());
    begin(journal, 1);
    end(journal, 1);
    begin(journal, 2);
    expect([runsOwing(journal), runsOwing(journal)]).toEqual([2, 2]);
    expect(journal.read()).toEqual([idOf(1), idOf(2), idOf(2)]);
    journal.close();
  });

  test('that were resumed are read anew, from before them', () => {
    const journal = counting(open());
    for (const number of [1, 2]) {
      begin(journal, number);
      end(journal, number);
      runsOwing(journal);
    }
    journal.read();
    journal.append(idOf(2), { kind: 'resumed', pid: 2 });
    end(journal, 2);
    expect(runsOwing(journal)).toBe(2);
    expect(journal.read()).toEqual([idOf(2)]);
    journal.close();
  });

  test('whose recollection cannot be understood are read from their events', () => {
    const journal = open();
    begin(journal, 1);
    end(journal, 1);
    runsOwing(journal);
    const last = journal.runs(1)[0]?.lastSeq ?? 0;
    for (const text of ['', '{', '{"schema":2}', '[]']) {
      journal.keepRecalled(idOf(1), last, text);
      expect(runsOwing(journal)).toBe(1);
    }
    journal.close();
  });
});
