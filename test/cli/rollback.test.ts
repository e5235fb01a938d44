import { describe, expect, test } from 'vitest';
import { toplevelOf } from '../simulation/fleet.ts';
import { createStage, exampleMachines } from './stage.ts';

const golden = (name: string): string => `golden/${name}.txt`;

describe('lab generations', () => {
  test('lists them, newest first, with what runs and what would boot', async () => {
    const stage = createStage({ machines: exampleMachines });
    const { shown, exitCode } = await stage.run('generations', 'grey-area');
    await expect(shown).toMatchFileSnapshot(golden('generations'));
    expect(exitCode).toBe(0);
  });

  test('tells of machines that do not answer', async () => {
    const stage = createStage({
      machines: exampleMachines,
      faults: { 'grey-area': [{ kind: 'offline' }] },
    });
    const { out, exitCode } = await stage.run('generations', 'grey-area', 'reverse-proxy');
    expect(out).toMatch(/^grey-area: .*\n {6}→ /mu);
    expect(out).toMatch(/^reverse-proxy\n/mu);
    expect(exitCode).toBe(3);
  });

  test('as JSON', async () => {
    const { out } = await createStage({ machines: exampleMachines }).run(
      'generations',
      'grey-area',
      '--json',
    );
    expect(JSON.parse(out)).toMatchObject({
      schema: 'lab/generations/1',
      machines: [
        {
          machine: 'grey-area',
          failure: null,
          generations: [{ number: 41, isDefault: true }, { number: 40 }],
        },
      ],
    });
  });
});

const newKernel = { 'sleeper-service': '6.12.9', 'grey-area': '6.12.9', 'reverse-proxy': '6.12.9' };
const latestRun = (stage: ReturnType<typeof createStage>): string => stage.journal.runs(1)[0]?.run ?? '';
const runsNow = (stage: ReturnType<typeof createStage>, name: string) => {
  const { current, profile, booted, generation } = stage.world.look(name);
  return { current, profile, booted, generation };
};
const at = (name: string, version: string, generation: number) => {
  const toplevel = toplevelOf(name, version);
  return { current: toplevel, profile: toplevel, booted: toplevel, generation };
};

describe('lab rollback MACHINE', () => {
  test('returns to the generation before, with gates and the reboot it needs', async () => {
    const stage = createStage({ machines: exampleMachines });
    const { shown, exitCode } = await stage.run('rollback', 'grey-area', '--yes');
    await expect(shown).toMatchFileSnapshot(golden('rollback'));
    expect(exitCode).toBe(0);
    expect(runsNow(stage, 'grey-area')).toEqual(at('grey-area', 'older', 40));
    expect(stage.world.effects.map(({ machine }) => machine)).not.toContain('sleeper-service');
  });

  test('goes forward again by number, and back without the reboot that it is not asked for', async () => {
    const stage = createStage({ machines: exampleMachines });
    await stage.run('rollback', 'grey-area', '--yes');
    const forward = await stage.run('rollback', 'grey-area', '--to', '41', '--no-reboot', '--yes');
    expect(forward.out).toContain('reboot: no: not asked for, though: kernel 6.12.1 → 6.12.8');
    expect(forward.exitCode).toBe(0);
    expect(runsNow(stage, 'grey-area')).toEqual({
      ...at('grey-area', 'old', 41),
      booted: toplevelOf('grey-area', 'older'),
    });
  });

  test('shows what it would do and does nothing with --dry-run', async () => {
    const stage = createStage({ machines: exampleMachines });
    const { out, exitCode } = await stage.run('rollback', 'grey-area', '--dry-run');
    expect(out).toContain('rollback to the previous generation');
    expect(out).toContain('back to generation 40 of 2026-11-18');
    expect(exitCode).toBe(0);
    expect(stage.world.effects).toEqual([]);
  });

  test('wants the name of a critical machine that it reboots', async () => {
    const stage = createStage({ machines: exampleMachines });
    const refused = await stage.run('rollback', 'reverse-proxy', '--yes');
    expect(refused.out).toContain('give --confirm reverse-proxy');
    expect(stage.world.effects).toEqual([]);
    const given = await stage.run('rollback', 'reverse-proxy', '--yes', '--confirm', 'reverse-proxy');
    expect(given.exitCode).toBe(0);
  });

  test.each([
    ['a generation that is not there', ['grey-area', '--to', '7'], 1, 'grey-area has no generation 7'],
    ['one number for many', ['grey-area', 'reverse-proxy', '--to', '40'], 2, '--to means one machine'],
    ['no number', ['grey-area', '--to', 'previous'], 2, '--to takes the number of a generation'],
    ['a number that is none', ['grey-area', '--to', '-1'], 2, '--to takes the number of a generation'],
    ['nothing at all', [], 2, 'name the machines to return'],
    ['a machine that is not there', ['gray-area'], 2, 'did you mean "grey-area"'],
    ['both --to and --run', ['--run', '20260101-000000-0000', '--to', '4'], 2, '--to has no place beside it'],
    ['no such run', ['--run', '20260101-000000-0000'], 2, 'no run'],
    ['no id of a run', ['--run', 'yesterday'], 2, '"yesterday" is not the id of a run'],
  ])('refuses %s', async (_, words, code, said) => {
    const stage = createStage({ machines: exampleMachines });
    const { shown, exitCode } = await stage.run('rollback', ...words, '--yes');
    expect(shown).toContain(said);
    expect(exitCode).toBe(code);
    expect(stage.world.effects).toEqual([]);
  });

  test('names the generations that there are when one is not', async () => {
    const stage = createStage({ machines: exampleMachines });
    const { out } = await stage.run('rollback', 'grey-area', '--to', '7', '--yes');
    expect(out).toContain('it has 41, 40: `lab generations grey-area`');
  });

  test('skips a machine that does not answer and says so', async () => {
    const stage = createStage({
      machines: exampleMachines,
      faults: { 'grey-area': [{ kind: 'offline' }] },
    });
    const { out, exitCode } = await stage.run('rollback', 'grey-area', '--yes');
    expect(out).toContain('grey-area: skipped');
    expect(exitCode).toBe(1);
  });
});

