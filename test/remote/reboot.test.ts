import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { triggerReboot, triggerScript } from '../../src/remote/reboot.ts';
import { answered, exited, fakeRemote, lost, lostMidway } from './fake-remote.ts';
import { type LocalMachine, localMachine } from './local-machine.ts';
import { claim, claimWords, machineNamed } from './machine.ts';

const machine = machineNamed('sleeper-service');
const bootId = '0f0e0d0c-0b0a-4908-8706-050403020100';
const otherBoot = 'a0a1a2a3-0b0a-4908-8706-050403020100';
const request = { claim, bootId, unit: 'lab-reboot-1', deadlineMs: 10_000 };

describe('triggering a reboot, with the script in a real shell', () => {
  let local: LocalMachine;
  const trigger = (set: Partial<typeof request> = {}) =>
    triggerReboot(local.remote, machine, { ...request, ...set }, {});
  beforeEach(() => {
    local = localMachine();
  });
  afterEach(() => local.remove());

  it('leaves the reboot to a timer on the machine, and never forces it', async () => {
    expect(await trigger()).toEqual({ kind: 'triggered' });
    expect(local.played('systemd-run.argv').trim().split('\n')).toEqual([
      '--unit=lab-reboot-1',
      '--on-active=1',
      '--timer-property=AccuracySec=100ms',
      '--collect',
      '--no-ask-password',
      '--quiet',
      'systemctl',
      'reboot',
    ]);
  });

  it('finds its own trigger on a repeat, and sets off no second one', async () => {
    await trigger();
    expect(await trigger()).toEqual({ kind: 'triggered' });
    expect(local.played('started')).toBe('lab-reboot-1.timer\n');
  });

  it('leaves a machine alone that has another boot id by now', async () => {
    expect(await trigger({ bootId: otherBoot })).toEqual({ kind: 'already-rebooted', bootId });
    expect(() => local.played('started')).toThrow('ENOENT');
  });

  it('says why systemd refused', async () => {
    local.play('systemd-refuses', '');
    expect(await trigger()).toEqual({
      kind: 'refused',
      message: 'sleeper-service refused to reboot: Failed to start transient unit: Access denied',
    });
  });
});

describe('triggering a reboot', () => {
  const trigger = (remote: ReturnType<typeof fakeRemote>, set: Partial<typeof request> = {}) =>
    triggerReboot(remote, machine, { ...request, ...set }, {});

  it('is one command as root that no transport may repeat by itself', async () => {
    const remote = fakeRemote(() => answered('trigger', `boot-id=${bootId}`, 'outcome=triggered'));
    await trigger(remote);
    expect(remote.calls).toHaveLength(1);
    expect(remote.calls[0]?.argv).toEqual([
      'sh',
      '-c',
      triggerScript,
      'sh',
      bootId,
      'lab-reboot-1',
      ...claimWords(machine.name),
    ]);
    expect(remote.calls[0]?.options).toMatchObject({ asRoot: true, idempotent: false, deadlineMs: 10_000 });
  });

  it('has probably worked when the connection is lost after the command went out', async () => {
    expect(await trigger(fakeRemote(lostMidway))).toMatchObject({ kind: 'probably-triggered' });
    expect(await trigger(fakeRemote(() => exited(null)))).toMatchObject({ kind: 'probably-triggered' });
  });

  it('has not happened when the command never went out', async () => {
    expect(await trigger(fakeRemote(() => lost()))).toEqual({
      kind: 'refused',
      message: 'connection refused by host.example',
      unreached: true,
    });
  });

  it.each([
    ['sudo wants a password', exited(1, '', 'sudo: a password is required\n')],
    ['half an answer', exited(0, 'lab-trigger\n')],
    ['a boot id that is none', answered('trigger', 'boot-id=', 'outcome=other-boot')],
    ['an outcome that is none', answered('trigger', 'outcome=maybe')],
  ])('is refused: %s', async (_what, answer) => {
    expect(await trigger(fakeRemote(() => answer))).toMatchObject({ kind: 'refused' });
  });

  it.each([
    { bootId: '' },
    { bootId: 'x'.repeat(36) },
    { unit: '--help' },
    { unit: 'a b' },
    { unit: 'a.timer' },
  ])('sends nothing for %o', async (set) => {
    const remote = fakeRemote(() => exited(0));
    expect(await trigger(remote, set)).toMatchObject({ kind: 'refused' });
    expect(remote.calls).toEqual([]);
  });
});
