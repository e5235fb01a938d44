import { describe, expect, test } from 'vitest';
import type { HealthCheck } from '../../src/fleet/machine.ts';
import type { Debt } from '../../src/plan/debt.ts';
import { aimsOf, newChecksOf } from '../../src/plan/new-checks.ts';
import type { Plan } from '../../src/plan/plan.ts';
import type { EventBody, RunEvent, StepOutcome } from '../../src/run/event.ts';
import { labPlace, nothingRecalled, pastOf, Recollection, remember } from '../../src/run/recollection.ts';
import { notSeen, type PlanTraits, planFor, seen } from '../plan/input.ts';
import { machineNamed, toplevelOf } from '../simulation/fleet.ts';
import { skippedFor, started, succeededWith } from './history.ts';

/** Runs of one lab, told one after the other, and what is known after each. */

const minuteMs = 60_000;

const check: HealthCheck = {
  type: 'tcp',
  name: null,
  from: 'target',
  timeoutSeconds: 1,
  retries: 0,
  intervalSeconds: 1,
  host: 'localhost',
  port: 8080,
};

const createPastOf = (cwd = '/', flake = '/lab') => {
  let known: Recollection = nothingRecalled;
  let seq = 0;
  let runs = 0;
  /** One more run. `steps`: what became of its steps, each lasting the ms given. Times go on from run to run. */
  const run = (
    at: number,
    plan: Plan,
    steps: readonly (readonly [string, StepOutcome, number] | 'resumed')[] = [],
    approved = true,
  ): void => {
    runs += 1;
    const events: RunEvent[] = [];
    let now = at;
    const add = (body: EventBody): void => {
      seq += 1;
      events.push({ seq, at: now, run: `20260101-${String(runs).padStart(6, '0')}-0001`, body });
    };
    const first = started(plan);
    if (first.kind !== 'run-started') throw new TypeError('a run begins with run-started');
    add({ ...first, flake, opened: { ...first.opened, cwd } });
    add({ kind: 'plan-made', plan, remarks: [] });
    if (approved) add({ kind: 'approved', hash: plan.hash, how: 'yes-flag' });
    for (const step of steps) {
      if (step === 'resumed') {
        add({ kind: 'resumed', pid: 2 });
        continue;
      }
      const [id, outcome, tookMs] = step;
      add({ kind: 'step-intended', step: id });
      now += tookMs;
      add({ kind: 'step-ended', step: id, outcome });
    }
    add({ kind: 'run-ended', result: 'done', reason: '', failure: null });
    // What is kept is text.
    known = Recollection.parse(JSON.parse(JSON.stringify(remember(known, events))));
  };
  const past = () => pastOf(known, '/lab');
  return { run, debtOf: (name: string): Debt | null => past().debts.get(name) ?? null, past };
};

const box = machineNamed('box', { delay: 0 });
const other = machineNamed('other', { delay: 0 });
const plan = (traits: PlanTraits = {}): Plan => planFor([box, other], traits);
const away = { observations: { box: notSeen('box') } };
const runsNew = seen('box', { booted: 'new', current: 'new', profile: 'new' });

const fullRun = (rebootMs: number) =>
  [
    ['box/preflight', succeededWith(), 1_000],
    ['box/copy', succeededWith(), 4_000],
    ['box/activate-switch', succeededWith(), 6_000],
    ['box/gate-after-activation', succeededWith(), 12_000],
    ['box/confirm', succeededWith(), 500],
    ['box/reboot', succeededWith(), 1_000],
    ['box/await-boot', succeededWith({ bootId: 'next' }), rebootMs],
    ['box/gate-after-reboot', succeededWith(), 15_000],
  ] as const;

