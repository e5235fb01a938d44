import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { LockChange, Observation } from '../../src/ports.ts';
import type { RunEvent } from '../../src/run/event.ts';
import { exampleMachines } from '../fleet/lab-flake.ts';
import { type LabOnFleet, startLab, storiesPossible } from './lab.ts';
import { outcomeOf, stepsIn, strayOn } from './story.ts';

/** The main job on the example lab: update, build, deploy, reboot in dependency order, each gate passed first. */

const available = await storiesPossible('the full run of the example lab');

const order = ['sleeper-service', 'grey-area', 'reverse-proxy', 'congenital-optimist'] as const;
const addresses = ['10.77.0.11', '10.77.0.12', '10.77.0.13', '10.77.0.14'] as const;

describe.skipIf(!available.ok)('the example lab', () => {
  let lab: LabOnFleet;
  beforeAll(async () => {
    const hosts = order.map((name, index) => ({ name, address: addresses[index] ?? '' }));
    lab = await startLab({ hosts }, exampleMachines);
  });
  afterAll(async () => lab?.down());

  const lockFile = async (): Promise<string> => readFile(join(lab.flake.folder, 'flake.lock'), 'utf8');
  const boots = async (): Promise<readonly number[]> =>
    Promise.all(order.map((name) => lab.fleet.boots(name)));

  describe('a first run', () => {
    let events: readonly RunEvent[];
    beforeAll(async () => {
      const plan = await lab.run(['plan']);
      expect(plan).toMatchObject({ code: 0, stderr: '' });
      expect(plan.stdout).toContain('Dry run: nothing was changed.');
      const ran = await lab.run(['run', '--yes']);
      expect(ran, `${ran.stdout}${ran.stderr}`).toMatchObject({ code: 0, stderr: '' });
      expect(ran.stdout).toMatch(/^Run [0-9a-f-]+: done after /m);
      events = await lab.events();
    });

    test('reboots every machine once, the machines it depends on first, the orchestrator last', async () => {
      expect(await lab.fleet.rebootOrder()).toEqual(order);
      expect(await boots()).toEqual([2, 2, 2, 2]);
    });

    test('lets a machine go only after the gate of the machine before it', async () => {
      const steps = stepsIn(events);
      const at = (step: string): number => {
        expect(steps).toContain(step);
        return steps.indexOf(step);
      };
      const touches = /\/(activate-\w+|reboot) begins$/;
      for (const [index, name] of order.entries()) {
        const gate = at(`${name}/gate-after-reboot succeeded`);
        for (const later of order.slice(index + 1)) {
          const first = steps.findIndex((step) => step.startsWith(`${later}/`) && touches.test(step));
          expect(first, `${later} before the gate of ${name}`).toBeGreaterThan(gate);
        }
      }
      // The supervisor saw the same: nobody went down before the one before was up again.
      const seen = (await lab.fleet.history()).filter(
        (event) => event.kind === 'boot' || event.kind === 'went-down',
      );
      expect(seen.slice(order.length).map(({ host, kind }) => `${host} ${kind}`)).toEqual(
        order.flatMap((name) => [`${name} went-down`, `${name} boot`]),
      );
    });

    test('leaves each machine running, and set to boot, what the flake says', async () => {
      const { code, body } = await lab.json<{ machines: { observation: Observation; wanted: string }[] }>([
        'status',
        '--wanted',
      ]);
      expect(code).toBe(0);
      for (const { observation, wanted } of body.machines) {
        const runs = await lab.runs(observation.machine);
        expect(runs).toEqual({
          booted: wanted,
          current: wanted,
          profile: wanted,
          next: wanted,
          generation: 2,
        });
        expect(observation).toMatchObject({ booted: wanted, current: wanted, profile: wanted });
        expect(await strayOn(lab.fleet, observation.machine)).toBe('');
      }
      expect(body.machines).toHaveLength(4);
    });

    test('deploys each by its strategy', () => {
      const acts = stepsIn(events).filter((step) => /\/(activate|reboot).* begins$/.test(step));
      expect(acts.map((step) => step.replace(' begins', ''))).toEqual([
        'sleeper-service/activate-switch',
        'sleeper-service/reboot',
        'grey-area/activate-test',
        'grey-area/activate-boot',
        'grey-area/reboot',
        'reverse-proxy/activate-boot',
        'reverse-proxy/reboot',
        'congenital-optimist/activate-switch',
        'congenital-optimist/reboot',
      ]);
    });

    test('leaves everything healthy', async () => {
      const { code, body } = await lab.json<{ machines: { machine: string; verdict: string }[] }>(['health']);
      expect(body.machines.map(({ machine, verdict }) => `${machine} ${verdict}`)).toEqual(
        [...order].sort().map((name) => `${name} healthy`),
      );
      expect(code).toBe(0);
    });
  });

  test('a second run finds nothing to do, and reboots nobody', async () => {
    const before = await boots();
    const { code, body } = await lab.report(['run', '--yes']);
    expect(code).toBe(0);
    expect(body).toMatchObject({ result: 'done', leftOut: [] });
    expect(body.machines.map(({ status }) => status)).toEqual(['nothing', 'nothing', 'nothing', 'nothing']);
    expect(stepsIn(await lab.events())).toEqual([]);
    expect(await boots()).toEqual(before);
  });

  test('update shows what would move, then moves it, and touches no machine', async () => {
    const [before, booted] = [await lockFile(), await boots()];
    await lab.flake.releaseKernel('6.12.7');
    const moves = async (...words: readonly string[]): Promise<readonly LockChange[]> => {
      const { code, body } = await lab.json<{ changes: readonly LockChange[] }>(['update', ...words]);
      expect(code).toBe(0);
      return body.changes;
    };
    const [preview] = await moves('--dry-run');
    expect(preview).toMatchObject({ input: 'nixpkgs', kind: 'updated' });
    expect(preview?.from?.rev).toMatch(/^[0-9a-f]{40}$/u);
    expect(preview?.to?.rev).not.toBe(preview?.from?.rev);
    expect(await lockFile()).toBe(before);

    const shown = await lab.run(['update']);
    expect(shown.stdout).toMatch(/nixpkgs +[0-9a-f]{8} \(\d{4}-\d{2}-\d{2}\) → [0-9a-f]{8} \(/);
    expect(JSON.parse(await lockFile()).nodes.nixpkgs.locked.rev).toBe(preview?.to?.rev);
    expect(await moves()).toEqual([]);
    expect(await boots()).toEqual(booted);
  });

  test('a run brings an update to the machines chosen: lock, kernel, reboot, and why', async () => {
    await lab.flake.releaseKernel('6.12.8');
    const booted = await boots();
    const ran = await lab.run(['run', 'sleeper-service', '--yes']);
    expect(ran, `${ran.stdout}${ran.stderr}`).toMatchObject({ code: 0 });
    expect(ran.stdout).toMatch(/reboot.*: kernel 6\.12\.1 → 6\.12\.8/u);
    const moved = (await lab.events()).flatMap(({ body }) =>
      body.kind === 'lock-moved' ? body.changes : [],
    );
    expect(moved).toMatchObject([{ input: 'nixpkgs', kind: 'updated' }]);
    const kernel = await lab.fleet.exec('sleeper-service', ['cat', '/run/booted-system/kernel']);
    expect(kernel.stdout).toBe('a stand-in for Linux 6.12.8\n');
    expect(await boots()).toEqual(booted.map((count, index) => (index === 0 ? count + 1 : count)));
  });

  describe('an update that breaks a machine', () => {
    const untouched = async (kind: string, name: string): Promise<void> => {
      const [before, booted, ran] = [await lockFile(), await boots(), await lab.runs('sleeper-service')];
      const { code, body } = await lab.report(['run', '--yes']);
      expect(code).toBe(1);
      expect(body).toMatchObject({ result: 'failed', failure: { kind }, machines: [] });
      expect(body.failure?.message).toContain(name);
      expect(body.failure?.message).toContain('flake.lock was put back and nothing was touched');
      expect(await lockFile()).toBe(before);
      expect(await boots()).toEqual(booted);
      expect(await lab.runs('sleeper-service')).toEqual(ran);
      expect(stepsIn(await lab.events())).toEqual([]);
    };

    test('whose configuration no longer evaluates is undone, and touches nothing', async () => {
      // The option is gone from this release, as happens in life.
      const services = 'nixos/modules/services.nix';
      await lab.flake.release(services, 'jellyfin = service [', 'jellyfin-renamed = service [');
      await lab.flake.release(services, 'cfg.jellyfin.enable', 'cfg.jellyfin-renamed.enable');
      await untouched('update-breaks-evaluation', 'grey-area');
    });

    test('whose system no longer builds is undone, and touches nothing', async () => {
      const services = 'nixos/modules/services.nix';
      await lab.flake.release(services, 'jellyfin-renamed = service [', 'jellyfin = service [');
      await lab.flake.release(services, 'cfg.jellyfin-renamed.enable', 'cfg.jellyfin.enable');
      await lab.flake.release(
        'nixos/modules/toplevel.nix',
        'mkdir -p "$out/bin"',
        'false; mkdir -p "$out/bin"',
      );
      await untouched('update-breaks-build', 'sleeper-service');
    });

    test('is no hindrance once it is repaired', async () => {
      await lab.flake.release('nixos/modules/toplevel.nix', 'false; mkdir', 'mkdir');
      const { code, body } = await lab.report(['deploy', 'sleeper-service', '--yes']);
      expect(code).toBe(0);
      expect(outcomeOf(body, 'sleeper-service')).toMatchObject({ status: 'nothing' });
    });
  });
});
