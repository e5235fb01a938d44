import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RunReport } from '../../src/run/report.ts';
import { type LabOnFleet, startLab, storiesPossible } from './lab.ts';
import { machinesOf, outcomeOf, stepsIn, type Told } from './story.ts';

/** Deployments: what each mode does, and what a failure leads to, by strategy and criticality. */

const available = await storiesPossible('deployments and their gates');

const names = ['plain', 'green', 'crown', 'last'] as const;
type Name = (typeof names)[number];
/** Its gate is not to be passed, and need not be waited for. */
const pageless = { page: false, healthy: 3 } as const;
const told = {
  plain: { order: 1 },
  green: { order: 2, strategy: 'blue-green' },
  crown: { order: 3, criticality: 'critical' },
  last: { order: 4, criticality: 'low' },
} as const satisfies Record<Name, Told>;

describe.skipIf(!available.ok)('a deployment', () => {
  let lab: LabOnFleet;
  beforeAll(async () => {
    lab = await startLab({ hosts: names }, (fleet) => machinesOf(fleet, told));
  });
  afterAll(async () => lab?.down());

  let version = 0;
  /** Each machine named gets another generation, which differs in what is told. */
  const change = async (changes: Partial<Record<Name, Told>>): Promise<void> => {
    version += 1;
    const next = (name: Name): Told => ({
      ...told[name],
      ...changes[name],
      knobs: { ...changes[name]?.knobs, ...(name in changes ? { generation: `${version}` } : {}) },
    });
    await lab.flake.describe(
      machinesOf(lab.fleet, Object.fromEntries(names.map((name) => [name, next(name)]))),
    );
  };
  const deploy = async (...words: readonly string[]): Promise<{ code: number | null; report: RunReport }> => {
    const { code, body } = await lab.report(['deploy', ...words, '--yes']);
    return { code, report: body };
  };
  const page = async (name: string): Promise<string> => {
    const ask = `exec 3<>/dev/tcp/${name}/8080 && printf 'GET / HTTP/1.0\\r\\n\\r\\n' >&3 && cat <&3`;
    const answer = await lab.fleet.exec('last', ['timeout', '3', 'bash', '-c', ask]);
    return answer.stdout.split('\r\n\r\n')[1] ?? '';
  };
  /** Runs and would boot one and the same. */
  const settledOn = async (name: string): Promise<string> => {
    const { current, profile, next } = await lab.runs(name);
    expect([profile, next], name).toEqual([current, current]);
    return current;
  };

  test('makes every machine run what the flake says, each by its strategy, and reboots none', async () => {
    const { code, body } = await lab.report(['deploy-all', '--yes']);
    expect(code).toBe(0);
    for (const name of names) {
      expect(await settledOn(name)).toBe(outcomeOf(body, name).to);
      expect(await lab.fleet.boots(name)).toBe(1);
    }
    const acts = stepsIn(await lab.events()).filter((step) => /\/activate.* begins$/.test(step));
    expect(acts.map((step) => step.replace(' begins', ''))).toEqual([
      'plain/activate-switch',
      'green/activate-test',
      'green/activate-boot',
      'crown/activate-switch',
      'last/activate-switch',
    ]);
  });

  describe('that leaves a service dead', () => {
    test('is found by the gate: unconfirmed, it is taken back; others go on; exit 3', async () => {
      await change({ plain: pageless, green: pageless, last: {} });
      const [plain, green] = [await settledOn('plain'), await settledOn('green')];
      const { code, report } = await deploy('plain', 'green', 'last');
      expect(code).toBe(3);
      expect(report.result).toBe('partial');
      for (const [name, before] of [
        ['plain', plain],
        ['green', green],
      ] as const) {
        const outcome = outcomeOf(report, name);
        expect(outcome.failure).toMatchObject({ kind: 'unhealthy', phase: 'gate' });
        expect(outcome.failure?.message).toContain('page');
        expect(outcome).toMatchObject({ status: 'restored', restoreFailure: null });
        expect(outcome.to).not.toBe(before);
        expect(await settledOn(name)).toBe(before);
        await expect.poll(() => page(name)).toBe('ok');
      }

      expect(outcomeOf(report, 'last').status).toBe('done');
      const { body } = await lab.json<{ machines: { machine: string; verdict: string }[] }>(['health']);
      expect(body.machines.find(({ machine }) => machine === 'plain')?.verdict).toBe('healthy');
    });

    test('a critical machine returns to what it ran, and the run is held: exit 4', async () => {
      await change({ crown: pageless, last: {} });
      const [crown, last] = [await settledOn('crown'), await settledOn('last')];
      const { code, report } = await deploy('crown', 'last');
      expect(code).toBe(4);
      expect(report).toMatchObject({ result: 'held', failure: { kind: 'unhealthy', machine: 'crown' } });
      expect(report.reason).toContain('returned to what it ran');
      expect(outcomeOf(report, 'crown')).toMatchObject({ status: 'restored', restoreFailure: null });
      expect(await settledOn('crown')).toBe(crown);
      await expect.poll(() => page('crown')).toBe('ok');
      expect(outcomeOf(report, 'last').status).toBe('waiting');
      expect(await settledOn('last')).toBe(last);
    });

    test('and is repaired by the next one', async () => {
      await change({ plain: {}, green: {}, crown: {}, last: {} });
      const { code, body } = await lab.report(['deploy-all', '--yes']);
      expect(code).toBe(0);
      for (const name of names) {
        expect(await settledOn(name)).toBe(outcomeOf(body, name).to);
        await expect.poll(() => page(name)).toBe('ok');
      }
    });
  });

  describe('whose activation', () => {
    test('is refused by a check leaves the machine as it was', async () => {
      await change({ plain: { knobs: { switchExitCode: 1 } } });
      const before = await settledOn('plain');
      const { code, report } = await deploy('plain');
      expect(code).toBe(1);
      expect(outcomeOf(report, 'plain')).toMatchObject({
        status: 'restored',
        failure: { kind: 'activation-refused' },
      });
      expect(outcomeOf(report, 'plain').failure?.detail?.join('\n')).toContain('Pre-switch check');
      expect(await settledOn('plain')).toBe(before);
    });

    test('leaves a unit failed does not pass its gate, and is taken back', async () => {
      await change({ plain: { healthy: 10, knobs: { failedUnit: 'sick.service' } } });
      const before = await settledOn('plain');
      const { code, report } = await deploy('plain');
      expect(code).toBe(1);
      expect(outcomeOf(report, 'plain')).toMatchObject({ status: 'restored', failure: { phase: 'gate' } });
      expect(outcomeOf(report, 'plain').failure?.message).toContain('sick.service');
      expect(await settledOn('plain')).toBe(before);
    });

    test('wants a reboot gets it in a run, though none was planned', async () => {
      const first = await lab.report(['run', 'last', '--yes']);
      expect(first.code).toBe(0);
      await change({ last: { knobs: { switchExitCode: 100 } } });
      const boots = await lab.fleet.boots('last');
      const { code, body } = await lab.report(['run', 'last', '--yes']);
      expect(code).toBe(0);
      expect(outcomeOf(body, 'last')).toMatchObject({ status: 'done', rebooted: true });
      expect(await lab.fleet.boots('last')).toBe(boots + 1);
      expect((await lab.runs('last')).booted).toBe(outcomeOf(body, 'last').to);
    });
  });

  test('to the next boot changes nothing that runs; a test changes nothing that boots; a dry one nothing', async () => {
    await change({ green: {}, crown: {}, last: {} });
    const before = {
      green: await settledOn('green'),
      crown: await settledOn('crown'),
      last: await settledOn('last'),
    };
    const boot = await deploy('green', '--mode', 'boot');
    expect(boot.code).toBe(0);
    const { to } = outcomeOf(boot.report, 'green');
    expect(await lab.runs('green')).toMatchObject({ current: before.green, profile: to, next: to });

    const live = await deploy('crown', '--mode', 'test');
    expect(live.code).toBe(0);
    expect(await lab.runs('crown')).toMatchObject({
      current: outcomeOf(live.report, 'crown').to,
      profile: before.crown,
      next: before.crown,
    });

    const dry = await deploy('last', '--mode', 'dry-activate');
    expect(dry.code).toBe(0);
    expect(await settledOn('last')).toBe(before.last);
  });
});