describe('lab rollback --run', () => {
  const critical = ['--confirm', 'reverse-proxy'];

  test('undoes a run backwards, and returns to the numbers that were', async () => {
    const stage = createStage({ machines: exampleMachines, wants: newKernel });
    await stage.run('run', '--yes');
    const from = stage.world.effects.length;
    const { shown, exitCode } = await stage.run('rollback', '--run', latestRun(stage), '--yes', ...critical);
    await expect(shown).toMatchFileSnapshot(golden('rollback-run'));
    expect(exitCode).toBe(0);
    const order = stage.world.effects
      .slice(from)
      .flatMap((effect) => (effect.kind === 'reboot' ? [effect.machine] : []));
    expect(order).toEqual(['reverse-proxy', 'grey-area', 'sleeper-service']);
    for (const name of order) expect(runsNow(stage, name)).toEqual(at(name, 'old', 41));
  });

  test('can itself be undone', async () => {
    const stage = createStage({ machines: exampleMachines, wants: newKernel });
    await stage.run('run', '--yes');
    await stage.run('rollback', '--run', latestRun(stage), '--yes', ...critical);
    const { exitCode } = await stage.run('rollback', '--run', latestRun(stage), '--yes', ...critical);
    expect(exitCode).toBe(0);
    expect(runsNow(stage, 'grey-area')).toEqual(at('grey-area', 'new', 42));
  });

  test('returns of that run only the machines named', async () => {
    const stage = createStage({ machines: exampleMachines, wants: newKernel });
    await stage.run('run', '--yes');
    const run = latestRun(stage);
    const { exitCode } = await stage.run('rollback', 'grey-area', '--run', run, '--yes');
    expect(exitCode).toBe(0);
    expect(runsNow(stage, 'grey-area')).toEqual(at('grey-area', 'old', 41));
    expect(runsNow(stage, 'sleeper-service')).toEqual(at('sleeper-service', 'new', 42));
    const none = await stage.run('rollback', 'congenital-optimist', '--run', run, '--yes');
    expect(none.out).toContain('none of them is chosen');
    expect(none.exitCode).toBe(2);
  });

  test('works when the flake does not evaluate any more', async () => {
    const stage = createStage({ machines: exampleMachines, wants: newKernel });
    await stage.run('run', '--yes');
    stage.breakFlake();
    const { out, exitCode } = await stage.run('rollback', '--run', latestRun(stage), '--yes', ...critical);
    expect(out).toContain('the machines are taken as earlier runs recorded them');
    expect(exitCode).toBe(0);
    const alone = await stage.run('rollback', 'grey-area', '--to', '40', '--yes');
    expect(alone.exitCode).toBe(0);
    expect(runsNow(stage, 'grey-area')).toEqual(at('grey-area', 'older', 40));
  });

  test('takes a machine that the flake has lost, or cannot evaluate, as it was recorded', async () => {
    const stage = createStage({ machines: exampleMachines, wants: newKernel });
    await stage.run('run', '--yes');
    const run = latestRun(stage);
    const others = exampleMachines.filter(({ name }) => name !== 'grey-area' && name !== 'reverse-proxy');
    stage.describe({
      machines: others,
      failed: [{ name: 'grey-area', message: "attribute 'pkgz' missing", remedy: 'repair it' }],
    });
    const { out, exitCode } = await stage.run('rollback', '--run', run, '--yes', ...critical);
    expect(out).toContain(
      'taken as an earlier run recorded them, for the flake does not describe them now: grey-area, reverse-proxy',
    );
    expect(exitCode).toBe(0);
    expect(runsNow(stage, 'reverse-proxy')).toEqual(at('reverse-proxy', 'old', 41));
  });

  test('judges a generation by the checks it came with, and what is still to go back by those of today', async () => {
    const stage = createStage({ machines: exampleMachines, wants: newKernel });
    await stage.run('run', '--yes');
    const deployed = latestRun(stage);
    await stage.run('rollback', '--run', deployed, '--yes', ...critical);
    await stage.run('rollback', '--run', latestRun(stage), '--yes', ...critical);
    const more = { type: 'systemd', unit: 'more.service' } as const;
    const added = {
      ...more,
      name: 'more',
      from: 'target',
      timeoutSeconds: 5,
      retries: 0,
      intervalSeconds: 1,
    } as const;
    stage.describe({
      machines: exampleMachines.map((machine) =>
        machine.name === 'grey-area'
          ? { ...machine, healthChecks: [...machine.healthChecks, added] }
          : machine,
      ),
      failed: [],
    });
    const { out } = await stage.run('rollback', '--run', deployed, '--yes', ...critical);
    expect(out).toContain(
      'grey-area is judged by the health checks of run RUN, which deployed what it goes back to',
    );
    expect(out).toContain('grey-area: ✔ gate after activation: 1 check passes');
    // Its dependent goes before it, and looks at what still runs.
    expect(out).toContain('reverse-proxy: dependencies: grey-area: 2 checks pass');
  });

  test('of a run that its process left in the middle needs no --yes, and answers for itself', async () => {
    const stage = createStage({ machines: exampleMachines, interactive: true, answers: ['y'] });
    await stage.leaveUnfinished();
    const other = await stage.run('rollback', 'grey-area');
    expect(other.shown).toContain('was left unfinished');
    const { shown } = await stage.run('rollback', '--run', '20261119-040000-dead');
    expect(shown).toContain('changed no machine');
  });

  test('of a run that is not there begins none, so what was left unfinished can still be resumed', async () => {
    const stage = createStage({ machines: exampleMachines });
    await stage.leaveUnfinished();
    const { shown, exitCode } = await stage.run('rollback', '--run', '20261119-040000-dada', '--yes');
    expect(shown).toContain('no run "RUN" is recorded');
    expect([exitCode, latestRun(stage)]).toEqual([2, '20261119-040000-dead']);
  });

  test('leaves alone what was changed since, and those beneath it, and says why', async () => {
    const stage = createStage({ machines: exampleMachines, wants: newKernel });
    await stage.run('run', '--yes');
    const run = latestRun(stage);
    await stage.run('rollback', 'grey-area', '--to', '40', '--yes');
    const { out, exitCode } = await stage.run('rollback', '--run', run, '--yes', ...critical);
    expect(out).toMatch(/grey-area was changed since run RUN: it would boot .*-older/u);
    expect(out).toContain('that was run RUN: `lab rollback --run RUN` first');
    expect(out).toContain('grey-area, which needs it, does not go back in this plan');
    expect(exitCode).toBe(3);
    expect(runsNow(stage, 'reverse-proxy')).toEqual(at('reverse-proxy', 'old', 41));
    expect(runsNow(stage, 'grey-area')).toEqual(at('grey-area', 'older', 40));
    expect(runsNow(stage, 'sleeper-service')).toEqual(at('sleeper-service', 'new', 42));
  });

  test('of a run of another flake is refused, with the flake to give', async () => {
    const stage = createStage({ machines: exampleMachines });
    stage.leaveRunOf('/etc/elsewhere', '20261119-040000-beef');
    const { shown, exitCode } = await stage.run('rollback', '--run', '20261119-040000-beef', '--yes');
    expect(shown).toContain('was of the flake /etc/elsewhere, not of /');
    expect(shown).toContain('give --flake /etc/elsewhere');
    expect(exitCode).toBe(2);
  });

  test('of a run that changed nothing is refused', async () => {
    const stage = createStage({ machines: exampleMachines });
    await stage.run('run', '--yes');
    const { shown, exitCode } = await stage.run('rollback', '--run', latestRun(stage), '--yes');
    expect(shown).toContain('changed no machine');
    expect(exitCode).toBe(2);
  });

  test('sends a machine that is sick before those that need it', async () => {
    const stage = createStage({
      machines: exampleMachines,
      wants: newKernel,
      faults: {
        'sleeper-service': [{ kind: 'falls-ill', atMs: 3_600_000, forMs: null }],
      },
    });
    await stage.run('run', '--yes');
    await stage.wait(2 * 3_600_000);
    const from = stage.world.effects.length;
    const { out } = await stage.run('rollback', '--run', latestRun(stage), '--yes', ...critical);
    expect(out).toContain('! sleeper-service is not healthy: it goes back before those that need it');
    const order = stage.world.effects.slice(from).map(({ machine }) => machine);
    expect([...new Set(order)].slice(0, 2)).toEqual(['reverse-proxy', 'sleeper-service']);
  });
});
