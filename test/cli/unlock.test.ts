import { describe, expect, test } from 'vitest';
import { createStage, exampleMachines } from './stage.ts';

/** Machines that another orchestrator holds, as people see them on the command line. */

process.env.TZ = 'UTC';

const theirs = '20261120-035900-cafe';
const wants = { 'sleeper-service': '6.12.11', 'grey-area': '6.12.11' };
const held = async () => {
  const stage = createStage({ machines: exampleMachines, wants });
  for (const { name } of exampleMachines)
    expect(await stage.lease(name, 'take', theirs)).toEqual({ kind: 'held' });
  return stage;
};

describe('machines that another run holds', () => {
  test('are left alone; by whom they are held is told, and exit 5 says that it is about that', async () => {
    const stage = await held();
    const { shown, exitCode } = await stage.run(
      ...['run', 'sleeper-service', 'grey-area', '--yes', '--no-update'],
    );
    await expect(shown).toMatchFileSnapshot('./golden/leased.txt');
    expect(exitCode).toBe(5);
    expect(stage.world.effects).toEqual([]);
    expect(await stage.lease('grey-area', 'renew', theirs)).toEqual({ kind: 'held' });
  });

  test('are free once the lease has run out', async () => {
    const stage = await held();
    await stage.pass(600_000);
    expect((await stage.run('run', '--yes', '--no-update')).exitCode).toBe(0);
  });

  test('by a run of this orchestrator that is over are taken over: its process died, or they were down as it ended', async () => {
    const stage = createStage({ machines: exampleMachines, wants });
    await stage.leaveUnfinished();
    for (const { name } of exampleMachines)
      expect(await stage.lease(name, 'take', '20261119-040000-dead')).toEqual({ kind: 'held' });
    const { shown, exitCode } = await stage.run('run', '--yes', '--no-update');
    expect(shown).toContain('takes over the lease that run');
    expect([exitCode, stage.world.effects.length > 0]).toEqual([0, true]);
    // Whatever the dead run may still have under way is refused.
    expect(await stage.lease('grey-area', 'renew', '20261119-040000-dead')).toMatchObject({ kind: 'taken' });
  });

  test('by a run of another machine are that one’s, though our journal has it: it may be a copy of a journal that is in use there', async () => {
    const stage = createStage({ machines: exampleMachines, wants });
    await stage.leaveUnfinished('laptop');
    for (const { name } of exampleMachines)
      expect(await stage.lease(name, 'take', '20261119-040000-dead')).toEqual({ kind: 'held' });
    const { shown, exitCode } = await stage.run(
      ...['run', 'sleeper-service', 'grey-area', '--yes', '--no-update'],
    );
    expect(shown).toContain('run RUN of bob@laptop holds it');
    expect([exitCode, stage.world.effects]).toEqual([5, []]);
    expect(await stage.lease('grey-area', 'renew', '20261119-040000-dead')).toEqual({ kind: 'held' });
    expect((await stage.run('journal', '--runs')).shown).toContain(
      'interrupted: it was begun on laptop, and may go on there',
    );
  });

  test('are told of by unlock, and taken away by naming the run', async () => {
    const stage = await held();
    const session = [
      await stage.run('unlock', 'grey-area'),
      await stage.run('unlock', 'grey-area', '--run', '20261120-000000-0000'),
      await stage.run('unlock', 'grey-area', '--run', theirs),
      await stage.run('unlock', 'grey-area'),
    ];
    // Who breaks a lease is who runs this test.
    const shown = session.map((each) => each.shown.replaceAll(/\S+@elsewhere/gu, 'YOU@elsewhere')).join('\n');
    await expect(shown).toMatchFileSnapshot('./golden/unlock.txt');
    expect(session.map(({ exitCode }) => exitCode)).toEqual([2, 2, 0, 0]);
    expect(await stage.lease('grey-area', 'renew', theirs)).toMatchObject({
      kind: 'taken',
      by: { state: 'broken' },
    });
    expect((await stage.run('reboot', 'grey-area', '--yes')).exitCode).toBe(0);
  });

  test('are given back when a run has ended, however it ended', async () => {
    const faults = { 'grey-area': [{ kind: 'activation-exit', code: 2 }] } as const;
    const stage = createStage({ machines: exampleMachines, wants, faults });
    expect((await stage.run('run', '--yes', '--no-update')).exitCode).toBe(3);
    for (const name of Object.keys(wants))
      expect(await stage.lease(name, 'take', theirs)).toEqual({ kind: 'held' });
  });

  test('are said not to be read where they do not answer', async () => {
    const stage = createStage({ machines: exampleMachines, faults: { 'grey-area': [{ kind: 'offline' }] } });
    const { shown, exitCode } = await stage.run('unlock', 'grey-area');
    expect(shown).toContain('its lease could not be read: grey-area refused the connection');
    expect(exitCode).toBe(1);
  });
});
