import { describe, expect, test } from 'vitest';
import { ok } from '../../src/failure.ts';
import { checksWith, earlierRunsIn, machinesIn } from '../../src/flow/earlier-runs.ts';
import { type Journal, JournalFailure } from '../../src/journal/journal.ts';
import type { Plan } from '../../src/plan/plan.ts';
import { createMemoryJournal } from '../../src/sim/memory-journal.ts';
import { planFor } from '../plan/input.ts';
import { machineNamed, toplevelOf } from '../simulation/fleet.ts';

const ids = ['20260101-000000-0001', '20260102-000000-0002', '20260103-000000-0003'] as const;
const box = machineNamed('box');

/** A run of a plan, approved unless said; `notes` of its build come before the plan. */
const keep = (
  journal: Journal,
  run: string,
  plan: Plan,
  { flake = '/lab', cwd = '/', notes = 0, approved = true } = {},
): void => {
  journal.append(run, {
    kind: 'run-started',
    goal: plan.goal,
    flake,
    selectors: [],
    by: { user: 'amy', host: 'desk', pid: 1, via: 'cli' },
    labVersion: '0.1.0',
    opened: { cwd, overrideInputs: [], nixOptions: [], sshConfig: null },
  });
  journal.append(run, { kind: 'preparation-started', work: 'build' });
  for (let note = 0; note < notes; note += 1)
    journal.append(run, { kind: 'preparation-noted', work: 'build', note: `${note}` });
  journal.append(run, { kind: 'preparation-finished', work: 'build', failure: null, note: '' });
  journal.append(run, { kind: 'plan-made', plan, remarks: [] });
  if (approved) journal.append(run, { kind: 'approved', hash: plan.hash, how: 'answered' });
  journal.append(run, {
    kind: 'run-ended',
    result: approved ? 'done' : 'declined',
    reason: '',
    failure: null,
  });
};

const begin = () => createMemoryJournal(() => 0);
const earlier = (journal: Journal) => earlierRunsIn(() => ok(journal), '.', '/lab');

describe('earlier runs of a flake', () => {
  test('are those of its folder, however it was named, that were approved', () => {
    const journal = begin();
    const plan = planFor([box]);
    keep(journal, ids[0], plan, { flake: './', cwd: '/lab' });
    keep(journal, ids[1], plan, { flake: '/elsewhere' });
    keep(journal, ids[2], plan, { approved: false });
    expect(earlier(journal).plans()).toEqual([{ run: ids[0], plan }]);
  });

  test('are found behind any number of notes, and among the events of others', () => {
    const journal = begin();
    const plan = planFor([box]);
    keep(journal, ids[0], plan, { notes: 900 });
    const other: Journal = { ...journal, append: (_, body) => journal.append(ids[1], body) };
    keep(other, ids[1], plan);
    journal.append(ids[0], { kind: 'resumed', pid: 2 });
    expect(
      earlier(journal)
        .plans()
        .map(({ run }) => run)
        .sort(),
    ).toEqual([ids[0], ids[1]]);
  });

  test('tell which machines there were, the newest first, and the checks that came with a toplevel', () => {
    const journal = begin();
    const before = machineNamed('box', { healthChecks: [] });
    keep(journal, ids[0], planFor([before, machineNamed('gone')]));
    keep(journal, ids[1], planFor([box]));
    const plans = earlier(journal).plans();
    expect(machinesIn(plans.map(({ plan }) => plan))).toEqual([box, machineNamed('gone')]);
    expect(checksWith(plans, 'box', toplevelOf('box', 'new'))).toEqual({
      run: ids[1],
      checks: box.healthChecks,
    });
    expect(checksWith(plans, 'box', toplevelOf('box', 'old'))).toBeNull();
  });

  test('are none where there is no journal, and a failure where it cannot be read', () => {
    const none = earlierRunsIn(() => ok(null), '.', '/lab');
    expect(none.plans()).toEqual([]);
    expect(none.runOf(ids[0])).toMatchObject({ ok: false, failure: { kind: 'usage' } });
    const damaged: Journal = {
      ...begin(),
      eventsOf: () => {
        throw new JournalFailure('the journal is damaged', 'move it away');
      },
    };
    expect(earlier(damaged).runOf(ids[0])).toMatchObject({
      ok: false,
      failure: { kind: 'journal', message: 'the journal is damaged', remedy: 'move it away' },
    });
  });

  test('whose history cannot be are no ground for anything', () => {
    const journal = begin();
    keep(journal, ids[0], planFor([box]));
    journal.append(ids[0], { kind: 'step-intended', step: 'box/reboot' });
    expect(earlier(journal).runOf(ids[0])).toMatchObject({
      ok: false,
      failure: { message: expect.stringContaining('cannot be') },
    });
  });
});
