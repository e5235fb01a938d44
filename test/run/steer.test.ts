import { describe, expect, test } from 'vitest';
import type { SteerAsk } from '../../src/run/event.ts';
import { next } from '../../src/run/next.ts';
import { progressOf } from '../../src/run/progress.ts';
import { recordOf } from '../../src/run/records.ts';
import { ImpossibleHistory } from '../../src/run/state.ts';
import { answerTo, whyNotSteer } from '../../src/run/steer.ts';
import { planFor } from '../plan/input.ts';
import { type MachineTraits, machineNamed } from '../simulation/fleet.ts';
import { approved, failedWith, type History, skippedFor } from './history.ts';

/** What may be asked of one machine of a run, and what the record makes of it. */

const fleet = (traits: MachineTraits = {}): History =>
  approved(
    planFor([
      machineNamed('box', { delay: 0, criticality: 'high', rebootOrder: 1, ...traits }),
      machineNamed('app', { delay: 0, dependencies: ['box'], rebootOrder: 2 }),
    ]),
  );
const looked = ['box/preflight', 'app/preflight', 'box/copy', 'app/copy'] as const;
const live = ['box/activate-switch', 'box/gate-after-activation', 'box/confirm'] as const;

const ask = (what: SteerAsk['what'], machine = 'box') => ({ what, machine, by: 'amy (cli)' });
const steer = (history: History, what: SteerAsk['what'], machine = 'box'): History =>
  history.add({ kind: 'steered', ...ask(what, machine) });
const reopen = (history: History, what: SteerAsk['what']): History =>
  history.add({ kind: 'reopened', ...ask(what), pid: 2 }, 60_000);
const hold = (history: History): History =>
  history.add({ kind: 'run-ended', result: 'held', reason: '', failure: null });
const why = ({ state }: History, what: SteerAsk['what'], machine = 'box'): string | null =>
  whyNotSteer(state, { what, machine })?.message ?? null;
const standsAt = ({ state }: History, machine: string) => {
  const entry = state.plan?.machines.find((each) => each.machine.name === machine);
  if (entry === undefined) throw new Error(`no machine ${machine}`);
  return progressOf(state, entry);
};
const due = ({ state }: History): string => {
  const decision = next(state);
  return decision.kind === 'perform' ? decision.steps.map(({ id }) => id).join(' ') : decision.kind;
};
const fails = (history: History, step: string, kind = 'unhealthy'): History =>
  history.begin(step).end(step, failedWith(kind));

describe('leaving out', () => {
  test('goes by what was done to the machine', () => {
    const history = fleet();
    expect(why(history, 'skip')).toBeNull();
    history.pass(...looked);
    expect(why(history, 'skip')).toBeNull();
    history.begin('box/activate-switch');
    expect(why(history, 'skip')).toContain('in the middle of its activation');
    history.end('box/activate-switch', failedWith('activation-refused'));
    expect(why(history, 'skip')).toContain('on its way back to what it ran');
    history.pass('box/restore');
    expect(why(history, 'skip')).toBeNull();
    expect(why(history, 'skip', 'tower')).toContain('"tower" is no machine of run');
  });

  test('is no way past a machine that was changed and failed, nor past one that is down by our doing', () => {
    const history = fleet().pass(...looked, ...live, 'box/reboot');
    history.begin('box/await-boot');
    expect(why(history, 'skip')).toContain('being rebooted');
    history.end('box/await-boot', failedWith('never-came-back'));
    expect(why(history, 'skip')).toContain('nobody knows what it is fit for');
  });

  test('is known of the same plan read anew, which is other objects', () => {
    const { state } = steer(fleet().pass(...looked), 'skip');
    const [box] = structuredClone(state.plan?.machines ?? []);
    expect(box === undefined ? null : progressOf(state, box)).toMatchObject({
      status: 'skipped',
      skippedBy: 'amy (cli)',
    });
  });

  test('lets a look under way end, and nothing of the machine begin', () => {
    const history = fleet()
      .begin('box/preflight', 'app/preflight')
      .end('app/preflight', skippedFor('unreachable'));
    steer(history, 'skip');
    expect(due(history)).toBe('await');
    history.end('box/preflight', failedWith('no-root'));
    expect(standsAt(history, 'box')).toMatchObject({ status: 'skipped', skippedBy: 'amy (cli)' });
    expect(due(history)).toBe('look');
  });
});

