import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { RunReport } from '../../src/run/report.ts';
import {
  actIsHeld,
  copyIsHeld,
  endsOnce,
  giveFile,
  holdActs,
  holdCopies,
  holdNoCopies,
  letActsGoOn,
  startsOnce,
  takeFile,
} from './held.ts';
import { type LabOnFleet, type Runs, soonMs, startLab, storiesPossible, type UnderWay } from './lab.ts';
import { begins, machinesOf, outcomeOf, speaks, stepsIn, strayOn, type Told } from './story.ts';

/**
 * Somebody else deploys to a machine while a run has it, as `nixos-rebuild` does by hand: what they deployed stays, and the
 * report says so. One run, and each of its machines is deployed to at another moment.
 */

const available = await storiesPossible('somebody else who deploys in the middle of a run');

const goOn = '/var/lib/go-on';
const wellWith = '/var/lib/well';
const wellInThisBoot = '/run/well';
const goDown = '/var/lib/go-down';
const knobs = { units: { 'lasts.service': startsOnce(goOn) } };
const patient = { healthy: 600, down: 600 } as const;
const kernel = { kernelVersion: '6.13.1' };

/** By what is under way there as somebody else deploys. */
const told = {
  copying: { order: 1 },
  waiting: { order: 2 },
  starting: { order: 3 },
  gated: { ...patient, order: 4, wellWith, knobs },
  behind: { order: 5, needs: ['gated'] },
  booting: { ...patient, order: 6, wellWith, knobs },
  confirming: { order: 7, knobs },
  returning: { order: 8, wellWith, knobs, healthy: 2 },
  rebooting: {
    ...patient,
    order: 9,
    // sshd outlives it, and so it answers for as long as its shutdown is held.
    knobs: { ...kernel, units: { 'clings.service': `[Unit]\nAfter=sshd.service\n${endsOnce(goDown)}` } },
  },
  rebooted: { ...patient, order: 10, wellWith: wellInThisBoot, knobs: kernel },
  vital: { ...patient, order: 11, wellWith: wellInThisBoot, knobs: kernel, criticality: 'critical' },
} as const satisfies Record<string, Told>;
type Name = keyof typeof told;
const names = Object.keys(told) as readonly Name[];
const inOneRun = names.filter((name) => name !== 'vital');

const theirsOf = ({ order }: Told): Told => ({
  order: order ?? 0,
  knobs: { ...kernel, generation: 'theirs' },
});

