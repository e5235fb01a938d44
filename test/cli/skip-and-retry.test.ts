import { describe, expect, test } from 'vitest';
import type { Fault } from '../../src/sim/fault.ts';
import { createStage, exampleMachines } from './stage.ts';

process.env.TZ = 'UTC';

const wants = { 'sleeper-service': '6.12.11', 'grey-area': '6.12.11' };
const golden = (name: string): string => `./golden/${name}.txt`;
const minute = 60_000;

/** A run that holds because sleeper-service, of high criticality, failed so. */
const held = async (fault: Fault): Promise<ReturnType<typeof createStage>> => {
  const stage = createStage({ machines: exampleMachines, wants, faults: { 'sleeper-service': [fault] } });
  const { exitCode } = await stage.run('run', '--yes', '--no-update');
  expect(exitCode).toBe(4);
  return stage;
};
const reboots = (stage: ReturnType<typeof createStage>): readonly string[] =>
  stage.world.effects.filter(({ kind }) => kind === 'reboot').map(({ machine }) => machine);

describe('a run that holds', () => {
  test('says what can be done, and is finished once somebody has seen to the machine', async () => {
    const stage = await held({ kind: 'never-comes-back' });
    const report = await stage.run('journal', '--report');
    expect(report.out).toContain('`lab retry sleeper-service` tries it again, once you have seen to it');
    // It was changed: nobody may just go on.
    expect(report.out).not.toContain('`lab skip');
    const skipped = await stage.run('skip', 'sleeper-service');
    expect([skipped.exitCode, skipped.shown]).toEqual([
      2,
      expect.stringContaining('was changed by this run and has failed'),
    ]);

    stage.world.heal('sleeper-service');
    await stage.pass(minute);
    const { shown, exitCode } = await stage.run('retry', 'sleeper-service');
    await expect(shown).toMatchFileSnapshot(golden('retry'));
    expect(exitCode).toBe(0);
    expect(reboots(stage)).toEqual(['sleeper-service', 'grey-area']);
    expect((await stage.run('retry', 'sleeper-service')).shown).toContain('has come to its goal');
  });

  test('holds again where nobody has', async () => {
    const stage = await held({ kind: 'unhealthy-after', cause: 'activation', forMs: null });
    const { out, exitCode } = await stage.run('retry', 'sleeper-service');
    expect(out).toContain('run reopened by amy (cli): sleeper-service is tried again');
    expect(exitCode).toBe(4);
    expect(reboots(stage)).toEqual([]);
  });

  test('goes on without a machine that is back at what it ran, and without what needs it', async () => {
    const stage = await held({ kind: 'activation-exit', code: 2 });
    const { shown, exitCode } = await stage.run('skip', 'sleeper-service');
    await expect(shown).toMatchFileSnapshot(golden('skip'));
    expect(exitCode).toBe(3);
    expect(reboots(stage)).toEqual([]);
  });

  test('is not gone on with once another run has begun', async () => {
    const stage = await held({ kind: 'never-comes-back' });
    const first = (await stage.run('journal', '--runs')).out;
    expect(first).toContain('held');
    const runs = stage.journal.runs(5);
    stage.world.heal('sleeper-service');
    await stage.pass(10 * minute);
    await stage.run('run', '--yes', '--no-update');
    const old = runs[0]?.run ?? '';
    const { shown, exitCode } = await stage.run('retry', 'sleeper-service', old);
    expect([exitCode, shown]).toEqual([2, expect.stringContaining('what the old one knows is out of date')]);
  });
});

describe('a critical machine that is tried again', () => {
  const failing: Fault = { kind: 'unhealthy-after', cause: 'activation', forMs: null };
  const critical = exampleMachines.map((machine) =>
    machine.name === 'sleeper-service'
      ? { ...machine, orchestration: { ...machine.orchestration, criticalityLevel: 'critical' as const } }
      : machine,
  );
  const heldBy = async (how: { readonly interactive: boolean; readonly answers?: readonly string[] }) => {
    const stage = createStage({
      ...how,
      machines: critical,
      wants,
      faults: { 'sleeper-service': [failing] },
    });
    expect((await stage.run('run', '--yes', '--no-update')).exitCode).toBe(4);
    stage.world.heal('sleeper-service');
    return { stage, before: stage.world.effects.length };
  };

  test('wants its name, where somebody can be asked: another leaves all as it is', async () => {
    const { stage, before } = await heldBy({
      interactive: true,
      answers: ['sleeper-servic', 'sleeper-service'],
    });
    const wrong = await stage.run('retry', 'sleeper-service');
    expect([wrong.exitCode, wrong.shown]).toEqual([130, expect.stringContaining('was not typed')]);
    expect(stage.world.effects).toHaveLength(before);
    const typed = await stage.run('retry', 'sleeper-service');
    expect(stage.asked).toEqual(
      Array.from({ length: 2 }, () => 'sleeper-service is critical. Type its name to try it again: '),
    );
    expect(typed.exitCode).toBe(0);
    expect(reboots(stage)).toEqual(['sleeper-service', 'grey-area']);
  });

  test('wants it given where nobody can be asked', async () => {
    const { stage, before } = await heldBy({ interactive: false });
    const refused = await stage.run('retry', 'sleeper-service');
    expect([refused.exitCode, refused.shown]).toEqual([
      2,
      expect.stringContaining('--confirm sleeper-service'),
    ]);
    const other = await stage.run('retry', 'sleeper-service', '--confirm', 'grey-area');
    expect(other.exitCode).toBe(2);
    expect(stage.world.effects).toHaveLength(before);
    expect((await stage.run('retry', 'sleeper-service', '--confirm', 'sleeper-service')).exitCode).toBe(0);
    expect(reboots(stage)).toEqual(['sleeper-service', 'grey-area']);
  });
});

