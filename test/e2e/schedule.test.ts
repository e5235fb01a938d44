import { dirname } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { RunReport } from '../../src/run/report.ts';
import type { FlakeMachines } from '../fleet/lab-flake.ts';
import { type LabOnFleet, soonMs, startLab, storiesPossible } from './lab.ts';
import { machinesOf, outcomeOf } from './story.ts';

/**
 * Runs that nobody starts by hand: by a real systemd's timer, from the module, on a machine of the fleet itself; and by
 * `lab daemon` where there is no systemd.
 */

const available = await storiesPossible('the schedule');

const webTold = { order: 1, criticality: 'critical' } as const;
const flakeOnControl = '/srv/lab';
/** Of `control`: as long as they are there its timer fires in each boot, what resumes at a boot waits in it, gates wait. */
const armedAtBoot = '/var/lib/armed-at-boot';
const holdsResume = '/var/lib/holds-resume';
const ill = '/var/lib/ill';
/** Folders of the fleet that `control` sees: the program, the flake with its inputs, and the way to the others. */
const shares = ['program', 'lab', 'ssh', dirname(process.execPath)];

/** Time for a daemon to be there before its run is due; one that is later begins it a minute later. */
const beginsInMs = 10_000;

describe.skipIf(!available.ok)('a schedule', () => {
  let lab: LabOnFleet;
  let machines: FlakeMachines;
  beforeAll(async () => {
    lab = await startLab({ hosts: ['control', 'web'], shares }, (fleet) => machinesOf(fleet, { web: {} }));
    const { control, web } = machinesOf(lab.fleet, {
      control: {
        order: 2,
        page: false,
        healthy: 600,
        config: {
          services: {
            'lab-orchestrator': { enable: true, flake: flakeOnControl, user: 'root', schedule: '*:*:0/4' },
          },
          systemd: {
            timers: {
              'lab-orchestrator': {
                // The default may be late by a minute.
                timerConfig: { AccuracySec: '100ms' },
                // Not again after a boot, unless that is told: each test starts it when it wants a run.
                unitConfig: { ConditionPathExists: ['|/run/armed', `|${armedAtBoot}`] },
              },
            },
            services: {
              'lab-orchestrator-resume': {
                serviceConfig: {
                  ExecStartPre: `/bin/sh -c 'while [ -e ${holdsResume} ] && ! [ -e /run/armed ]; do sleep 0.1; done'`,
                  TimeoutStartSec: 'infinity',
                },
              },
            },
          },
        },
      },
      web: webTold,
    });
    const isWell = { type: 'command', name: 'well', command: `test ! -e ${ill}`, retries: 0 };
    const orchestrator = { lab: { machine: { orchestrator: true, healthChecks: [isWell] } } };
    machines = {
      control: { ...control, force: orchestrator, program: lab.program },
      ...(web === undefined ? {} : { web }),
    };
    await lab.flake.describe(machines);
  });
  afterAll(async () => lab?.down());

  describe('of lab daemon', () => {
    test('begins a run when its time has come, and leaves on SIGTERM', async () => {
      // Once, and not again before it has left.
      const second = new Date(Date.now() + beginsInMs).getSeconds();
      const daemon = lab.start(['daemon', '--cron', `${second} * * * * *`, '--no-update', 'web']);
      await daemon.until(({ kind }) => kind === 'run-ended');
      daemon.signal('SIGTERM');
      const ended = await daemon.ended;
      expect(ended).toMatchObject({ code: 0, signal: null });
      const events = await lab.events();
      expect(events[0]?.body).toMatchObject({ kind: 'run-started', by: { via: 'daemon' } });
      expect(events.at(-1)?.body).toMatchObject({ kind: 'run-ended', result: 'done' });
      expect(await lab.fleet.boots('web')).toBe(2);
      // The lock is free, and nothing goes on.
      expect((await lab.report(['run', 'web', '--no-update', '--yes'])).code).toBe(0);
    });
  });

  describe('of the module, on a machine with systemd', () => {
    const onControl = async (...argv: readonly string[]): Promise<string> => {
      const { code, stdout, stderr } = await lab.fleet.exec('control', argv);
      expect(code, `${argv.join(' ')}: ${stdout}${stderr}`).toBe(0);
      return stdout;
    };
    const soon = (assertion: () => Promise<void>): Promise<void> =>
      vi.waitFor(assertion, { timeout: 3 * soonMs, interval: 500 });
    /** Lets the timer fire until it is stopped. */
    const arm = async (): Promise<void> => {
      await onControl('touch', '/run/armed');
      await onControl('systemctl', 'start', 'lab-orchestrator.timer');
    };
    const disarm = async (): Promise<void> => {
      await onControl('systemctl', 'stop', 'lab-orchestrator.timer');
      await onControl('rm', '-f', '/run/armed', armedAtBoot);
      // It may have begun one more.
      const show = ['systemctl', 'show', '--property=ActiveState', '--value', 'lab-orchestrator.service'];
      await soon(async () => expect(await onControl(...show)).not.toContain('activating'));
    };
    /** What systemd wrote of a unit since the machine booted. */
    const said = (unit: string) => onControl('journalctl', `--unit=${unit}`, '--output=cat');
    const labOnControl = async <T>(...words: readonly string[]): Promise<T> => {
      const env = ['env', 'LAB_STATE_DIR=/var/lib/lab'];
      return JSON.parse(await onControl(...env, ...lab.program, ...words, '--json')) as T;
    };
    type Listed = {
      readonly run: string;
      readonly by: { readonly via: string };
      readonly ended: { readonly result: string } | null;
    };
    const allRuns = async (): Promise<readonly Listed[]> =>
      (await labOnControl<{ runs: readonly Listed[] }>('journal', '--runs')).runs;
    /** The report of the latest run that has ended: another may have begun since. */
    const reportOfLast = async (): Promise<RunReport> => {
      const last = (await allRuns()).find(({ ended }) => ended !== null)?.run ?? '';
      return (await labOnControl<{ report: RunReport }>('journal', '--report', '--run', last)).report;
    };

    beforeAll(async () => {
      await onControl('sh', '-c', 'mkdir -p ~root/.ssh');
      await onControl('sh', '-c', `echo 'Include ${lab.fleet.sshConfigPath}' >~root/.ssh/config`);
      await onControl('git', 'clone', '--quiet', lab.flake.folder, flakeOnControl);
      const { code, body } = await lab.report(['deploy', 'control', '--yes']);
      expect(code, JSON.stringify(body)).toBe(0);
      await lab.flake.releaseKernel('6.14.1');
    });

    test('begins a run by the timer: update, deploy, reboot of the others and at last of its own machine', async () => {
      await arm();
      await soon(async () => expect((await allRuns())[0]?.ended?.result).toEqual(expect.any(String)));
      const report = await reportOfLast();
      expect(report, JSON.stringify(report)).toMatchObject({ result: 'done', exitCode: 0 });
      expect((await allRuns()).map(({ by }) => by.via)).toEqual(['timer']);
      for (const name of ['web', 'control']) {
        expect(outcomeOf(report, name)).toMatchObject({ status: 'done', rebooted: true });
        expect((await lab.runs(name)).booted).toBe(outcomeOf(report, name).to);
        const kernel = await lab.fleet.exec(name, ['cat', '/run/booted-system/kernel']);
        expect(kernel.stdout).toBe('a stand-in for Linux 6.14.1\n');
      }
      expect((await lab.fleet.rebootOrder()).slice(-2)).toEqual(['web', 'control']);
      expect(await lab.fleet.boots('control')).toBe(2);
      // The run went on by the unit that waits for it at the boot.
      await soon(async () =>
        expect(await said('lab-orchestrator-resume')).toContain('Deactivated successfully'),
      );
    });

    test('fires in the very boot that its run waits for: what begins meanwhile gives way, and that run goes on', async () => {
      const before = await allRuns();
      const boots = { web: await lab.fleet.boots('web'), control: await lab.fleet.boots('control') };
      await lab.flake.releaseKernel('6.14.2');
      await onControl('touch', armedAtBoot, holdsResume);
      await arm();
      await soon(async () => expect(await lab.fleet.boots('control')).toBe(boots.control + 1));

      // Before the unit that takes the run up: that of the timer waits for it, and what is begun by hand gives way.
      await soon(async () =>
        expect(await onControl('systemctl', 'list-jobs')).toMatch(
          /lab-orchestrator\.service +start +waiting/u,
        ),
      );
      expect(await onControl('systemctl', 'list-jobs')).toMatch(
        /lab-orchestrator-resume\.service +start +running/u,
      );
      const [open] = await allRuns();
      expect(open).toMatchObject({ by: { via: 'timer' }, ended: null });
      const byHand = ['env', 'LAB_STATE_DIR=/var/lib/lab', ...lab.program, 'run', '--flake', flakeOnControl];
      const refused = await lab.fleet.exec('control', [...byHand, '--yes', '--no-update']);
      expect([refused.code, refused.stderr]).toEqual([
        5,
        expect.stringContaining(
          `run ${open?.run} has rebooted this machine, and goes on by itself after its boot`,
        ),
      ]);

      // And as it goes on, held in its last gate.
      await onControl('touch', ill);
      await onControl('rm', holdsResume);
      await soon(async () =>
        expect(await said('lab-orchestrator')).toMatch(/Main process exited, code=exited, status=5/u),
      );
      expect((await allRuns())[0]).toMatchObject({ run: open?.run, ended: null });
      await disarm();
      await onControl('rm', ill);
      await soon(async () => expect((await allRuns())[0]?.ended?.result).toEqual(expect.any(String)));

      // Nothing but this one run is on record, which did all of it once.
      expect((await allRuns()).map(({ run }) => run)).toEqual([open?.run, ...before.map(({ run }) => run)]);
      const report = await reportOfLast();
      expect(report, JSON.stringify(report)).toMatchObject({ result: 'done', exitCode: 0 });
      for (const name of ['web', 'control'] as const) {
        expect(outcomeOf(report, name)).toMatchObject({ status: 'done', rebooted: true });
        expect((await lab.runs(name)).booted).toBe(outcomeOf(report, name).to);
        expect(await lab.fleet.boots(name)).toBe(boots[name] + 1);
      }
      expect(await said('lab-orchestrator-resume')).not.toContain('Failed with result');
      // No boot after it waits for anything.
      await lab.fleet.reboot('control');
      await soon(async () =>
        expect(await said('lab-orchestrator-resume')).toContain('no run waits for the boot of this machine'),
      );
    });

    test('ends after the step under way where the unit that took it up at the boot is stopped, and says so', async () => {
      const boots = await lab.fleet.boots('control');
      await lab.flake.releaseKernel('6.14.3');
      await onControl('touch', holdsResume);
      await arm();
      await soon(async () => expect(await lab.fleet.boots('control')).toBe(boots + 1));
      await soon(async () => void (await onControl('touch', ill)));
      await onControl('rm', holdsResume);
      await soon(async () =>
        expect(await said('lab-orchestrator-resume')).toContain('gate after reboot: waiting'),
      );
      const [open] = await allRuns();
      await onControl('systemctl', 'stop', '--no-block', 'lab-orchestrator-resume');
      const record = async (): Promise<string> =>
        await onControl('env', 'LAB_STATE_DIR=/var/lib/lab', ...lab.program, 'journal', '--lines', '20');
      await soon(async () => expect(await record()).toContain('stop requested by'));
      await onControl('rm', ill);
      await soon(async () => expect((await allRuns())[0]?.ended?.result).toEqual(expect.any(String)));
      expect((await allRuns())[0]).toMatchObject({ run: open?.run, ended: { result: 'interrupted' } });
      expect(await record()).toMatch(/gate after reboot: 1 check passes/u);
      await disarm();
    });

    test('leaves a unit that succeeded when the run did', async () => {
      await arm();
      await soon(async () =>
        expect(await said('lab-orchestrator')).toMatch(/Deactivated successfully|Failed with result/u),
      );
      await disarm();
      expect(await said('lab-orchestrator')).not.toContain('Failed with result');
      const report = await reportOfLast();
      expect(report).toMatchObject({ result: 'done' });
      expect(report.machines.map(({ status }) => status)).toEqual(['nothing', 'nothing']);
    });

    test('leaves a unit that failed, with the exit code of the run', async () => {
      const { control } = machines;
      const { web } = machinesOf(lab.fleet, { web: { ...webTold, page: false, healthy: 3 } });
      if (web === undefined || control === undefined) throw new Error('a machine is not described');
      const before = (await lab.runs('web')).current;
      await lab.flake.describe({ control, web });
      await onControl('git', '-C', flakeOnControl, 'checkout', '--quiet', 'flake.lock');
      await onControl('git', '-C', flakeOnControl, 'pull', '--quiet');
      await arm();
      await soon(async () =>
        expect(await said('lab-orchestrator')).toContain("Failed with result 'exit-code'"),
      );
      await disarm();
      expect(await said('lab-orchestrator')).toMatch(/Main process exited, code=exited, status=4/u);
      const held = await reportOfLast();
      expect(held).toMatchObject({ result: 'held', exitCode: 4, failure: { machine: 'web' } });
      expect(outcomeOf(held, 'web').status).toBe('restored');
      expect((await lab.runs('web')).current).toBe(before);
    });
  });
});