describe('trying again', () => {
  test('what failed after a return begins anew; the return counts until something is live again', () => {
    const history = fleet().pass(...looked, 'box/activate-switch');
    fails(history, 'box/gate-after-activation').pass('box/restore');
    reopen(hold(history), 'retry');
    expect(standsAt(history, 'box')).toMatchObject({ status: 'waiting', touched: true });
    expect(due(history)).toBe('box/preflight app/preflight');
    history.pass('box/preflight', 'app/preflight', 'box/copy');
    expect(recordOf(history.state, 'box/restore')?.status).toBe('succeeded');
    fails(
      history.begin('box/activate-switch').end('box/activate-switch', failedWith('refused')),
      'box/restore',
    );
    expect(standsAt(history, 'box').status).toBe('failed');
  });

  test('of a boot takes its own time, and leaves the reboot alone unless the machine never went down', () => {
    for (const [kind, reboot] of [
      ['never-came-back', 'succeeded'],
      ['never-went-down', 'unknown'],
    ] as const) {
      const history = fails(fleet().pass(...looked, ...live, 'box/reboot'), 'box/await-boot', kind);
      reopen(hold(history), 'retry');
      expect(recordOf(history.state, 'box/reboot')?.status, kind).toBe(reboot);
      if (reboot === 'unknown') continue;
      const at = history.state.lastAt;
      history.begin('box/await-boot');
      expect(recordOf(history.state, 'box/await-boot')?.intendedAt).toBe(at);
    }
  });

  test('is refused where only a second reboot could help, where it is another’s, and where nothing has failed', () => {
    const back = fails(
      fleet({ criticality: 'critical' }).pass(...looked, ...live, 'box/reboot', 'box/await-boot'),
      'box/gate-after-reboot',
    ).pass('box/restore');
    expect(why(back, 'retry')).toContain('no machine is rebooted twice in a run');
    const lost = fails(fleet().pass(...looked), 'box/activate-switch', 'lease-lost');
    expect(why(lost, 'retry')).toContain('it is lease-lost');
    expect(why(fleet(), 'retry')).toBe('nothing has failed on box');
  });

  test('what could not be reached this time does not make a failed machine a skipped one', () => {
    const history = fails(fleet().pass(...looked), 'box/activate-switch').pass('box/restore');
    reopen(hold(history), 'retry').begin('box/preflight').end('box/preflight', skippedFor('unreachable'));
    expect(standsAt(history, 'box').status).toBe('restored');
  });

  test('takes those in again that were left alone because of it', () => {
    const history = fails(fleet({ criticality: 'medium' }).pass(...looked), 'box/activate-switch').pass(
      'box/restore',
    );
    history.begin('app/dependencies').end('app/dependencies', skippedFor('dependency'));
    steer(history, 'retry');
    expect([standsAt(history, 'box').status, standsAt(history, 'app').status]).toEqual([
      'waiting',
      'waiting',
    ]);
  });
});

test('the answer is an event, with the reason where it is no', () => {
  const { state } = fleet().begin('box/preflight');
  expect(answerTo(state, ask('skip'))).toEqual({ kind: 'steered', ...ask('skip') });
  expect(answerTo(state, ask('retry'))).toMatchObject({
    kind: 'steer-refused',
    why: expect.stringContaining('nothing has failed on box; '),
  });
});

test('what cannot have been asked is no history', () => {
  expect(() => reopen(fleet(), 'retry')).toThrow(ImpossibleHistory);
  expect(() => steer(fleet(), 'skip', 'tower')).toThrow(/nothing is done to "tower"/u);
  expect(() => steer(hold(fleet()), 'skip')).toThrow(/after the end/u);
});
