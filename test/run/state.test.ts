import { describe, expect, test } from 'vitest';
import { EventBody, type RunEvent } from '../../src/run/event.ts';
import { progressOf } from '../../src/run/progress.ts';
import { allRecords, notesMax, recordOf, spentOn } from '../../src/run/records.ts';
import { applyEvent, ImpossibleHistory, replay } from '../../src/run/state.ts';
import { entryOf, planFor } from '../plan/input.ts';
import { machineNamed } from '../simulation/fleet.ts';
import { approved, failedWith, runId, skippedFor, started, succeededWith } from './history.ts';

const plan = planFor([
  machineNamed('box', { delay: 0, rebootOrder: 1 }),
  machineNamed('app', { delay: 0, rebootOrder: 2, dependencies: ['box'] }),
]);
const event = (seq: number, body: EventBody, at = 0): RunEvent => ({ seq, at, run: runId, body });
const made: EventBody = { kind: 'plan-made', plan, remarks: [] };
const yes: EventBody = { kind: 'approved', hash: plan.hash, how: 'answered' };

describe('a history that cannot be is refused, naming event and reason', () => {
  const all = (...bodies: readonly EventBody[]): readonly RunEvent[] =>
    bodies.map((body, index) => event(index + 1, body));

  test.each<[string, readonly RunEvent[], RegExp]>([
    ['without a beginning', all(made), /event 1 \(plan-made\).*begins with run-started/u],
    ['begun twice', all(started(plan), started(plan)), /starts once/u],
    ['out of order', [event(2, started(plan)), event(2, made)], /out of order after event 2/u],
    [
      'with an event of another run',
      [event(1, started(plan)), { ...event(2, made), run: '20260101-000000-ffff' }],
      /belongs to another run/u,
    ],
    ['approving nothing', all(started(plan), yes), /approves a plan it does not hold/u],
    [
      'approving another plan',
      all(started(plan), made, { ...yes, kind: 'approved', hash: 'other', how: 'answered' }),
      /approves a plan/u,
    ],
    ['replacing an approved plan', all(started(plan), made, yes, made), /an approved plan is not replaced/u],
    [
      'acting without approval',
      all(started(plan), made, { kind: 'step-intended', step: 'box/preflight' }),
      /no approved plan yet/u,
    ],
    [
      'with a step the plan does not know',
      all(started(plan), made, yes, { kind: 'step-intended', step: 'box/dance' }),
      /the plan has no step "box\/dance"/u,
    ],
    [
      'with a machine the plan does not know',
      all(started(plan), made, yes, { kind: 'step-intended', step: 'fox/preflight' }),
      /the plan has no step/u,
    ],
    [
      'with an outcome without intent',
      all(started(plan), made, yes, { kind: 'step-ended', step: 'box/preflight', outcome: succeededWith() }),
      /was not begun/u,
    ],
    [
      'with a note without intent',
      all(started(plan), made, yes, { kind: 'step-noted', step: 'box/preflight', note: '' }),
      /was not begun/u,
    ],
    [
      'beginning a step twice',
      all(
        started(plan),
        made,
        yes,
        { kind: 'step-intended', step: 'box/preflight' },
        { kind: 'step-intended', step: 'box/preflight' },
      ),
      /already begun/u,
    ],
    [
      'ending a step twice',
      all(
        started(plan),
        made,
        yes,
        { kind: 'step-intended', step: 'box/preflight' },
        { kind: 'step-ended', step: 'box/preflight', outcome: succeededWith() },
        { kind: 'step-ended', step: 'box/preflight', outcome: succeededWith() },
      ),
      /already ended/u,
    ],
    [
      'repeating what succeeded',
      all(
        started(plan),
        made,
        yes,
        { kind: 'step-intended', step: 'box/preflight' },
        { kind: 'step-ended', step: 'box/preflight', outcome: failedWith('no-root') },
        { kind: 'step-intended', step: 'box/preflight' },
      ),
      /already begun/u,
    ],
    [
      'going on after its end',
      all(started(plan), made, { kind: 'run-ended', result: 'declined', reason: '', failure: null }, yes),
      /after the end/u,
    ],
  ])('%s', (_name, events, why) => {
    expect(() => replay(events)).toThrow(ImpossibleHistory);
    expect(() => replay(events)).toThrow(why);
  });
});

