import { describe, expect, test } from 'vitest';
import type { EventBody } from '../../src/run/event.ts';
import { createStage, exampleMachines } from './stage.ts';

process.env.TZ = 'UTC';

const newKernel = { 'sleeper-service': '6.12.11', 'grey-area': '6.12.11' };
const minute = 60_000;

const rebooted = (stage: ReturnType<typeof createStage>): readonly string[] =>
  stage.world.effects.filter(({ kind }) => kind === 'reboot').map(({ machine }) => machine);

describe('a run under way', () => {
  test('is stopped from elsewhere after the step under way, and resumed to its end', async () => {
    const stage = createStage({ machines: exampleMachines, wants: newKernel });
    // While sleeper-service is down.
    stage.at(25_000, () => stage.askLatest('stop'));
    const stopped = await stage.run('run', '--yes', '--no-update');
    expect(stopped.exitCode).toBe(130);
    expect(stopped.out).toContain('stop requested by somebody');
    expect(stopped.out).toContain('sleeper-service: ✔ await boot');
    expect(stopped.out).not.toContain('gate after reboot');
    expect(rebooted(stage)).toEqual(['sleeper-service']);

    const resumed = await stage.run('resume');
    expect(resumed.exitCode).toBe(0);
    expect(resumed.out).toContain('sleeper-service: ✔ gate after reboot');
    expect(rebooted(stage)).toEqual(['sleeper-service', 'grey-area']);
    expect((await stage.run('resume')).shown).toContain('there is nothing to resume');
  });

  test('is aborted from elsewhere, and says what it gave up in the middle', async () => {
    const stage = createStage({ machines: exampleMachines, wants: newKernel });
    stage.at(25_000, () => stage.askLatest('abort'));
    const { out, exitCode } = await stage.run('run', '--yes', '--no-update');
    expect(exitCode).toBe(130);
    expect(out).toContain('told by somebody to stop at once: the steps under way are given up');
    expect(out).not.toContain('the steps under way end');
    expect(out).toContain('in the middle of sleeper-service (await-boot), and what came of it is not known');
    expect(out).toMatch(/sleeper-service +✖ unfinished .*\(await-boot was not finished\)/u);
  });

  test('approved or declined elsewhere takes its question back where it still stands', async () => {
    for (const [kind, exitCode] of [
      ['approve', 0],
      ['decline', 130],
    ] as const) {
      const stage = createStage({
        machines: exampleMachines,
        wants: newKernel,
        interactive: true,
        leavesQuestions: true,
      });
      stage.at(minute, () => stage.askLatest(kind));
      expect((await stage.run('run', '--no-update')).exitCode, kind).toBe(exitCode);
      expect(stage.asked).toEqual(['Go ahead? [y/N] ']);
    }
  });

  test('whose plan nobody answers expires, which is no answer', async () => {
    const stage = createStage({
      machines: exampleMachines,
      wants: newKernel,
      interactive: true,
      leavesQuestions: true,
    });
    const { out, exitCode } = await stage.run('run', '--no-update');
    expect(exitCode).toBe(130);
    expect(out).toContain('run expired: nobody answered the plan within 30 min: nothing was touched');
    expect(out).not.toContain('declined');
    expect(stage.elapsed()).toBeGreaterThanOrEqual(30 * minute);
    expect((await stage.run('journal', '--runs')).out).toContain('expired: nobody answered');
    expect(stage.world.effects).toEqual([]);
  });

  test('begins nothing new while it is paused', async () => {
    const stage = createStage({ machines: exampleMachines, wants: newKernel });
    stage.at(5_000, () => stage.askLatest('pause'));
    stage.at(30 * minute, () => stage.askLatest('unpause'));
    const { exitCode } = await stage.run('run', '--yes', '--no-update');
    expect(exitCode).toBe(0);
    const events = stage.journal.tail(1_000);
    const at = (kind: EventBody['kind']): number =>
      events.find(({ body }) => body.kind === kind)?.at ?? Number.NaN;
    expect(at('unpaused') - at('paused')).toBeGreaterThan(29 * minute);
    expect(events.find(({ body }) => body.kind === 'unpaused')?.body).toMatchObject({ by: 'somebody' });
    const begunMeanwhile = events.filter(
      ({ body, at: when }) => body.kind === 'step-intended' && when > at('paused') && when < at('unpaused'),
    );
    // What is live already is proven and confirmed: left alone, the machine would take it back.
    expect(begunMeanwhile.map(({ body }) => body.kind === 'step-intended' && body.step)).toEqual([
      'sleeper-service/gate-after-activation',
      'sleeper-service/confirm',
    ]);
  });

  test('hears the Ctrl-C that came while its process was being started', async () => {
    const stage = createStage({ machines: exampleMachines, wants: newKernel, stop: AbortSignal.abort() });
    const { exitCode } = await stage.run('run', '--yes', '--no-update');
    expect([exitCode, stage.world.effects]).toEqual([130, []]);
  });

  test('commands about it say when there is none', async () => {
    const stage = createStage({ machines: exampleMachines });
    for (const command of ['attach', 'stop', 'abort', 'pause', 'resume']) {
      const { shown, exitCode } = await stage.run(command);
      expect(shown).toContain('no run is under way');
      expect(exitCode).toBe(2);
    }
    expect((await stage.run('stop', 'yesterday')).shown).toContain('no run "yesterday" is recorded');
  });
});