describe('a debt', () => {
  test('begins when a machine is away, and is paid when a run brings it to its goal', () => {
    const lab = createPastOf();
    lab.run(0, plan(away));
    expect(lab.debtOf('box')).toEqual({
      machine: 'box',
      run: '20260101-000001-0001',
      at: 1_000,
      runs: 1,
      deploy: { toplevel: toplevelOf('box', 'new') },
      reboot: { kind: 'by-policy', at: 1_000 },
      why: 'box does not answer',
    });
    expect(lab.debtOf('other')).toBeNull();
    lab.run(minuteMs, plan(away));
    expect(lab.debtOf('box')).toMatchObject({ run: '20260101-000001-0001', at: 1_000, runs: 2 });
    lab.run(2 * minuteMs, plan(), fullRun(20_000));
    expect(lab.debtOf('box')).toBeNull();
  });

  test('stays through a run that tries and fails', () => {
    const lab = createPastOf();
    lab.run(0, plan(away));
    lab.run(minuteMs, plan(), [['box/preflight', succeededWith(), 1_000]]);
    expect(lab.debtOf('box')).toMatchObject({ runs: 1, deploy: {}, reboot: {} });
  });

  test('is paid by a machine that shows to run what was owed, whoever brought it there', () => {
    const lab = createPastOf();
    lab.run(0, plan({ ...away, goal: { kind: 'deploy', mode: 'strategy' } }));
    expect(lab.debtOf('box')).toMatchObject({ reboot: null });
    lab.run(minuteMs, plan({ observations: { box: runsNew } }), [], false);
    expect(lab.debtOf('box')).toBeNull();
  });

  test('of a deployment is not paid by a trial or a reboot', () => {
    const lab = createPastOf();
    lab.run(0, plan(away));
    const reboots = [
      ['box/preflight', succeededWith(), 1_000],
      ['box/reboot', succeededWith(), 1_000],
      ['box/await-boot', succeededWith(), 20_000],
      ['box/gate-after-reboot', succeededWith(), 15_000],
    ] as const;
    lab.run(minuteMs, plan({ goal: { kind: 'reboot', which: 'all' } }), reboots);
    expect(lab.debtOf('box')).toMatchObject({ deploy: {}, reboot: null });
    lab.run(2 * minuteMs, plan({ goal: { kind: 'deploy', mode: 'test' } }), [
      ['box/preflight', succeededWith(), 1_000],
      ['box/copy', succeededWith(), 1_000],
      ['box/activate-test', succeededWith(), 1_000],
      ['box/gate-after-activation', succeededWith(), 12_000],
      ['box/confirm', succeededWith(), 500],
    ]);
    expect(lab.debtOf('box')).toMatchObject({ deploy: {} });
  });

  test('begins also when a machine that was there is gone at its preflight; what has been done is not owed', () => {
    const lab = createPastOf();
    lab.run(0, plan(), [['box/preflight', skippedFor('unreachable'), 2_000]]);
    expect(lab.debtOf('box')).toMatchObject({ at: 2_000, deploy: {}, reboot: {} });
    const needed = createPastOf();
    needed.run(0, plan(), [...fullRun(0).slice(0, 5), ['box/reboot', skippedFor('unreachable'), 2_000]]);
    expect(needed.debtOf('box')).toMatchObject({ deploy: null, reboot: { kind: 'by-policy' } });
  });

  test('is none of who failed, and none of a plan without an answer', () => {
    const lab = createPastOf();
    lab.run(0, plan(away), [], false);
    expect(lab.debtOf('box')).toBeNull();
    const app = machineNamed('app', { dependencies: ['box'] });
    lab.run(minuteMs, planFor([box, app]), [
      ['box/preflight', succeededWith(), 1_000],
      ['app/preflight', succeededWith(), 1_000],
      ['app/copy', succeededWith(), 1_000],
      ['app/dependencies', skippedFor('dependency'), 1_000],
    ]);
    expect(lab.debtOf('app')).toBeNull();
  });

  test('is shared by who has to wait for the machine', () => {
    const app = machineNamed('app', { dependencies: ['box'] });
    const web = machineNamed('web', { dependencies: ['app'] });
    const lab = createPastOf();
    lab.run(0, planFor([box, app, web], away));
    expect([...lab.past().debts.keys()]).toEqual(['box', 'app', 'web']);
  });

  test('is forgotten when the machine has left the fleet, and not when it was not chosen', () => {
    const lab = createPastOf();
    lab.run(0, plan(away));
    // The test fixture says `selectors: []`: a plan that does not name the machine says that it is gone.
    lab.run(minuteMs, planFor([other]));
    expect(lab.debtOf('box')).toBeNull();
    const again = createPastOf();
    again.run(0, plan(away));
    again.run(minuteMs, planFor([other], { goal: { kind: 'run', update: false, catchUp: true } }));
    expect(again.debtOf('box')).not.toBeNull();
  });

  test('belongs to one lab: a machine of the same name in another is another machine', () => {
    const lab = createPastOf('/elsewhere', '.');
    lab.run(0, plan(away));
    expect(lab.debtOf('box')).toBeNull();
    const same = createPastOf('/lab', '.');
    same.run(0, plan(away));
    expect(same.debtOf('box')).not.toBeNull();
  });

  test('is kept for machines of any name', () => {
    for (const name of ['constructor', '__proto__', 'toString']) {
      const lab = createPastOf();
      lab.run(0, planFor([machineNamed(name)], { observations: { [name]: notSeen(name) } }));
      lab.run(1, planFor([machineNamed(name)], { observations: { [name]: notSeen(name) } }));
      expect([...lab.past().debts.values()].map(({ machine, runs }) => [machine, runs])).toEqual([[name, 2]]);
    }
  });
});