describe('critical machines that were skipped because of the one that is tried again', () => {
  /** grey-area needs sleeper-service, which failed and is mended. */
  const left = async (how: { readonly interactive: boolean; readonly answers?: readonly string[] }) => {
    const machines = exampleMachines.map((machine) =>
      machine.name === 'sleeper-service'
        ? { ...machine, orchestration: { ...machine.orchestration, criticalityLevel: 'medium' as const } }
        : machine.name === 'grey-area'
          ? {
              ...machine,
              orchestration: { ...machine.orchestration, criticalityLevel: 'critical' as const },
            }
          : machine,
    );
    const faults = { 'sleeper-service': [{ kind: 'activation-exit', code: 2 }] as const };
    const stage = createStage({ ...how, machines, wants, faults });
    const { out } = await stage.run('run', '--yes', '--no-update');
    expect(out).toMatch(/grey-area +\S+ skipped +its dependency sleeper-service failed/u);
    stage.world.heal('sleeper-service');
    return { stage, before: stage.world.effects.length };
  };

  test('want their names too, where somebody can be asked', async () => {
    const { stage, before } = await left({ interactive: true, answers: ['yes', 'grey-area'] });
    const wrong = await stage.run('retry', 'sleeper-service');
    expect([wrong.exitCode, wrong.shown]).toEqual([
      130,
      expect.stringContaining('the name of grey-area was'),
    ]);
    expect(stage.world.effects).toHaveLength(before);
    expect((await stage.run('retry', 'sleeper-service')).exitCode).toBe(0);
    expect(stage.asked.at(-1)).toBe(
      'grey-area is critical. Type its name to try it again with sleeper-service: ',
    );
    expect(reboots(stage)).toEqual(['sleeper-service', 'grey-area']);
  });

  test('want them given where nobody can be asked', async () => {
    const { stage, before } = await left({ interactive: false });
    const refused = await stage.run('retry', 'sleeper-service', '--confirm', 'sleeper-service');
    expect([refused.exitCode, refused.shown]).toEqual([
      2,
      expect.stringContaining('grey-area is critical: trying it again with sleeper-service needs its name'),
    ]);
    expect(stage.world.effects).toHaveLength(before);
    expect((await stage.run('retry', 'sleeper-service', '--confirm', 'grey-area')).exitCode).toBe(0);
  });
});

describe('a run under way', () => {
  test('leaves out a machine that is still to come: the run is partial and names who wanted it', async () => {
    const stage = createStage({ machines: exampleMachines, wants });
    const skip = stage.meanwhile(20_000, 'skip', 'grey-area');
    const { out, exitCode } = await stage.run('run', '--yes', '--no-update');
    expect(skip()).toEqual({
      shown: 'run RUN: grey-area is left out; the run goes on without it (`lab attach` shows it)\n',
      exitCode: 0,
    });
    expect(out).toContain('grey-area: ! left out of the run by amy (cli)');
    expect(out).toMatch(/grey-area +\S+ skipped +skipped by amy \(cli\)/u);
    expect(exitCode).toBe(3);
    expect(reboots(stage)).toEqual(['sleeper-service']);
  });

  test('refuses one in the middle of it, one it does not know, and one that has not failed', async () => {
    const stage = createStage({ machines: exampleMachines, wants });
    const tries = [
      stage.meanwhile(3_000, 'skip', 'sleeper-service'),
      stage.meanwhile(20_000, 'skip', 'sleeper-service'),
      stage.meanwhile(20_000, 'skip', 'attitude-adjuster'),
      stage.meanwhile(20_000, 'retry', 'grey-area'),
    ];
    expect((await stage.run('run', '--yes', '--no-update')).exitCode).toBe(0);
    expect(tries.map((said) => said().exitCode)).toEqual([2, 2, 2, 2]);
    const [live, down, unknown, well] = tries.map((said) => said().shown);
    expect(live).toContain('is in the middle of its activation: left alone it would return');
    expect(down).toContain('is being rebooted: a machine that goes down is waited for');
    expect(unknown).toContain('is no machine of run RUN');
    expect(well).toContain('nothing has failed on grey-area');
  });

  test('is no longer waited for after Ctrl-C, and what was asked of it stays asked', async () => {
    const stage = createStage({ machines: exampleMachines, wants });
    const skip = stage.meanwhile(20_050, 'skip', 'grey-area');
    // Before the run has looked.
    stage.at(20_051, skip.press);
    const { out } = await stage.run('run', '--yes', '--no-update');
    expect(skip().exitCode).toBe(130);
    expect(skip().shown).toContain('What was asked stays in the journal, and the run may still do it');
    expect(out).toContain('grey-area: ! left out of the run by amy (cli)');
  });

  test('that waits for its answer, or none at all', async () => {
    const stage = createStage({ machines: exampleMachines, wants, interactive: true, leavesQuestions: true });
    expect((await stage.run('skip', 'grey-area')).shown).toContain('no run is under way');
    const early = stage.meanwhile(minute, 'skip', 'grey-area');
    stage.at(2 * minute, () => stage.askLatest('decline'));
    await stage.run('run', '--no-update');
    expect(early().shown).toContain('its plan is not approved yet');
  });

  test('whose process died is resumed first', async () => {
    const stage = createStage({ machines: exampleMachines, wants });
    await stage.leaveUnfinished();
    expect((await stage.run('retry', 'grey-area')).shown).toContain('lab resume RUN');
  });
});

test('help tells what each does', async () => {
  for (const command of ['skip', 'retry']) {
    const { shown, exitCode } = await createStage({ machines: [] }).run(command, '--help');
    expect([shown, exitCode]).toEqual([expect.stringContaining(`lab ${command} nas`), 0]);
  }
});