test('a plan that waits for its answer is no part of what the run took', async () => {
  const stage = createStage({
    machines: exampleMachines,
    wants: newKernel,
    interactive: true,
    leavesQuestions: true,
  });
  const atOnce = createStage({ machines: exampleMachines, wants: newKernel });
  const { out: quick } = await atOnce.run('run', '--yes', '--no-update');
  stage.at(12 * 60_000, () => stage.askLatest('approve'));
  const { out } = await stage.run('run', '--no-update');
  const [, took] = /Run RUN: done after (.*)/u.exec(quick) ?? [];
  expect(out).toContain(`Run RUN: done after ${took} (its plan waited 12 min for an answer)`);
});

describe('a run whose process died', () => {
  const died = async (): Promise<ReturnType<typeof createStage>> => {
    const stage = createStage({ machines: exampleMachines, wants: newKernel });
    await stage.leaveUnfinished();
    return stage;
  };

  test('is offered for resumption before another begins', async () => {
    const stage = await died();
    const { shown, exitCode } = await stage.run('run', '--no-update');
    expect(exitCode).toBe(2);
    expect(shown).toContain('give --yes');
    const asked = createStage({ machines: exampleMachines, wants: newKernel, interactive: true });
    await asked.leaveUnfinished();
    const offered = await asked.run('run', '--no-update');
    expect(offered.exitCode).toBe(4);
    expect(offered.shown).toContain('was left unfinished: its process died');
    expect(asked.world.effects).toEqual([]);
  });

  test('is closed in the record when a run begins in its place with --yes', async () => {
    const stage = await died();
    const { out, exitCode } = await stage.run('run', '--yes', '--no-update');
    expect(exitCode).toBe(0);
    expect(out).toContain('was left unfinished');
    const runs = await stage.run('journal', '--runs');
    expect(runs.out).toMatch(/interrupted: its process died; run RUN began after it/u);
  });

  test('is closed by a reboot by hand only once the critical name is typed', async () => {
    const stage = createStage({ machines: exampleMachines, interactive: true });
    await stage.leaveUnfinished();
    const reboot = (answer: string) => {
      stage.answer(answer);
      return stage.run('reboot', 'reverse-proxy', '--yes');
    };
    const declined = await reboot('no');
    expect(declined.exitCode).toBe(130);
    expect(declined.shown).toContain('run RUN is as it was');
    expect(stage.asked).toEqual([expect.stringContaining('reverse-proxy is critical. Type its name')]);
    expect((await stage.run('journal', '--runs')).out).toContain('not ended');
    expect(stage.journal.runs(9)).toHaveLength(1);

    const typed = await reboot('reverse-proxy');
    expect(typed.out).toContain('this run begins in its place');
    expect([typed.exitCode, stage.asked.length]).toEqual([0, 2]);
    expect(rebooted(stage)).toEqual(['reverse-proxy']);
  });

  test('is closed by a reboot where it is needed without the name of a critical machine that needs none', async () => {
    const needless = createStage({ machines: exampleMachines, interactive: true });
    await needless.leaveUnfinished();
    const none = await needless.run('reboot', '*', '--needed', '--yes');
    expect([none.exitCode, needless.asked]).toEqual([0, []]);

    const stage = createStage({
      machines: exampleMachines,
      wants: { 'reverse-proxy': '6.12.11' },
      interactive: true,
      answers: ['no'],
    });
    // Its reboot into what it was given is still to come.
    await stage.run('deploy', 'reverse-proxy', '--mode', 'boot', '--yes');
    await stage.leaveUnfinished();
    const asked = await stage.run('reboot', '*', '--needed', '--yes');
    expect(stage.asked).toEqual([expect.stringContaining('reverse-proxy is critical. Type its name')]);
    expect([asked.exitCode, stage.journal.runs(9).length]).toEqual([130, 2]);
  });

  test('is closed by its rollback only once somebody has said yes to that', async () => {
    const stage = createStage({
      machines: exampleMachines,
      wants: newKernel,
      interactive: true,
      journalFullAfter: 22,
    });
    await stage.run('run', '--yes', '--no-update');
    stage.answer('n');
    const { shown, exitCode } = await stage.run('rollback', '--run', stage.journal.runs(1)[0]?.run ?? '');
    expect([exitCode, shown]).toEqual([130, expect.stringContaining('run RUN is as it was')]);
    expect(stage.asked).toEqual([expect.stringContaining('End it, and plan its rollback? [y/N]')]);
    expect((await stage.run('journal', '--runs')).out).toContain('not ended');
  });

  test('cannot be attached to, and says what can be done', async () => {
    const stage = await died();
    expect((await stage.run('attach')).shown).toContain('is gone');
    expect((await stage.run('attach')).shown).toContain('lab resume');
  });

  test('that had not been approved ends at resumption, with the lock file put back', async () => {
    const stage = await died();
    const { out, exitCode } = await stage.run('resume');
    expect(out).toContain('it had not been approved, so no machine was touched');
    expect(exitCode).toBe(130);
    expect(stage.world.effects).toEqual([]);
  });
});

