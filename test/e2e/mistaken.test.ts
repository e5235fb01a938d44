import { readFile, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Plan } from '../../src/plan/plan.ts';
import { type LabOnFleet, startLab, storiesPossible } from './lab.ts';
import { machinesOf, outcomeOf } from './story.ts';

/**
 * A machine whose address leads to another one of the lab, by an alias in ssh_config: that one's host key is known, so
 * nothing in ssh speaks against it.
 */

const available = await storiesPossible('an address that leads to another machine');

describe.skipIf(!available.ok)('a machine that is reached where another one is', () => {
  let lab: LabOnFleet;
  beforeAll(async () => {
    const knobs = { generation: '1' };
    lab = await startLab({ hosts: ['nas', 'box'] }, (fleet) =>
      machinesOf(fleet, { nas: { order: 1, knobs }, box: { order: 2, knobs } }),
    );
    const { hosts, sshConfigPath } = lab.fleet;
    const addressOf = (name: string): string =>
      hosts.find((host) => host.name === name)?.address ?? 'nowhere';
    const config = await readFile(sshConfigPath, 'utf8');
    await writeFile(sshConfigPath, `Host box ${addressOf('box')}\n  HostName ${addressOf('nas')}\n${config}`);
  });
  afterAll(async () => lab?.down());

  test('is left alone: the other does not get what is meant for it', async () => {
    // It has nothing more to do, so nothing that the run does to it would show that they are one.
    const nas = await lab.report(['run', 'nas', '--no-update', '--yes']);
    expect(nas.code, JSON.stringify(nas.body)).toBe(0);
    const before = { nas: await lab.runs('nas'), box: await lab.runs('box') };
    const { code, body } = await lab.report(['run', '--no-update', '--yes']);
    expect(code, JSON.stringify(body)).not.toBe(0);
    expect(outcomeOf(body, 'box')).toMatchObject({
      status: 'skipped',
      failure: {
        message: expect.stringMatching(/^what answers for box is nas, as it seems: .* host name is nas$/u),
      },
    });
    expect({ nas: await lab.runs('nas'), box: await lab.runs('box') }).toEqual(before);
    expect(before.nas.current).toBe(outcomeOf(nas.body, 'nas').to);
  });

  test('is not rebooted for the other either, also when it is asked for alone', async () => {
    const boots = await lab.fleet.boots('nas');
    const { body } = await lab.json<{ plan: Plan }>(['plan', '--no-update']);
    expect(body.plan.machines.find((each) => each.machine.name === 'box')?.steps).toEqual([]);
    const { code } = await lab.report(['reboot', 'box', '--yes']);
    expect(code).not.toBe(0);
    expect(await lab.fleet.boots('nas')).toBe(boots);
  });
});
