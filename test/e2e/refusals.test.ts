import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Failure } from '../../src/failure.ts';
import type { Observation } from '../../src/ports.ts';
import type { RunReport } from '../../src/run/report.ts';
import type { FlakeMachines } from '../fleet/lab-flake.ts';
import { type LabOnFleet, startLab, storiesPossible } from './lab.ts';
import { machinesOf, outcomeOf, type Told } from './story.ts';

/**
 * What `lab` refuses, and what it says of machines that it cannot use: each with its own cause, none in the way of the
 * others.
 */

const available = await storiesPossible('refusals, and machines that cannot be used');

const names = ['crown', 'rooted', 'plain', 'stranger', 'off', 'closed', 'orphan'] as const;
const told = {
  crown: { order: 1, criticality: 'critical' },
  rooted: { order: 2, user: 'root' },
  plain: { order: 3, user: 'plain' },
  stranger: { order: 4 },
  off: { order: 5 },
  closed: { order: 6 },
  orphan: { order: 7, needs: ['off'] },
} as const satisfies Record<(typeof names)[number], Told>;

/** Two machines that are in the flake only: an option that no NixOS has, and a promise that does not hold. */
const broken: FlakeMachines = {
  broken: { config: { services: { 'no-such-service': { enable: true } } } },
  wrong: { config: { assertions: [{ assertion: false, message: 'wrong needs a disk' }] } },
};

/** A user with the fleet's key and without sudo. */
const addPlainUser = `
echo 'plain:x:4278:4278::/home/plain:/bin/sh' >>/etc/passwd
echo 'plain:*:19000:0:99999:7:::' >>/etc/shadow
cp -a /home/lab /home/plain && chown -R 4278:4278 /home/plain`;