test('a journal that cannot be written any more holds the run and says what to do', async () => {
  const stage = createStage({ machines: exampleMachines, wants: newKernel, journalFullAfter: 22 });
  const { shown, exitCode } = await stage.run('run', '--yes', '--no-update');
  expect(exitCode).toBe(4);
  expect(shown).toContain('the disk is full');
  expect(rebooted(stage)).toEqual([]);
});

describe('the machine that lab runs on', () => {
  const wants = { 'congenital-optimist': '6.12.11' };

  test('is left to its owner to reboot where nothing would resume the run', async () => {
    const stage = createStage({ machines: exampleMachines, wants, hostName: 'congenital-optimist' });
    const { out, exitCode } = await stage.run('run', '--yes', '--no-update');
    expect(exitCode).toBe(0);
    expect(out).toContain(
      'lab runs on this machine: reboot it yourself once the run is done (kernel 6.12.8 → 6.12.11',
    );
    expect(rebooted(stage)).toEqual([]);
  });

  test('reboots itself last, and the run goes on after its boot', async () => {
    const stage = createStage({
      machines: exampleMachines,
      wants,
      hostName: 'congenital-optimist',
      resumesAtBoot: true,
    });
    stage.onEffect((effect) => {
      if (effect.kind === 'reboot') stage.at(stage.elapsed() + 3_000, () => stage.shutDown());
    });
    const before = await stage.run('run', '--yes', '--no-update');
    expect(rebooted(stage)).toEqual(['congenital-optimist']);
    expect(before.out).toContain('goes on after this machine has booted');
    expect((await stage.run('journal', '--runs')).out).toContain('not ended');

    const after = await stage.run('resume', '--at-boot');
    expect(after.out).toContain('congenital-optimist: ✔ await boot');
    expect(after.out).toContain('congenital-optimist: ✔ gate after reboot');
    expect(after.exitCode).toBe(0);
    expect(rebooted(stage)).toEqual(['congenital-optimist']);
  });

  test('goes down once more before the run that rebooted it is over: the next boot ends it, and says so', async () => {
    const stage = createStage({
      machines: exampleMachines,
      wants,
      hostName: 'congenital-optimist',
      resumesAtBoot: true,
    });
    stage.onEffect((effect) => {
      if (effect.kind === 'reboot') stage.at(stage.elapsed() + 3_000, () => stage.shutDown());
    });
    await stage.run('run', '--yes', '--no-update');
    // The unit of its first boot saw that, and had come to the gate when the power failed.
    const run = stage.journal.runs(1)[0]?.run ?? expect.fail('no run');
    const step = (kind: string): string => `congenital-optimist/${kind}`;
    const bootId = '00000000-0000-4000-8000-000000000001';
    const facts = { note: 'as expected', bootId, current: null, profile: null, needsReboot: false };
    const outcome = { kind: 'succeeded', facts } as const;
    stage.journal.append(run, { kind: 'resumed', pid: 2 });
    stage.journal.append(run, { kind: 'step-intended', step: step('await-boot') });
    stage.journal.append(run, { kind: 'step-ended', step: step('await-boot'), outcome });
    stage.journal.append(run, { kind: 'step-intended', step: step('gate-after-reboot') });

    const { out } = await stage.run('resume', '--at-boot');
    expect(out).toContain('✖ gate after reboot: it rebooted again by itself');
    expect(out).toMatch(/congenital-optimist\s+✖ failed/u);
    expect(rebooted(stage)).toEqual(['congenital-optimist']);
    expect((await stage.run('resume', '--at-boot')).out).toBe('no run waits for the boot of this machine\n');
  });

  test('resumes nothing at boot but its own reboot', async () => {
    const stage = createStage({ machines: exampleMachines, wants });
    expect((await stage.run('resume', '--at-boot')).out).toBe('no run waits for the boot of this machine\n');
    await stage.leaveUnfinished();
    const { out, exitCode } = await stage.run('resume', '--at-boot');
    expect(out).toMatch(
      /^no run waits for the boot of this machine\nrun \S+ was left unfinished .*`lab resume`/u,
    );
    expect(exitCode).toBe(0);
  });
});
