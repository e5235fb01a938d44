import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Generation } from '../../src/ports.ts';
import type { RunReport } from '../../src/run/report.ts';
import { giveFile, startsOnce, takeFile } from './held.ts';
import { type LabOnFleet, type Runs, startLab, storiesPossible } from './lab.ts';
import { machinesOf, outcomeOf, speaks, stepsIn, strayOn, type Told } from './story.ts';

/** Machines that go back: after a run as a whole, backwards, and one by one to a number. */

const available = await storiesPossible('rollbacks');

const names = ['nas', 'app', 'box'] as const;
type Name = (typeof names)[number];
const goOn = '/var/lib/go-on';

describe.skipIf(!available.ok)('a rollback on real machines', () => {
  let lab: LabOnFleet;
  let first: Readonly<Record<Name, Runs>>;
  let version = 0;

  const describeWith = async (told: Partial<Record<Name, Told>>): Promise<void> => {
    const all: Record<Name, Told> = { nas: {}, app: { needs: ['nas'] }, box: {} };
    for (const name of names) all[name] = { ...all[name], ...told[name] };
    await lab.flake.describe(machinesOf(lab.fleet, all));
  };
  const nowOn = async (): Promise<Record<Name, Runs>> => {
    const [nas, app, box] = await Promise.all(names.map((name) => lab.runs(name)));
    if (nas === undefined || app === undefined || box === undefined) throw new Error('no such host');
    return { nas, app, box };
  };
  const deploy = async (name: Name, knobs: Told['knobs']): Promise<Runs> => {
    version += 1;
    await describeWith({ [name]: { knobs: { generation: `${version}`, ...knobs } } });
    const { code, body } = await lab.report(['run', name, '--yes', '--no-update']);
    expect(code, JSON.stringify(body)).toBe(0);
    return lab.runs(name);
  };

  beforeAll(async () => {
    lab = await startLab({ hosts: names }, (fleet) =>
      machinesOf(fleet, { nas: {}, app: { needs: ['nas'] }, box: {} }),
    );
    const { code } = await lab.report(['run', '--yes', '--no-update']);
    expect(code).toBe(0);
    first = await nowOn();
  });
  afterAll(async () => lab?.down());
  beforeEach(async () => {
    for (const name of names) expect(await strayOn(lab.fleet, name)).toBe('');
  });

  test('undoes a run backwards, with its reboots, though the flake is broken by now', async () => {
    const kernel = { kernelVersion: '6.99.1' };
    await describeWith({ nas: { knobs: kernel }, app: { knobs: kernel } });
    const ran = await lab.report(['run', '--yes', '--no-update']);
    expect(ran.code).toBe(0);
    const changed = await nowOn();
    expect(changed.nas.current).not.toBe(first.nas.current);
    expect(changed.box).toEqual(first.box);

    const flake = join(lab.flake.folder, 'flake.nix');
    const text = await readFile(flake, 'utf8');
    await writeFile(flake, `${text}\n}`);
    const before = await lab.fleet.rebootOrder();
    const { code, body } = await lab.report(['rollback', '--run', ran.body.run, '--yes']);
    await writeFile(flake, text);
    expect(code, JSON.stringify(body)).toBe(0);
    expect((await lab.fleet.rebootOrder()).slice(before.length)).toEqual(['app', 'nas']);
    // What runs, what was booted, what the profile and the boot loader lead to, and the number: all as it was.
    expect(await nowOn()).toEqual(first);
    expect(body.machines.map(({ machine }) => machine)).toEqual(['app', 'nas']);
    const steps = stepsIn(await lab.events());
    expect(steps.indexOf('nas/activate-switch begins')).toBeGreaterThan(
      steps.indexOf('app/gate-after-reboot succeeded'),
    );
    expect(steps.some((step) => step.includes('/copy'))).toBe(false);
  });

  test('returns one machine to the generation before, and to any by its number', async () => {
    const second = await deploy('box', {});
    const third = await deploy('box', {});
    expect(third.generation).toBe(second.generation + 1);
    expect((await lab.report(['rollback', 'box', '--yes'])).code).toBe(0);
    expect(await lab.runs('box')).toEqual(second);
    // Once more goes further back, not forth again.
    expect((await lab.report(['rollback', 'box', '--yes'])).code).toBe(0);
    expect(await lab.runs('box')).toEqual(first.box);
    const { code, body } = await lab.report(['rollback', 'box', '--to', `${third.generation}`, '--yes']);
    expect(code).toBe(0);
    expect(outcomeOf(body, 'box').summary).toContain('went back');
    expect(await lab.runs('box')).toEqual(third);
  });

  test('tells the generations as the machine has them', async () => {
    const { code, body } = await lab.json<{
      machines: { machine: string; generations: Generation[] }[];
    }>(['generations', 'box']);
    expect(code).toBe(0);
    const told = body.machines[0]?.generations ?? [];
    const asked = await lab.fleet.exec('box', [
      'sh',
      '-c',
      'for link in /nix/var/nix/profiles/system-*-link; do echo "$(readlink "$link")"; done',
    ]);
    expect(told.map(({ toplevel }) => toplevel).sort()).toEqual(asked.stdout.trim().split('\n').sort());
    const runs = await lab.runs('box');
    expect(told.filter(({ isDefault }) => isDefault).map(({ number }) => number)).toEqual([runs.generation]);
    expect(told.find(({ isCurrent }) => isCurrent)?.toplevel).toBe(runs.current);
    expect(told.find(({ isBooted }) => isBooted)?.toplevel).toBe(runs.booted);
    for (const { at, nixosVersion, parts } of told) {
      expect(Math.abs((at ?? 0) - Date.now())).toBeLessThan(86_400_000);
      expect(nixosVersion).toMatch(/^\d/u);
      expect(parts.kernel).toMatch(/^\/nix\/store\//u);
    }
  });

  test('to a generation that does not become healthy is taken back, to the number that was', async () => {
    const before = await lab.runs('box');
    await describeWith({ box: { page: true, healthy: 2, knobs: { generation: `${version}` } } });
    // The factory has no page.
    const { code, body } = await lab.report(['rollback', 'box', '--to', '1', '--no-reboot', '--yes']);
    expect(code).toBe(1);
    expect(outcomeOf(body, 'box')).toMatchObject({ status: 'restored', failure: { kind: 'unhealthy' } });
    expect(await lab.runs('box')).toEqual(before);
  });

  test('to what is not there says what is, and touches nothing', async () => {
    const before = await lab.runs('box');
    const missing = await lab.run(['rollback', 'box', '--to', '77', '--yes']);
    expect(missing.code).toBe(1);
    expect(missing.stdout).toContain('box has no generation 77');
    expect(missing.stdout).toMatch(/it has \d+, .*`lab generations box`/u);
    const unknown = await lab.run(['rollback', '--run', '20200101-000000-0000', '--yes']);
    expect(unknown).toMatchObject({ code: 2 });
    expect(unknown.stdout + unknown.stderr).toContain('no run "20200101-000000-0000" is recorded');
    expect(await lab.runs('box')).toEqual(before);
  });

  test('of a run whose generation was collected is refused, and one that is away is skipped', async () => {
    const old = await lab.runs('box');
    await deploy('box', {});
    const { body: runs } = await lab.json<{ runs: { run: string }[] }>(['journal', '--runs']);
    const run = runs.runs[0]?.run ?? '';
    const before = await lab.runs('box');
    const profile = ['nix-env', '-p', '/nix/var/nix/profiles/system'];
    await lab.fleet.exec('box', [...profile, '--delete-generations', `${old.generation}`]);
    const refused = await lab.run(['rollback', '--run', run, '--yes']);
    expect(refused.code).toBe(1);
    expect(refused.stdout).toContain(`box no longer has what it ran before run ${run}`);
    expect(refused.stdout).toContain(`generation ${old.generation}`);

    await lab.fleet.fault('box', 'link-down');
    const away = await lab.run(['rollback', 'box', '--yes']);
    await lab.fleet.clearFaults('box');
    expect(away.code).toBe(1);
    expect(away.stdout).toContain('box: skipped');
    expect(await lab.runs('box')).toEqual(before);
  });

  test('to a generation that is collected once it runs says which are left, and leaves the machine as it is', async () => {
    await giveFile(lab.fleet, 'app', goOn);
    await deploy('app', { units: { 'lasts.service': startsOnce(goOn) } });
    await deploy('app', {});
    await takeFile(lab.fleet, 'app', goOn);
    const old = await deploy('box', {});
    const before = await deploy('box', {});
    // The other one goes first, and its activation lasts for as long as we want.
    await describeWith({ app: { needs: [], order: 2 }, box: { order: 1 } });
    const run = lab.start(['rollback', 'app', 'box', '--no-reboot', '--yes', '--json']);
    await run.until(speaks('app/activate-switch'));
    const profile = '/nix/var/nix/profiles/system';
    const forget = `nix-env -p ${profile} --delete-generations ${old.generation} && nix-store --gc`;
    expect((await lab.fleet.exec('box', ['sh', '-c', forget])).code).toBe(0);
    await giveFile(lab.fleet, 'app', goOn);
    const { code, stdout } = await run.ended;
    expect(code, stdout).toBe(3);
    const { report } = JSON.parse(stdout) as { report: RunReport };
    expect(outcomeOf(report, 'app')).toMatchObject({ status: 'done' });
    expect(outcomeOf(report, 'box').failure).toMatchObject({ kind: 'closure-gone' });
    expect(outcomeOf(report, 'box').failure?.remedy).toMatch(/still on it: \d.*`lab rollback box --to \d+`/u);
    expect(await lab.runs('box')).toEqual(before);
  });

  test('of what somebody else changed since is refused with the reason', async () => {
    await deploy('box', {});
    const { body: runs } = await lab.json<{ runs: { run: string }[] }>(['journal', '--runs']);
    const run = runs.runs[0]?.run ?? '';
    const profile = ['nix-env', '-p', '/nix/var/nix/profiles/system'];
    await lab.fleet.exec('box', [...profile, '--switch-generation', '1']);
    const before = await lab.runs('box');
    const refused = await lab.run(['rollback', '--run', run, '--yes']);
    expect(refused.code).toBe(1);
    expect(refused.stdout).toContain(`box was changed since run ${run}: it would boot`);
    expect(await lab.runs('box')).toEqual(before);
  });
});