describe('a process takes over', () => {
  test('what was under way is unknown, and may be begun again', () => {
    const history = approved(plan).pass('box/preflight', 'app/preflight', 'box/copy', 'app/copy');
    history.begin('box/activate-switch').add({ kind: 'resumed', pid: 2 });
    expect(recordOf(history.state, 'box/activate-switch')).toMatchObject({
      status: 'unknown',
      outcome: null,
    });
    expect(history.state.by.pid).toBe(2);
    history.begin('box/activate-switch');
    expect(recordOf(history.state, 'box/activate-switch')?.status).toBe('open');
  });

  test('a preflight holds for what was touched since, and is made again for the rest', () => {
    const history = approved(plan).pass('box/preflight', 'app/preflight', 'box/copy', 'app/copy');
    history.begin('box/activate-switch').add({ kind: 'resumed', pid: 2 });
    expect(recordOf(history.state, 'box/preflight')?.status).toBe('succeeded');
    expect(recordOf(history.state, 'app/preflight')?.status).toBe('unknown');
    expect(recordOf(history.state, 'app/copy')?.status).toBe('succeeded');
  });

  test('a look at the dependencies holds only for what it led to', () => {
    const before = approved(plan);
    before.pass('box/preflight', 'app/preflight', 'box/copy', 'app/copy', 'box/activate-switch');
    before.pass(
      'box/gate-after-activation',
      'box/reboot',
      'box/await-boot',
      'box/gate-after-reboot',
      'app/dependencies',
    );
    before.add({ kind: 'resumed', pid: 2 });
    expect(recordOf(before.state, 'app/dependencies')?.status).toBe('unknown');
    before.pass('app/dependencies').begin('app/activate-switch').add({ kind: 'resumed', pid: 3 });
    expect(recordOf(before.state, 'app/dependencies')?.status).toBe('succeeded');
  });

  test('the end of a pause has the same effect on what was seen before it, and none on what is under way', () => {
    const history = approved(plan).pass('box/preflight', 'app/preflight', 'box/copy', 'app/copy');
    history.begin('box/activate-switch').add({ kind: 'paused', by: 'you' });
    history.add({ kind: 'unpaused', by: 'you' }, 3_600_000);
    expect(recordOf(history.state, 'box/activate-switch')?.status).toBe('open');
    expect(recordOf(history.state, 'box/preflight')?.status).toBe('succeeded');
    expect(recordOf(history.state, 'app/preflight')?.status).toBe('unknown');
  });

  test("the hours before a run is taken up again are nobody's work: a look that is due anew counts from its own beginning", () => {
    const hourMs = 3_600_000;
    const history = approved(plan).pass('box/preflight', 'app/preflight');
    const spent = () => spentOn(allRecords(history.state), history.state.lastAt);
    const worked = spent();
    expect(worked).toBeGreaterThan(0);
    history
      .add({ kind: 'run-ended', result: 'interrupted', reason: '', failure: null }, 1_000)
      .add({ kind: 'resumed', pid: 2 }, hourMs);
    expect(spent()).toBeLessThan(worked);
    history.begin('box/preflight').add({ kind: 'paused', by: 'you' }, 3_000);
    expect(recordOf(history.state, 'box/preflight')?.intendedAt).toBe(history.state.lastAt - 3_000);
    expect(spent()).toBe(3_000);
  });

  test('an ended run goes on where it was, and a stop or pause asked of the old process is over', () => {
    const history = approved(plan)
      .add({ kind: 'paused', by: 'you' })
      .add({ kind: 'stop-requested', by: 'you' })
      .add({ kind: 'run-ended', result: 'interrupted', reason: '', failure: null })
      .add({ kind: 'resumed', pid: 2 });
    expect(history.state).toMatchObject({ ended: null, stopRequestedBy: null, pausedBy: null });
  });
});