describe.skipIf(!available.ok)('somebody else deploys', () => {
  let lab: LabOnFleet;
  let theirs: Readonly<Record<Name, string>>;
  let before: Readonly<Record<Name, Runs>>;

  const runsOfAll = async (): Promise<Readonly<Record<Name, Runs>>> =>
    Object.fromEntries(
      await Promise.all(names.map(async (name) => [name, await lab.runs(name)] as const)),
    ) as Record<Name, Runs>;
  const inShell = async (name: Name, script: string): Promise<string> => {
    const { code, stdout, stderr } = await lab.fleet.exec(name, ['sh', '-ec', script]);
    expect(code, `${name}: ${stdout}${stderr}`).toBe(0);
    return stdout;
  };
  /** What they deploy, built from another state of the flake and there already. */
  const bring = async (): Promise<Readonly<Record<Name, string>>> => {
    const all = Object.fromEntries(names.map((name) => [name, theirsOf(told[name])]));
    await lab.flake.describe(machinesOf(lab.fleet, all));
    const features = ['--extra-experimental-features', 'nix-command flakes'];
    const toplevels = names.map((name) => `.#nixosConfigurations.${name}.config.system.build.toplevel`);
    const inFlake = { cwd: lab.flake.folder, env: { NIX_SSHOPTS: `-F ${lab.fleet.sshConfigPath}` } };
    const nix = async (...words: readonly string[]): Promise<string> => {
      const { code, stdout, stderr } = await lab.fleet.run(['nix', ...features, ...words], inFlake);
      expect(code, stderr).toBe(0);
      return stdout;
    };
    const built = await nix('build', '--no-link', '--json', ...toplevels);
    const paths = (JSON.parse(built) as { outputs: { out: string } }[]).map(({ outputs }) => outputs.out);
    // Not in the order in which they were asked for.
    const pathOf = (name: string): string => {
      const path = paths.find((each) => each.includes(`-nixos-system-${name}-`));
      if (path === undefined) throw new Error(`nothing was built for ${name}: ${built}`);
      return path;
    };
    await Promise.all(
      lab.fleet.hosts.map(({ name, address }) =>
        nix('copy', '--no-check-sigs', '--to', `ssh-ng://root@${address}`, pathOf(name)),
      ),
    );
    return Object.fromEntries(names.map((name) => [name, pathOf(name)])) as Record<Name, string>;
  };
  const deployed = async (name: Name, how: 'switch' | 'boot'): Promise<void> => {
    const toplevel = theirs[name];
    await inShell(
      name,
      `nix-env -p /nix/var/nix/profiles/system --set ${toplevel}; ${toplevel}/bin/switch-to-configuration ${how}`,
    );
  };
  const reportOf = async (run: UnderWay): Promise<{ code: number | null; report: RunReport }> => {
    const { code, stdout, stderr } = await run.ended;
    const { report } = JSON.parse(stdout) as { report?: RunReport };
    if (report === undefined) throw new Error(`no report: ${stdout}${stderr}`);
    return { code, report };
  };
  const expectTheirs = async (name: Name): Promise<void> => {
    const toplevel = theirs[name];
    expect(await lab.runs(name)).toMatchObject({ current: toplevel, profile: toplevel, next: toplevel });
  };
  /** The wait of its supervisor is over: minutes, which a story has not. */
  const nobodyConfirms = async (name: Name): Promise<string> => {
    await inShell(name, 'for unit in /run/lab/lab-*; do ln -s expired "$unit/verdict"; done');
    await vi.waitFor(() => inShell(name, 'test -e /run/lab/lab-*/end'), { timeout: soonMs, interval: 200 });
    return inShell(name, 'cat /run/lab/lab-*/end');
  };
  const expectSettled = async (name: Name): Promise<void> => {
    // A unit that has ended by itself says its end until somebody has read it; no process is left of it.
    const show = "systemctl list-units --all --plain --no-legend 'lab-*' | grep -v ' exited ' || true";
    expect(await inShell(name, `${show}; ls -A /nix/var/nix/gcroots/lab`), name).toBe('');
  };

  beforeAll(async () => {
    lab = await startLab({ hosts: names }, (fleet) => machinesOf(fleet, told));
    theirs = await bring();
    await lab.flake.describe(machinesOf(lab.fleet, told));
    await Promise.all([
      ...(['gated', 'booting', 'returning'] as const).map((name) => giveFile(lab.fleet, name, wellWith)),
      ...(['rebooted', 'vital'] as const).map((name) => giveFile(lab.fleet, name, wellInThisBoot)),
    ]);
    before = await runsOfAll();
  });
  afterAll(async () => lab?.down());

  describe('in one run', () => {
    let code: number | null;
    let report: RunReport;
    beforeAll(async () => {
      const { fleet } = lab;
      await holdCopies(fleet, 'copying');
      const run = lab.start(['run', ...inOneRun, '--yes', '--json']);
      await copyIsHeld(fleet, 'copying');
      await deployed('copying', 'switch');
      await deployed('waiting', 'boot');
      await holdActs(fleet, 'starting');
      await holdNoCopies(fleet, 'copying');

      await run.until(begins('starting/activate-switch'));
      await actIsHeld(fleet, 'starting');
      await deployed('starting', 'switch');
      await letActsGoOn(fleet, 'starting');

      for (const name of ['gated', 'booting'] as const) {
        await run.until(speaks(`${name}/activate-switch`));
        await takeFile(fleet, name, wellWith);
        await giveFile(fleet, name, goOn);
        await run.until(speaks(`${name}/gate-after-activation`));
        await deployed(name, name === 'gated' ? 'switch' : 'boot');
        await giveFile(fleet, name, wellWith);
      }

      for (const name of ['confirming', 'returning'] as const) {
        await run.until(speaks(`${name}/activate-switch`));
        await holdActs(fleet, name);
        await takeFile(fleet, name, wellWith);
        await giveFile(fleet, name, goOn);
        await run.until(begins(`${name}/${name === 'confirming' ? 'confirm' : 'restore'}`));
        await actIsHeld(fleet, name);
        await deployed(name, 'switch');
        await letActsGoOn(fleet, name);
      }

      await run.until(speaks('rebooting/await-boot'));
      await vi.waitFor(() => inShell('rebooting', 'systemctl list-jobs | grep -q "clings.service.*stop"'), {
        timeout: soonMs,
      });
      await deployed('rebooting', 'boot');
      // It may be gone before it has answered.
      await fleet.exec('rebooting', ['touch', goDown]);

      await run.until(speaks('rebooted/gate-after-reboot'));
      await deployed('rebooted', 'boot');
      await giveFile(fleet, 'rebooted', wellInThisBoot);
      ({ code, report } = await reportOf(run));
    });

    const expectLeft = (name: Name, phase: string, words: string): void => {
      expect(outcomeOf(report, name)).toMatchObject({
        status: 'failed',
        failure: {
          kind: 'changed-since-plan',
          phase,
          message: expect.stringContaining(words),
          remedy: expect.stringContaining('find out who deployed to it, then plan again'),
        },
      });
      expect(outcomeOf(report, name).summary).toContain(words);
    };

    test('it is partial, and names the machines that are not as planned', () => {
      expect([code, report.result], JSON.stringify(report)).toEqual([3, 'partial']);
      expect(report.reason).toContain(
        `not as planned: ${inOneRun.filter((name) => name !== 'rebooted').join(', ')}`,
      );
    });

    test('as it copies: nothing of ours is begun on it, live or for its next boot', async () => {
      expectLeft(
        'copying',
        'activate',
        `someone else changed what it would boot since the plan was made: ${theirs.copying}`,
      );
      expectLeft(
        'waiting',
        'activate',
        `someone else changed what it would boot since the plan was made: ${theirs.waiting}`,
      );
      await expectTheirs('copying');
      expect(await lab.runs('waiting')).toMatchObject({
        current: before.waiting.current,
        profile: theirs.waiting,
        next: theirs.waiting,
      });
      for (const name of ['copying', 'waiting'] as const) expect(await strayOn(lab.fleet, name)).toBe('');
    });

    test('between the last look at it and the activation: the machine itself begins none', async () => {
      expectLeft(
        'starting',
        'activate',
        `nothing was activated (/run/current-system leads to ${theirs.starting})`,
      );
      await expectTheirs('starting');
      expect(await strayOn(lab.fleet, 'starting')).toBe('');
    });

    test('in its gate: ours is not confirmed, and its supervisor leaves theirs too once nobody has confirmed it', async () => {
      expectLeft('gated', 'gate', `someone else deployed to it meanwhile, and it runs ${theirs.gated}`);
      expect(outcomeOf(report, 'behind')).toMatchObject({ status: 'skipped' });
      expect(await lab.runs('behind')).toEqual(before.behind);
      await expectTheirs('gated');
      expect(await nobodyConfirms('gated')).toBe('spared\n');
      await expectTheirs('gated');
      await expectSettled('gated');
    });

    test('in its gate, for the next boot alone: ours is not confirmed, what it ran goes live again beside theirs', async () => {
      expectLeft(
        'booting',
        'gate',
        `not confirmed, so it returns to what it ran by itself: someone else changed what it would boot meanwhile: ${theirs.booting}`,
      );
      expect((await lab.runs('booting')).current).toBe(outcomeOf(report, 'booting').to);
      expect(await nobodyConfirms('booting')).toBe('restored\n');
      expect(await lab.runs('booting')).toMatchObject({
        current: before.booting.current,
        profile: theirs.booting,
        next: theirs.booting,
      });
      await expectSettled('booting');
    });

    test('as it is told to confirm: its supervisor does not', async () => {
      expectLeft('confirming', 'confirm', 'not confirmed: someone else deployed to it meanwhile');
      await expectTheirs('confirming');
      expect(await strayOn(lab.fleet, 'confirming')).toBe('');
      await expectSettled('confirming');
    });

    test('as it is told to return: its supervisor does not', async () => {
      expect(outcomeOf(report, 'returning')).toMatchObject({
        status: 'failed',
        failure: { kind: 'unhealthy', phase: 'gate' },
        restoreFailure: {
          kind: 'changed-since-plan',
          message: expect.stringContaining(
            'not returned to what it ran: someone else deployed to it meanwhile',
          ),
        },
      });
      await expectTheirs('returning');
      expect(await strayOn(lab.fleet, 'returning')).toBe('');
      await expectSettled('returning');
    });

    test('as it goes down for its reboot: it boots theirs, once, and the report says whose that is', async () => {
      expect(outcomeOf(report, 'rebooting')).toMatchObject({
        status: 'failed',
        rebooted: true,
        failure: {
          kind: 'wrong-generation',
          phase: 'await-boot',
          message: expect.stringContaining(
            `someone else deployed to it meanwhile, and it runs ${theirs.rebooting}`,
          ),
          remedy: expect.stringContaining('find out who deployed to it, then plan again'),
        },
      });
      await expectTheirs('rebooting');
      expect(await lab.fleet.boots('rebooting')).toBe(2);
    });

    test('after its reboot, for the next boot alone: it is as planned, and the report warns of it', async () => {
      expect(outcomeOf(report, 'rebooted')).toMatchObject({
        status: 'done',
        rebooted: true,
        warnings: [`someone else changed what it would boot meanwhile: ${theirs.rebooted}`],
      });
      expect(await lab.runs('rebooted')).toMatchObject({
        current: outcomeOf(report, 'rebooted').to,
        profile: theirs.rebooted,
        next: theirs.rebooted,
      });
    });
  });

  test('after the reboot of a critical machine: the run is held, and it is not returned over theirs', async () => {
    const run = lab.start(['run', 'vital', '--yes', '--json']);
    await run.until(speaks('vital/gate-after-reboot'));
    await deployed('vital', 'switch');
    const { code, report } = await reportOf(run);
    expect([code, report.result], JSON.stringify(report)).toEqual([4, 'held']);
    expect(outcomeOf(report, 'vital')).toMatchObject({
      status: 'failed',
      failure: { kind: 'changed-since-plan', phase: 'gate' },
    });
    expect(stepsIn(await lab.events())).not.toContain('vital/restore begins');
    await expectTheirs('vital');
    expect(await lab.fleet.boots('vital')).toBe(2);
  });

  test('and once it is planned anew, ours goes in the place of theirs, for now that is what was approved', async () => {
    const again = ['starting', 'gated', 'booting'] as const;
    const ours = Object.fromEntries(names.map((name) => [name, { order: told[name].order, knobs: kernel }]));
    await lab.flake.describe(machinesOf(lab.fleet, ours));
    const { code, body } = await lab.report(['deploy', ...again, '--yes']);
    expect(code, JSON.stringify(body)).toBe(0);
    for (const name of again) {
      expect(await strayOn(lab.fleet, name), name).toBe('');
      const { current, profile, next } = await lab.runs(name);
      expect([profile, next], name).toEqual([current, current]);
      expect(current, name).toBe(outcomeOf(body, name).to);
    }
  });
});