describe.skipIf(!available.ok)('a lab with machines that cannot be used', () => {
  let lab: LabOnFleet;
  beforeAll(async () => {
    lab = await startLab({ hosts: names }, (fleet) => ({ ...machinesOf(fleet, told), ...broken }));
    const { fleet } = lab;
    await fleet.exec('plain', ['sh', '-c', addPlainUser]);
    await fleet.fault('stranger', 'hostkey-regenerated');
    await fleet.fault('off', 'power-cut');
    await fleet.fault('closed', 'sshd-broken');
  });
  afterAll(async () => lab?.down());

  const boots = async (): Promise<readonly number[]> =>
    Promise.all(names.map((name) => lab.fleet.boots(name)));
  const refused = async (words: readonly string[]): Promise<Failure> => {
    const { code, body } = await lab.json<{ failure: Failure }>(words);
    expect(code, JSON.stringify(body)).toBe(2);
    return body.failure;
  };

  describe('before anything is done', () => {
    test('without a terminal and without --yes nothing that changes machines begins', async () => {
      for (const words of [['run'], ['deploy', 'crown'], ['deploy-all'], ['reboot', 'rooted']]) {
        expect(await refused(words)).toMatchObject({ kind: 'confirmation', phase: 'confirm' });
        const said = await lab.run(words);
        expect(said).toMatchObject({ code: 2, stdout: '' });
        expect(said.stderr).toContain('there is no terminal to ask on');
      }
      expect((await lab.json<{ runs: unknown[] }>(['journal', '--runs'])).body.runs).toEqual([]);
    });

    test('words that mean nothing are refused: exit 2, and why', async () => {
      for (const [words, why] of [
        [['run', '--yes', '--force'], "unknown option '--force'"],
        [['reboot', '--yes'], "missing required argument 'selectors'"],
        [['deploy', 'crown', '--mode', 'sideways', '--yes'], '--mode takes one of'],
        [['deploy', 'nobody', '--yes'], 'nobody'],
        [['journal', '--lines', '0'], 'expected a whole number'],
        [['daemon', '--cron', 'at dawn'], 'is no cron expression'],
        [['status', '--flake', '/nowhere'], '/nowhere'],
        [['statsu'], "unknown command 'statsu'"],
      ] as const) {
        const said = await lab.run(words);
        expect(said.code, words.join(' ')).toBe(2);
        // What a run refuses is in its report, all else on standard error.
        expect(`${said.stdout}${said.stderr}`, words.join(' ')).toContain(why);
      }
    });

    test('a critical machine is rebooted by hand only when it is named', async () => {
      const { code, body } = await lab.report(['reboot', 'crown', '--yes']);
      expect(code).toBe(2);
      expect(body).toMatchObject({ result: 'declined', failure: { kind: 'confirmation', machine: 'crown' } });
      expect(body.failure?.remedy).toContain('--confirm crown');
      const other = await lab.report(['reboot', 'crown', '--yes', '--confirm', 'rooted']);
      expect(other.code).toBe(2);
      expect(await boots()).toEqual(names.map(() => 1));
    });
  });

  test('status shows every machine, and why some cannot be seen: exit 3', async () => {
    const { code, body } = await lab.json<{
      machines: { observation: Observation }[];
      failed: { name: string; message: string }[];
    }>(['status']);
    expect(code).toBe(3);
    const seen = new Map(body.machines.map(({ observation }) => [observation.machine, observation]));
    expect([...seen.keys()].sort()).toEqual([...names, 'wrong'].sort());
    for (const name of ['crown', 'rooted', 'plain', 'orphan'])
      expect(seen.get(name)).toMatchObject({ kind: 'reachable', state: 'running' });
    const errorOf = (name: string) => {
      const observation = seen.get(name);
      return observation?.kind === 'unreachable' ? observation.error : null;
    };
    expect(errorOf('stranger')).toMatchObject({ kind: 'hostkey-mismatch', retryable: false });
    expect(errorOf('closed')).toMatchObject({ kind: 'unreachable', retryable: true });
    expect(errorOf('closed')?.message).toMatch(/refuse/u);
    expect(['unreachable', 'timeout']).toContain(errorOf('off')?.kind);
    expect(body.failed).toMatchObject([{ name: 'broken' }]);
    expect(body.failed[0]?.message).toContain('services.no-such-service');

    const alone = await lab.run(['status', 'closed']);
    expect(alone.code).toBe(1);
    expect(alone.stdout).toMatch(/closed +✖ unreachable/u);
  });

  test('check lists everything that is wrong: exit 2', async () => {
    const { code, stdout } = await lab.run(['check']);
    expect(code).toBe(2);
    expect(stdout).toContain('services.no-such-service');
    expect(stdout).toContain('wrong needs a disk');
  });

  describe('a run', () => {
    let code: number | null;
    let report: RunReport;
    let bootsBefore: readonly number[];
    beforeAll(async () => {
      bootsBefore = await boots();
      const ran = await lab.report(['run', '--yes']);
      code = ran.code;
      report = ran.body;
    });

    test('is partial: exit 3, and names whom it left out', () => {
      expect(code).toBe(3);
      expect(report.result).toBe('partial');
      for (const name of ['plain', 'stranger', 'off', 'closed', 'orphan', 'broken', 'wrong'])
        expect(report.reason).toContain(name);
    });

    test('brings all others to their goal, with sudo as lab and as root', async () => {
      for (const name of ['crown', 'rooted']) {
        expect(outcomeOf(report, name)).toMatchObject({ status: 'done', rebooted: true });
        expect((await lab.runs(name)).booted).toBe(outcomeOf(report, name).to);
      }
      expect(await lab.fleet.rebootOrder()).toEqual(['crown', 'rooted']);
    });

    test('refuses a machine whose host key has changed, and says how to make sure', () => {
      const { status, failure, summary } = outcomeOf(report, 'stranger');
      expect(status).toBe('skipped');
      expect(summary).toMatch(/showed the ssh-ed25519 key SHA256:.*, not the one in .*known_hosts/u);
      expect(failure?.remedy).toContain('ssh-keygen -R');
    });

    test('refuses a login without root before it changes anything', () => {
      expect(outcomeOf(report, 'plain').failure).toMatchObject({ kind: 'no-root', phase: 'preflight' });
      expect(outcomeOf(report, 'plain').failure?.remedy).toContain('sudo without a password');
    });

    test('tells a machine that is off from one that refuses', () => {
      expect(outcomeOf(report, 'off')).toMatchObject({ status: 'skipped', rebooted: false });
      expect(outcomeOf(report, 'closed').summary).toMatch(/refuse/u);
      expect(outcomeOf(report, 'off').summary).not.toMatch(/refuse/u);
    });

    test('does not touch what depends on a machine that is away', async () => {
      expect(outcomeOf(report, 'orphan').summary).toContain('depends on off');
      expect((await lab.runs('orphan')).generation).toBe(1);
    });

    test('shows a machine that cannot be evaluated or built with its own cause', () => {
      expect(report.leftOut).toMatchObject([{ name: 'broken' }]);
      expect(report.leftOut[0]?.message).toContain('services.no-such-service');
      expect(outcomeOf(report, 'wrong')).toMatchObject({ status: 'skipped' });
    });

    test('leaves all whom it did not bring to their goal as they were', async () => {
      const changed = ['crown', 'rooted'];
      const expected = bootsBefore.map((count, index) =>
        changed.includes(names[index] ?? '') ? count + 1 : count,
      );
      expect(await boots()).toEqual(expected);
      for (const name of ['plain', 'stranger', 'closed']) {
        const { current, generation } = await lab.runs(name);
        expect(current).toContain('-nixos-system-factory-');
        expect(generation).toBe(1);
      }
    });
  });

  test('a critical machine that is named is rebooted', async () => {
    const before = await lab.fleet.boots('crown');
    const { code, body } = await lab.report(['reboot', 'crown', '--yes', '--confirm', 'crown']);
    expect(code).toBe(0);
    expect(outcomeOf(body, 'crown')).toMatchObject({ status: 'done', rebooted: true });
    expect(await lab.fleet.boots('crown')).toBe(before + 1);
  });

  test('a machine that comes back is caught up, and so is what depends on it', async () => {
    await lab.fleet.clearFaults('off');
    await lab.fleet.waitUntilUp('off');
    const { code, body } = await lab.report(['run', 'off', 'orphan', '--yes']);
    expect(code).toBe(0);
    for (const name of ['off', 'orphan'])
      expect(outcomeOf(body, name)).toMatchObject({ status: 'done', rebooted: true });
  });
});