describe('where a machine stands', () => {
  const progress = (history: ReturnType<typeof approved>) => {
    const state = history.state;
    return progressOf(state, entryOf(plan, 'box'));
  };

  test('waiting until something is begun in earnest, then active, then done', () => {
    const history = approved(plan);
    expect(progress(history)).toMatchObject({ status: 'waiting', touched: false });
    history.pass('box/preflight', 'box/copy');
    expect(progress(history)).toMatchObject({ status: 'waiting', touched: false });
    history.begin('box/activate-switch');
    expect(progress(history)).toMatchObject({ status: 'active', touched: true });
    history.end('box/activate-switch', succeededWith());
    history.pass('box/gate-after-activation', 'box/confirm', 'box/reboot', 'box/await-boot');
    history.pass('box/gate-after-reboot');
    expect(progress(history)).toMatchObject({ status: 'done', current: null, touched: true });
  });

  test('what was live and not confirmed when the process died is asked for again', () => {
    const history = approved(plan).pass('box/preflight', 'box/copy', 'box/activate-switch');
    history.pass('box/gate-after-activation').begin('box/confirm').add({ kind: 'resumed', pid: 2 });
    expect(progress(history)).toMatchObject({ status: 'active', current: { id: 'box/activate-switch' } });
    history.pass('box/activate-switch', 'box/gate-after-activation', 'box/confirm');
    history.add({ kind: 'resumed', pid: 3 });
    expect(progress(history)).toMatchObject({ current: { id: 'box/reboot' } });
  });

  test('an act that was not attempted leaves it untouched', () => {
    const history = approved(plan).pass('box/preflight', 'box/copy').begin('box/activate-switch');
    history.end('box/activate-switch', skippedFor('unreachable'));
    expect(progress(history)).toMatchObject({ status: 'skipped', touched: false });
  });

  test('failed with its failure, restored once it is back', () => {
    const history = approved(plan).pass('box/preflight', 'box/copy').begin('box/activate-switch');
    history.end('box/activate-switch', failedWith('activation-refused'));
    expect(progress(history)).toMatchObject({ status: 'failed', failure: { kind: 'activation-refused' } });
    history.pass('box/restore');
    expect(progress(history)).toMatchObject({ status: 'restored', failure: { kind: 'activation-refused' } });
  });

  test('an activation that asks for a reboot no plan takes is a failure', () => {
    const same = planFor([machineNamed('box', { policy: 'never' })], { wantedKernel: '6.12.10' });
    const history = approved(same).pass('box/preflight', 'box/copy').begin('box/activate-switch');
    history.end('box/activate-switch', succeededWith({ needsReboot: true }));
    expect(progressOf(history.state, entryOf(same, 'box'))).toMatchObject({
      status: 'failed',
      failure: { kind: 'needs-reboot' },
    });
  });
});

test('the latest notes of a step are kept, the oldest of many are not', () => {
  const history = approved(plan).begin('box/preflight');
  for (let number = 1; number <= notesMax + 5; number += 1)
    history.add({ kind: 'step-noted', step: 'box/preflight', note: `note ${number}` });
  const notes = recordOf(history.state, 'box/preflight')?.notes ?? [];
  expect(notes).toHaveLength(notesMax);
  expect(notes.at(-1)?.note).toBe(`note ${notesMax + 5}`);
});

test('a warning outlives the notes after it, though not any number of warnings', () => {
  const step = 'box/preflight';
  const history = approved(plan).begin(step);
  history.add({ kind: 'step-noted', step, note: 'look at this', warning: true });
  for (let number = 1; number <= notesMax + 5; number += 1)
    history.add({ kind: 'step-noted', step, note: `note ${number}` });
  const notes = () => recordOf(history.state, step)?.notes ?? [];
  expect(notes()).toHaveLength(notesMax);
  expect(notes()[0]).toMatchObject({ note: 'look at this', warning: true });
  for (let number = 1; number <= notesMax + 5; number += 1)
    history.add({ kind: 'step-noted', step, note: `warning ${number}`, warning: true });
  expect(notes()).toHaveLength(notesMax);
  expect(notes().at(-1)?.note).toBe(`warning ${notesMax + 5}`);
});

test('states are values: applying an event leaves the one before as it was', () => {
  const history = approved(plan);
  const before = history.state;
  const copy = structuredClone(before);
  applyEvent(before, event(99, { kind: 'step-intended', step: 'box/preflight' }, 5_000));
  expect(before).toEqual(copy);
});

test('every event of a run survives being written and read', () => {
  const bodies: readonly EventBody[] = [
    started(plan),
    made,
    yes,
    { kind: 'step-intended', step: 'box/preflight' },
    { kind: 'step-ended', step: 'box/preflight', outcome: failedWith('no-root') },
    { kind: 'resumed', pid: 7 },
    { kind: 'run-ended', result: 'held', reason: 'because', failure: null },
  ];
  for (const body of bodies) expect(EventBody.parse(JSON.parse(JSON.stringify(body)))).toEqual(body);
});
