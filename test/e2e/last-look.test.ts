import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RunReport } from '../../src/run/report.ts';
import { giveFile, startsOnce, takeFile } from './held.ts';
import { type LabOnFleet, type Ran, startLab, storiesPossible } from './lab.ts';
import { machinesOf, outcomeOf, speaks, type Told } from './story.ts';

/** A run is over when all its machines were looked at once more: what it says of them is so. */

const available = await storiesPossible('the look at every machine at the end of a run');

const goOn = '/var/lib/go-on';
const told = {
  nas: { order: 1, page: true },
  app: { order: 2 },
} as const satisfies Record<string, Told>;

describe.skipIf(!available.ok)('at the end of a run', () => {
  let lab: LabOnFleet;
  beforeAll(async () => {
    lab = await startLab({ hosts: Object.keys(told) }, (fleet) => machinesOf(fleet, told));
    const { code, body } = await lab.report(['deploy-all', '--yes']);
    expect(code, JSON.stringify(body)).toBe(0);
  });
  afterAll(() => lab?.down());

  const page = async (act: 'start' | 'stop'): Promise<void> => {
    const { code, stderr } = await lab.fleet.exec('nas', ['systemctl', act, 'page.service']);
    expect(code, stderr).toBe(0);
  };
  let generation = 0;
  /** Deploys a new generation to `app` alone; `meanwhile` is what happens to `nas`, to which nothing is done. */
  const deployToApp = async (meanwhile: () => Promise<void>): Promise<Ran<RunReport>> => {
    generation += 1;
    await lab.flake.describe(
      machinesOf(lab.fleet, {
        ...told,
        app: {
          ...told.app,
          knobs: {
            generation: `${generation}`,
            units: { [`lasts-${generation}.service`]: startsOnce(goOn) },
          },
        },
      }),
    );
    await takeFile(lab.fleet, 'app', goOn);
    const running = lab.start(['deploy-all', '--yes', '--json']);
    await running.until(speaks('app/activate-switch'));
    await meanwhile();
    await giveFile(lab.fleet, 'app', goOn);
    const { code, stdout, stderr } = await running.ended;
    return { code, body: (JSON.parse(stdout) as { report: RunReport }).report, stderr };
  };

  test('a machine with nothing to do that was ill before is named, and the run is done', async () => {
    await page('stop');
    const { code, body } = await lab.report(['deploy-all', '--yes']);
    expect(body.reason).toMatch(/^nothing to do; 1 machine is unhealthy: nas \(page \(.*\)\)$/u);
    expect([code, body.result]).toEqual([0, 'done']);
    expect(outcomeOf(body, 'nas')).toMatchObject({
      status: 'nothing',
      atEnd: { verdict: 'as-before', failing: { checks: ['page'] } },
    });
    expect(outcomeOf(body, 'app')).toMatchObject({ atEnd: { verdict: 'well' } });
  });

  test('and in a run that acts on others it is no reason to call that partial', async () => {
    const { code, body } = await deployToApp(async () => {});
    expect([code, body.reason]).toEqual([0, 'every machine is as planned; unhealthy as before the run: nas']);
    expect(outcomeOf(body, 'app')).toMatchObject({ status: 'done', atEnd: { verdict: 'well' } });
    await page('start');
  });

  test('what began to fail during it makes it partial, with its evidence', async () => {
    const { code, body } = await deployToApp(() => page('stop'));
    expect([code, body.result]).toEqual([3, 'partial']);
    expect(body.reason).toMatch(/^every machine came to its goal; not well at the end: nas \(page \(/u);
    expect(outcomeOf(body, 'nas')).toMatchObject({ status: 'nothing', atEnd: { verdict: 'worse' } });
    expect(outcomeOf(body, 'app')).toMatchObject({ status: 'done', atEnd: { verdict: 'well' } });
    await page('start');
  });

  test('so does a machine that does not answer any more', async () => {
    const { code, body } = await deployToApp(() => lab.fleet.fault('nas', 'link-down'));
    expect([code, body.result]).toEqual([3, 'partial']);
    expect(outcomeOf(body, 'nas')).toMatchObject({ status: 'nothing', atEnd: { verdict: 'unknown' } });
    await lab.fleet.clearFaults('nas');
    const after = await lab.report(['deploy-all', '--yes']);
    expect([after.code, after.body.reason]).toEqual([0, 'every machine is as planned']);
  });

  test('one that has lost its system profile meanwhile runs as it should, and would not boot so: told, and partial', async () => {
    const profile = '/nix/var/nix/profiles/system';
    const { code, body } = await deployToApp(async () => {
      await lab.fleet.exec('nas', ['sh', '-c', `readlink ${profile} >/var/lib/led-to && rm ${profile}`]);
    });
    await lab.fleet.exec('nas', ['sh', '-c', `ln -s "$(cat /var/lib/led-to)" ${profile}`]);
    expect([code, body.result]).toEqual([3, 'partial']);
    expect(outcomeOf(body, 'nas')).toMatchObject({
      atEnd: { verdict: 'worse', why: expect.stringContaining('system profile is gone') },
    });
    expect(outcomeOf(body, 'app')).toMatchObject({ status: 'done', atEnd: { verdict: 'well' } });
  });
});
