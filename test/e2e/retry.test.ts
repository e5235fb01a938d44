import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { runProcess } from '../../src/process/run.ts';
import type { EventBody } from '../../src/run/event.ts';
import type { RunReport } from '../../src/run/report.ts';
import { copyIsHeld, giveFile, holdCopies, holdNoCopies, letCopiesGoOn, startsOnce } from './held.ts';
import { type LabOnFleet, soonMs, startLab, storiesPossible } from './lab.ts';
import { begins, clinging, machinesOf, outcomeOf, stepsIn, strayOn, type Told } from './story.ts';

/** Runs that hold, and what somebody makes of them: see why, mend the machine, try again; or leave it out and go on. */

const available = await storiesPossible('runs that hold and are gone on with');

const names = ['nas', 'app', 'web'] as const;
type Name = (typeof names)[number];
/** Started by the new generation alone, it fails until somebody makes it its file. */
const wantsFile = (file: string): string =>
  `[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/usr/bin/test -e ${file}\n[Install]\nWantedBy=multi-user.target\n`;

describe.skipIf(!available.ok)('a run that holds', () => {
  let lab: LabOnFleet;
  let version = 0;
  beforeAll(async () => {
    lab = await startLab({ hosts: names }, (fleet) => machinesOf(fleet, { nas: {}, app: {}, web: {} }));
  });
  afterAll(async () => lab?.down());

  /** Something new for all of them, with a reboot where told so; nas goes first, and app needs it. */
  const giveWork = async (nas: Told, reboot: boolean): Promise<void> => {
    version += 1;
    const knobs = reboot ? { kernelVersion: `6.14.${version}` } : { generation: `retry-${version}` };
    await lab.flake.describe(
      machinesOf(lab.fleet, {
        nas: { order: 1, criticality: 'high', healthy: 20, ...nas, knobs: { ...knobs, ...nas.knobs } },
        app: { order: 2, needs: ['nas'], knobs },
        web: { order: 3, knobs },
      }),
    );
  };
  const held = async (): Promise<RunReport> => {
    const { code, body } = await lab.report(['run', '--yes']);
    expect([code, body.result], JSON.stringify(body)).toEqual([4, 'held']);
    return body;
  };
  const retry = async (): Promise<void> => {
    const { code, stdout, stderr } = await lab.run(['retry', 'nas']);
    expect(code, `${stdout}${stderr}`).toBe(0);
    expect(stdout).toMatch(/run reopened by .*: nas is tried again/u);
  };
  const reportNow = async (): Promise<RunReport> =>
    (await lab.json<{ report: RunReport }>(['journal', '--report'])).body.report;
  const begun = async (step: string): Promise<number> =>
    stepsIn(await lab.events()).filter((text) => text === `${step} begins`).length;
  const expectSound = async (wanted: (name: Name) => string | null): Promise<void> => {
    for (const name of names) {
      await lab.fleet.waitUntilUp(name);
      expect(await strayOn(lab.fleet, name)).toBe('');
      const { current, profile, next } = await lab.runs(name);
      expect([profile, next], name).toEqual([current, current]);
      const toplevel = wanted(name);
      if (toplevel !== null) expect(current, name).toBe(toplevel);
    }
  };

  test('at a gate: the machine is mended, tried again under a new supervisor, and the rest gets its turn', async () => {
    await giveWork(
      { policy: 'never', knobs: { units: { 'wants-file.service': wantsFile('/var/lib/mended') } } },
      false,
    );
    const before = await lab.runs('nas');
    const report = await held();
    expect(outcomeOf(report, 'nas')).toMatchObject({ status: 'restored', failure: { kind: 'unhealthy' } });
    expect(report.next).toContain('`lab retry nas` tries it again, once you have seen to it; `lab skip nas`');
    expect((await lab.runs('nas')).current).toBe(before.current);

    await lab.fleet.exec('nas', ['touch', '/var/lib/mended']);
    await retry();
    const after = await reportNow();
    expect(after.machines.map(({ status }) => status)).toEqual(['done', 'done', 'done']);
    expect(await begun('nas/activate-switch')).toBe(2);
    await expectSound((name) => outcomeOf(after, name).to);
  });

  test('at a reboot from which it did not return: it is switched on by hand, seen, and not rebooted again', async () => {
    await giveWork({ up: 5 }, true);
    await lab.fleet.fault('nas', 'never-returns');
    const boots = await lab.fleet.boots('nas');
    await held();
    const refused = await lab.run(['skip', 'nas']);
    expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining('was changed by this run')]);

    await lab.fleet.clearFaults('nas');
    await lab.fleet.waitUntilUp('nas');
    await retry();
    expect(await lab.fleet.boots('nas')).toBe(boots + 1);
    expect(await begun('nas/reboot')).toBe(1);
    const after = await reportNow();
    await expectSound((name) => outcomeOf(after, name).to);
  });

  test('goes on without the machine, which is back at what it ran, and without what needs it', async () => {
    await giveWork(
      { policy: 'never', knobs: { units: { 'wants-more.service': wantsFile('/var/lib/never') } } },
      false,
    );
    const before = await lab.runs('nas');
    await held();
    const { code, stdout } = await lab.run(['skip', 'nas']);
    expect(code, stdout).toBe(3);
    const after = await reportNow();
    expect(after.reason).toMatch(/^not as planned: nas \(skipped by \S+ \(cli\)\), app/u);
    expect(after.machines.map(({ status }) => status)).toEqual(['restored', 'skipped', 'done']);
    await expectSound((name) => (name === 'nas' ? before.current : null));
  });

  test('one that is still to come is left out of a run under way', async () => {
    await giveWork(
      { policy: 'never', knobs: { units: { 'lasts.service': startsOnce('/var/lib/go-on') } } },
      false,
    );
    const before = await lab.runs('web');
    const run = lab.start(['run', '--yes']);
    await run.until(begins('nas/activate-switch'));
    const skipped = await lab.run(['skip', 'web']);
    expect(skipped.code, `${skipped.stdout}${skipped.stderr}`).toBe(0);
    await giveFile(lab.fleet, 'nas', '/var/lib/go-on');
    expect((await run.ended).code).toBe(3);
    const after = await reportNow();
    expect(outcomeOf(after, 'web').summary).toMatch(/^skipped by \S+ \(cli\)$/u);
    expect(await lab.runs('web')).toEqual(before);
  });

  describe('whose copies hang', () => {
    const processes = async (): Promise<readonly { readonly group: number; readonly args: string }[]> => {
      const { stdout } = await runProcess(['ps', '-eo', 'pgid=,args='], { deadlineMs: soonMs });
      return stdout.split('\n').flatMap((line) => {
        const [, group = '', args = ''] = /^\s*(\d+) (.*)$/u.exec(line) ?? [];
        return group === '' ? [] : [{ group: Number(group), args }];
      });
    };
    /** The processes that copy to it are a group, of a `nix` and its `ssh`. */
    const copyTo = async (name: Name): Promise<number> => {
      const ssh = (await processes()).find(({ args }) =>
        args.startsWith(`ssh ${name} -x -a -F ${lab.stateDirectory}`),
      );
      return ssh?.group ?? expect.fail(`nothing is copied to ${name}`);
    };
    const left = async (copying: number): Promise<readonly string[]> =>
      (await processes()).flatMap(({ group, args }) => (group === copying ? [args] : []));
    afterAll(async () => {
      for (const name of ['web', 'app'] as const) if (lab !== undefined) await holdNoCopies(lab.fleet, name);
    });
    const ends = (step: string) => (body: EventBody) => body.kind === 'step-ended' && body.step === step;

    test('is left out in the middle of its copy: that one ends at once, another goes on, and it is taken in again', async () => {
      await giveWork({ policy: 'never' }, false);
      const before = await lab.runs('web');
      await Promise.all([holdCopies(lab.fleet, 'web'), holdCopies(lab.fleet, 'app')]);
      const run = lab.start(['run', '--yes']);
      await Promise.all([copyIsHeld(lab.fleet, 'web'), copyIsHeld(lab.fleet, 'app')]);
      const [toWeb, toApp] = await Promise.all([copyTo('web'), copyTo('app')]);
      expect(await left(toWeb)).toHaveLength(2);
      const skipped = await lab.run(['skip', 'web']);
      expect(skipped.code, `${skipped.stdout}${skipped.stderr}`).toBe(0);
      expect(skipped.stdout).toContain('web is left out: its copy is given up');
      await run.until(ends('web/copy'));
      expect(await left(toWeb)).toEqual([]);
      expect(await left(toApp)).toHaveLength(2);
      expect(stepsIn(await lab.events())).not.toContain('app/copy succeeded');

      await letCopiesGoOn(lab.fleet, 'app');
      expect((await run.ended).code).toBe(3);
      const report = await reportNow();
      expect(report.machines.map(({ status }) => status)).toEqual(['done', 'done', 'skipped']);
      expect(stepsIn(await lab.events())).toContain('web/copy skipped');
      expect(await lab.runs('web')).toEqual(before);

      await letCopiesGoOn(lab.fleet, 'web');
      const again = await lab.run(['retry', 'web']);
      expect(again.code, `${again.stdout}${again.stderr}`).toBe(0);
      const after = await reportNow();
      await expectSound((name) => outcomeOf(after, name).to);
    });

    test('is ended at once in the middle of its copy: nothing of it is left, and it is resumed', async () => {
      await giveWork({ policy: 'never' }, false);
      await holdCopies(lab.fleet, 'web');
      const run = lab.start(['run', '--yes']);
      await copyIsHeld(lab.fleet, 'web');
      const copying = await copyTo('web');
      expect((await lab.run(['abort'])).code).toBe(0);
      expect((await run.ended).code).toBe(130);
      expect(await left(copying)).toEqual([]);
      expect((await reportNow()).reason).toMatch(/in the middle of .*web \(copy\)/u);

      await letCopiesGoOn(lab.fleet, 'web');
      const resumed = await lab.run(['resume']);
      expect(resumed.code, `${resumed.stdout}${resumed.stderr}`).toBe(0);
      const after = await reportNow();
      await expectSound((name) => outcomeOf(after, name).to);
    });
  });

  // Last: its unit would hang every later activation too.
  test('at a shutdown that hangs: what hangs is ended by hand, and the reboot that was asked for counts', async () => {
    await giveWork({ down: 3, knobs: { units: { 'clinging.service': clinging } } }, true);
    const boots = await lab.fleet.boots('nas');
    const report = await held();
    expect(outcomeOf(report, 'nas').failure).toMatchObject({ kind: 'never-went-down' });
    await lab.fleet.exec('nas', ['systemctl', 'kill', '--signal=KILL', 'clinging.service']);
    await vi.waitFor(async () => expect(await lab.fleet.boots('nas')).toBe(boots + 1), {
      timeout: soonMs,
      interval: 500,
    });
    await lab.fleet.waitUntilUp('nas');
    await retry();
    expect(await lab.fleet.boots('nas')).toBe(boots + 1);
    const after = await reportNow();
    expect(outcomeOf(after, 'nas')).toMatchObject({ status: 'done', rebooted: true });
    await expectSound((name) => outcomeOf(after, name).to);
  });
});