test('where a lab lies is the same however it is said', () => {
  for (const flake of ['.', '/lab', './', '../lab', 'path:/lab', 'git+file:///lab', 'git+file:.'])
    expect([flake, labPlace(flake, '/lab')]).toEqual([flake, '/lab']);
  expect(labPlace('.', '/other')).toBe('/other');
  expect(labPlace('github:amy/lab', '/lab')).toBe('github:amy/lab');
  expect(labPlace('git+file:///lab?rev=0123', '/lab')).toBe('git+file:///lab?rev=0123');
  expect(labPlace('git+file:///lab?dir=nix', '/lab')).not.toBe('/lab');
});

test('which checks a machine had is known from the last run that brought it to its goal', () => {
  const lab = createPastOf();
  const page = { ...box, healthChecks: [{ ...check, name: 'page', port: 8080 }] };
  lab.run(0, plan(), fullRun(20_000));
  expect(lab.past().checks.get('box')).toEqual(aimsOf(box));
  // It was tried, and failed.
  lab.run(minuteMs, planFor([page]), [['box/preflight', succeededWith(), 1_000]]);
  expect(lab.past().checks.get('box')).toEqual(aimsOf(box));
  lab.run(2 * minuteMs, planFor([page], { goal: { kind: 'reboot', which: 'needed' } }));
  expect(lab.past().checks.get('box')).toEqual(aimsOf(box));
  lab.run(3 * minuteMs, planFor([page]), fullRun(20_000));
  expect(lab.past().checks.get('box')).toEqual(aimsOf(page));
});

test('a check is new by what it looks at, not by what it is called or how long it is waited for', () => {
  const [was] = box.healthChecks;
  if (was === undefined) throw new Error('it has a check');
  const had = aimsOf(box);
  const withChecks = (...healthChecks: HealthCheck[]) => newChecksOf({ ...box, healthChecks }, had);
  expect(withChecks({ ...was, name: 'renamed', retries: 9, timeoutSeconds: 9, intervalSeconds: 9 })).toEqual(
    [],
  );
  expect(withChecks(check, was)).toEqual([0]);
  expect(withChecks({ ...was, from: 'orchestrator' })).toEqual([0]);
  expect(newChecksOf(box, undefined)).toEqual([]);
});

describe('how long things take', () => {
  test('is learnt from what succeeded in one go', () => {
    const lab = createPastOf();
    lab.run(0, plan(), fullRun(20_000));
    lab.run(minuteMs * 10, plan(), fullRun(30_000));
    const once = (ms: number) => ({ times: 2, typicalMs: ms, slowMs: ms, longestMs: ms });
    // Without the ten seconds that each gate watches for.
    expect(lab.past().durations.get('box')).toEqual({
      copy: once(4_000),
      activate: once(6_000),
      gateAfterActivation: once(2_000),
      gateAfterReboot: once(5_000),
      reboot: { times: 2, typicalMs: 20_000, slowMs: 30_000, longestMs: 30_000 },
    });
  });

  test('is not learnt from what was taken up by another process, nor from what failed', () => {
    const lab = createPastOf();
    const [preflight, copy, activate, gate, confirm, reboot, boot, last] = fullRun(20_000);
    lab.run(0, plan(), [preflight, copy, activate, gate, confirm, reboot, 'resumed', boot, last]);
    expect(lab.past().durations.get('box')?.reboot).toBeUndefined();
    expect(lab.past().durations.get('box')?.copy?.times).toBe(1);
    lab.run(minuteMs, plan(), [preflight, ['box/copy', skippedFor('unreachable'), 9_000]]);
    expect(lab.past().durations.get('box')?.copy?.times).toBe(1);
  });

  test('is not learnt from a clock that was set back', () => {
    const lab = createPastOf();
    lab.run(0, plan(), [
      ['box/preflight', succeededWith(), 1_000],
      ['box/copy', succeededWith(), -9_000],
    ]);
    expect(lab.past().durations.get('box')).toBeUndefined();
  });

  test('forgets the old but for the longest', () => {
    const lab = createPastOf();
    lab.run(0, plan(), fullRun(500_000));
    for (let index = 1; index <= 25; index += 1) lab.run(index * 10 * minuteMs, plan(), fullRun(20_000));
    expect(lab.past().durations.get('box')?.reboot).toEqual({
      times: 20,
      typicalMs: 20_000,
      slowMs: 20_000,
      longestMs: 500_000,
    });
  });
});
