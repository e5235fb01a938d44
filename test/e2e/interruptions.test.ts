import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Failure } from '../../src/failure.ts';
import type { EventBody, RunEvent } from '../../src/run/event.ts';
import type { RunReport } from '../../src/run/report.ts';
import { endsOnce, giveFile, startsOnce } from './held.ts';
import { type LabOnFleet, startLab, storiesPossible } from './lab.ts';
import { begins, machinesOf, outcomeOf, speaks, stepsIn, strayOn } from './story.ts';

/** Runs that are stopped, killed, watched, left and taken up again, by people at a terminal. */

const available = await storiesPossible('runs that are interrupted');

const names = ['one', 'two'] as const;
/** Longer than a machine waits here for a confirmation: what its gate may take, and a minute. */
const returnsWithinMs = 300_000;
/** Long enough to be stopped in. */
const stableMs = 20_000;
/** Longer than the steadiness that a gate of these stories wants to see is left, and than a look may take to begin. */
const standsStillMs = 25_000;

type RunsListed = { runs: { run: string; by: { pid: number }; ended: { result: string } | null }[] };

describe.skipIf(!available.ok)('a run that is interrupted', () => {
  let lab: LabOnFleet;
  let version = 0;
  beforeAll(async () => {
    lab = await startLab({ hosts: names }, (fleet) => machinesOf(fleet, { one: {}, two: {} }));
  });
  afterAll(async () => lab?.down());

  /**
   * From here on `one` has an activation before it that does not end before `goOn`, and a reboot where told so; `two`
   * has a quick activation after it.
   */
  const giveWork = async ({ reboot = false, healthy = 60, stable = 0, units = {} } = {}): Promise<void> => {
    version += 1;
    const knobs = reboot ? { kernelVersion: `6.13.${version}` } : { generation: `${version}` };
    await lab.flake.describe(
      machinesOf(lab.fleet, {
        one: {
          order: 1,
          knobs: {
            ...knobs,
            units: { [`wait-${version}.service`]: startsOnce(`/var/lib/go-on-${version}`), ...units },
          },
          policy: reboot ? 'when-needed' : 'never',
          healthy,
          stable,
        },
        two: { order: 2, knobs, policy: 'never' },
      }),
    );
  };
  const goOn = (): Promise<void> => giveFile(lab.fleet, 'one', `/var/lib/go-on-${version}`);

  const lastRun = async (): Promise<RunsListed['runs'][number]> => {
    const { body } = await lab.json<RunsListed>(['journal', '--runs']);
    const [last] = body.runs;
    if (last === undefined) throw new Error('no run is recorded');
    return last;
  };
  const signalEngine = async (name: 'SIGKILL' | 'SIGSTOP' | 'SIGCONT'): Promise<void> => {
    const { pid } = JSON.parse(await readFile(join(lab.stateDirectory, 'lock-holder.json'), 'utf8'));
    process.kill(pid, name);
  };
  const endOfProcess = (): Promise<void> => signalEngine('SIGKILL');
  const finish = async (): Promise<RunReport> => {
    const { code, body } = await lab.report(['run', '--yes']);
    expect(code, JSON.stringify(body)).toBe(0);
    return body;
  };
  const begun = (events: readonly RunEvent[], step: string): number =>
    stepsIn(events).filter((text) => text === `${step} begins`).length;
  const expectSound = async (): Promise<void> => {
    for (const name of names) {
      await lab.fleet.waitUntilUp(name);
      expect(await strayOn(lab.fleet, name)).toBe('');
      const { current, profile, next } = await lab.runs(name);
      expect([profile, next], name).toEqual([current, current]);
    }
  };

  test('Ctrl-C: the activation under way is finished up to its confirmation, nothing else begins, exit 130; the next run does the rest', async () => {
    await giveWork();
    const run = lab.start(['run', '--yes']);
    await run.until(speaks('one/activate-switch'));
    run.signal('SIGINT');
    await run.until(({ kind }) => kind === 'stop-requested');
    await goOn();
    const ended = await run.ended;
    expect(ended.code).toBe(130);
    const events = await lab.events();
    // Proven and confirmed too: left alone, the machine would take back what is live.
    expect(stepsIn(events).at(-1)).toBe('one/confirm succeeded');
    expect(events.at(-1)?.body).toMatchObject({ kind: 'run-ended', result: 'interrupted' });
    await expectSound();
    expect((await lab.runs('two')).generation).toBe(1);

    const report = await finish();
    expect(outcomeOf(report, 'one')).toMatchObject({ status: 'nothing' });
    expect(outcomeOf(report, 'two')).toMatchObject({ status: 'done' });
    await expectSound();
  });

  test('a second run is refused while one is under way: exit 5, and who holds it', async () => {
    await giveWork();
    const first = lab.start(['run', '--yes']);
    await first.until(begins('one/activate-switch'));
    const { code, body } = await lab.json<{ failure: Failure }>(['run', '--yes']);
    expect(code).toBe(5);
    expect(body.failure).toMatchObject({ kind: 'locked' });
    expect(body.failure.message).toContain((await lastRun()).run);
    // Looking on is allowed.
    expect((await lab.run(['status'])).code).toBe(0);
    expect((await lab.run(['plan'])).code).toBe(0);
    await goOn();
    const ended = await first.ended;
    expect(ended.code, ended.stdout).toBe(0);
    await expectSound();
  });

  test('whoever watches may go or be killed: the run goes on, and can be watched and stopped from elsewhere', async () => {
    await giveWork();
    const first = lab.start(['run', '--yes']);
    await first.until(begins('one/activate-switch'));
    first.signal('SIGKILL');
    expect((await first.ended).signal).toBe('SIGKILL');
    const again = lab.start(['attach']);
    expect((await lab.run(['stop'])).code).toBe(0);
    await again.until(({ kind }) => kind === 'stop-requested');
    await goOn();
    const ended = await again.ended;
    expect(ended.code).toBe(130);
    expect(await lastRun()).toMatchObject({ ended: { result: 'interrupted' } });
    expect(stepsIn(await lab.events()).at(-1)).toBe('one/confirm succeeded');
    await finish();
  });

  describe('its process is killed', () => {
    test('in an activation: the lock is free, the journal says so, and resume finishes it once', async () => {
      await giveWork({ reboot: true });
      const run = lab.start(['run', '--yes']);
      await run.until(speaks('one/activate-switch'));
      await endOfProcess();
      const died = await run.ended;
      expect(died.code).toBe(4);
      expect(died.stderr).toContain('lab resume');
      expect(await lastRun()).toMatchObject({ ended: null });
      expect((await lab.run(['journal', '--runs'])).stdout).toContain('not ended');
      expect(stepsIn(await lab.events()).at(-1)).toBe('one/activate-switch begins');

      const boots = await lab.fleet.boots('one');
      await goOn();
      const resumed = await lab.run(['resume']);
      expect(resumed.code, `${resumed.stdout}${resumed.stderr}`).toBe(0);
      const events = await lab.events();
      expect(begun(events, 'one/activate-switch')).toBe(2);
      expect(begun(events, 'one/reboot')).toBe(1);
      expect(events.at(-1)?.body).toMatchObject({ kind: 'run-ended', result: 'done' });
      expect(await lab.fleet.boots('one')).toBe(boots + 1);
      // One activation after all: one generation, and the unit of the first was followed.
      await expectSound();
    });

    test('and another begun while its activation goes on takes over its leases, and leaves the machine alone until that was taken back', async () => {
      // What is to be stopped lasts, before the new system is the current one: after that there would be nothing to do.
      await giveWork({ units: { 'lingers.service': endsOnce('/var/lib/may-end') } });
      await goOn();
      await finish();
      // Its gate, which is never reached, is a part of what the machine waits for a word.
      await giveWork({ healthy: 1 });
      const run = lab.start(['run', '--yes']);
      await run.until(speaks('one/activate-switch'));
      await endOfProcess();
      await run.ended;
      const { code, body } = await lab.report(['run', 'one', '--yes']);
      expect(code).toBe(1);
      expect(outcomeOf(body, 'one')).toMatchObject({
        status: 'skipped',
        failure: { kind: 'activation-in-progress', phase: 'preflight' },
      });
      await giveFile(lab.fleet, 'one', '/var/lib/may-end');
      await goOn();
      expect(outcomeOf(body, 'one').summary).toMatch(/lab-activate-switch-[0-9a-f-]+\.service/u);
      const running = ['systemctl', 'list-units', '--plain', '--no-legend', '--state=running', 'lab-*'];
      await expect
        .poll(() => lab.fleet.exec('one', running).then(({ stdout }) => stdout), {
          timeout: returnsWithinMs,
        })
        .toBe('');
      // Nobody confirmed it, so the machine took it back by itself; what comes next is a quick activation.
      await giveWork();
      await goOn();
      const report = await finish();
      expect(outcomeOf(report, 'one')).toMatchObject({ status: 'done' });
      expect(outcomeOf(report, 'two')).toMatchObject({ status: 'done' });
    });
  });

  test('its process is stopped in a gate, and goes on: what it did not see counts neither for the machine nor against it', async () => {
    await giveWork({ stable: stableMs / 1_000 });
    await goOn();
    const run = lab.start(['run', 'one', '--yes']);
    await run.until(speaks('one/gate-after-activation'));
    await signalEngine('SIGSTOP');
    // How long it stands still is the fault.
    await setTimeout(standsStillMs);
    await signalEngine('SIGCONT');
    const ended = await run.ended;
    expect(ended.code, ended.stdout).toBe(0);
    const events = await lab.events();
    const at = (what: (body: EventBody) => boolean): number => events.find(({ body }) => what(body))?.at ?? 0;
    // The whole time was watched, and not counted while nobody did.
    const watchedMs = at(begins('one/confirm')) - at(speaks('one/gate-after-activation'));
    expect(watchedMs).toBeGreaterThan(standsStillMs + stableMs - 3_000);
    await finish();
    await expectSound();
  });

  test('Ctrl-C twice: it ends at once; the machine goes on by itself, and resume finds out', async () => {
    await giveWork();
    const run = lab.start(['run', '--yes']);
    await run.until(speaks('one/activate-switch'));
    run.signal('SIGINT');
    await run.until(({ kind }) => kind === 'stop-requested');
    // Two at once would count as one, so it is pressed until one counted; a process that has all but ended is left alone.
    const again = setInterval(() => run.signal('SIGINT'), 250);
    await run.untilSaid('stopping at once').finally(() => clearInterval(again));
    expect((await run.ended).code).toBe(130);
    const events = await lab.events();
    expect(stepsIn(events).at(-1)).toBe('one/activate-switch begins');
    expect(events.at(-1)?.body).toMatchObject({ kind: 'run-ended', result: 'interrupted' });
    await goOn();
    const resumed = await lab.run(['resume']);
    expect(resumed.code, `${resumed.stdout}${resumed.stderr}`).toBe(0);
    await expectSound();
  });
});
