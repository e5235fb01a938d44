import { describe, expect, test } from 'vitest';
import type { StepOutcome } from '../../src/run/event.ts';
import { leftToItself } from '../../src/run/left-out.ts';
import { next } from '../../src/run/next.ts';
import { awaitsOwnBoot, progressOf } from '../../src/run/progress.ts';
import { recordOf } from '../../src/run/records.ts';
import { whyNotSteer } from '../../src/run/steer.ts';
import { entryOf, planFor, seen } from '../plan/input.ts';
import { machineNamed } from '../simulation/fleet.ts';
import { approved, failedWith, type History, succeededWith } from './history.ts';

const ask = (what: 'skip' | 'retry', machine: string) =>
  ({ kind: 'steered', what, machine, by: 'amy' }) as const;
const boot = seen('box').bootId;
const blocked: StepOutcome = {
  kind: 'skipped',
  reason: 'blocked',
  failure: {
    kind: 'users-logged-in',
    machine: 'box',
    phase: 'reboot',
    message: 'amy is on it',
    remedy: 'ask her',
  },
};

describe('a reboot that was asked for and got nowhere, tried again while somebody is logged in', () => {
  const plan = planFor([machineNamed('box', { delay: 0, criticality: 'high' })], {
    goal: { kind: 'reboot', which: 'all' },
  });
  const twice = (): History =>
    approved(plan)
      .begin('box/preflight')
      .end('box/preflight', succeededWith({ bootId: boot }))
      .begin('box/reboot')
      .add({ kind: 'step-noted', step: 'box/reboot', note: 'ends it', endsBoot: boot })
      .end('box/reboot', failedWith('reboot-refused'))
      .add(ask('retry', 'box'))
      .begin('box/reboot')
      .end('box/reboot', blocked);

  test('is remembered: the next try knows which boot was to be ended', () => {
    const { state } = twice().add(ask('retry', 'box'));
    expect(recordOf(state, 'box/reboot')).toMatchObject({ status: 'unknown', endsBoot: boot });
  });

  test('counts as something that was done to the machine: it is not left out like one that nothing happened to', () => {
    const { state } = twice();
    expect(progressOf(state, entryOf(plan, 'box')).touched).toBe(true);
    expect(whyNotSteer(state, { what: 'skip', machine: 'box' })).not.toBeNull();
  });
});

test('taken in again while what was given up is still being ended: it begins anew, and its machine is not left out', () => {
  const plan = planFor([machineNamed('box', { delay: 0 })]);
  const history = approved(plan)
    .pass('box/preflight')
    .begin('box/copy')
    .add(ask('skip', 'box'))
    .add(ask('retry', 'box'))
    .end('box/copy', leftToItself(entryOf(plan, 'box').steps[1] ?? expect.fail('it has a copy')));
  expect(recordOf(history.state, 'box/copy')).toMatchObject({ status: 'unknown', outcome: null });
  expect(progressOf(history.state, entryOf(plan, 'box'))).toMatchObject({ status: 'waiting', open: [] });
  expect(next(history.state)).toMatchObject({ kind: 'perform', steps: [{ id: 'box/preflight' }] });
});

describe('the machine lab runs on, tried again after it had rebooted, while others have their turn first', () => {
  const machines = [
    machineNamed('box', { delay: 0 }),
    machineNamed('desk', { delay: 0, orchestrator: true }),
  ];
  const plan = planFor(machines, {
    goal: { kind: 'reboot', which: 'all' },
    more: { localMachine: 'desk', resumesAtBoot: true },
  });
  const through = (history: History, name: string): History =>
    history
      .begin(`${name}/reboot`)
      .end(`${name}/reboot`, succeededWith({ bootId: seen(name).bootId }))
      .begin(`${name}/await-boot`)
      .end(`${name}/await-boot`, succeededWith({ bootId: 'another' }))
      .begin(`${name}/gate-after-reboot`)
      .end(`${name}/gate-after-reboot`, failedWith('unhealthy'));
  const bothFailed = (): History =>
    through(through(approved(plan).pass('box/preflight', 'desk/preflight'), 'box'), 'desk');

  test('is not waited for: who stops the run ends it like any other', () => {
    const history = bothFailed().add(ask('retry', 'box')).add(ask('retry', 'desk'));
    expect(next(history.state)).toMatchObject({ kind: 'perform', steps: [{ id: 'box/await-boot' }] });
    expect(awaitsOwnBoot(history.state)).toBe(false);
    expect(awaitsOwnBoot(history.begin('box/await-boot').state)).toBe(false);
  });

  test('is waited for once its turn has come again', () => {
    const history = bothFailed().add(ask('retry', 'desk')).begin('desk/await-boot');
    expect(awaitsOwnBoot(history.state)).toBe(true);
  });
});
