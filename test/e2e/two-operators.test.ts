import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { RunReport } from '../../src/run/report.ts';
import { giveFile, startsOnce } from './held.ts';
import { type LabOnFleet, soonMs, startLab, storiesPossible } from './lab.ts';
import { begins, machinesOf, outcomeOf, stepsIn, strayOn } from './story.ts';

/** Two orchestrators over one fleet, each with a state folder of its own, so that no lock is between them. */

const available = await storiesPossible('two operators at once');

const names = ['one', 'two'] as const;
/** Longer than a machine waits here for a confirmation: what its gate may take, and a minute. */
const returnsWithinMs = 300_000;

describe.skipIf(!available.ok)('two orchestrators', () => {
  let lab: LabOnFleet;
  let version = 0;
  beforeAll(async () => {
    lab = await startLab({ hosts: names }, (fleet) => machinesOf(fleet, { one: {}, two: {} }));
  });
  afterAll(async () => lab?.down());

  /** From here on both have an activation before them; that of `one` does not end before `goOn`. */
  const giveWork = async (): Promise<void> => {
    version += 1;
    const knobs = { generation: `${version}` };
    const units = { [`wait-${version}.service`]: startsOnce(`/var/lib/go-on-${version}`) };
    await lab.flake.describe(
      machinesOf(lab.fleet, {
        one: { order: 1, knobs: { ...knobs, units }, policy: 'never' },
        two: { order: 2, knobs, policy: 'never' },
      }),
    );
  };
  const goOn = (): Promise<void> => giveFile(lab.fleet, 'one', `/var/lib/go-on-${version}`);
  const theirs = () => ({ env: { LAB_STATE_DIR: `${lab.stateDirectory}-of-the-other` } });
  /** What the other orchestrator says and how it ends. */
  const other = async (...words: readonly string[]): Promise<{ code: number | null; report: RunReport }> => {
    const { code, stdout, stderr } = await lab.run([...words, '--yes', '--json'], theirs());
    const { report } = JSON.parse(stdout) as { report?: RunReport };
    if (report === undefined) throw new Error(`no report: ${stdout}${stderr}`);
    return { code, report };
  };
  const unlock = (...words: readonly string[]) => lab.run(['unlock', ...words], theirs());
  const ours = async (): Promise<{ pid: number; run: string }> =>
    JSON.parse(await readFile(join(lab.stateDirectory, 'lock-holder.json'), 'utf8'));
  const expectSound = async (): Promise<void> => {
    for (const name of names) {
      expect(await strayOn(lab.fleet, name)).toBe('');
      const { current, profile, next } = await lab.runs(name);
      expect([profile, next], name).toEqual([current, current]);
      expect((await unlock(name)).stdout, name).toContain(`${name}: nobody holds it`);
    }
  };

  test('at once: one wins; the other touches nothing, says by whom each machine is held, and ends with 5', async () => {
    await giveWork();
    const first = lab.start(['run', '--yes']);
    await first.until(begins('one/activate-switch'));
    const { run } = await ours();
    const { code, report } = await other('run');
    expect(code).toBe(5);
    for (const name of names) {
      expect(outcomeOf(report, name)).toMatchObject({ status: 'skipped', failure: { kind: 'leased' } });
      expect(outcomeOf(report, name).failure?.message).toMatch(
        new RegExp(`^run ${run} of \\S+@\\S+ holds it`, 'u'),
      );
    }
    await goOn();
    const ended = await first.ended;
    expect(ended.code, ended.stdout).toBe(0);
    // Given back at the end, so the other one may go on at once; it finds all done.
    expect((await other('run')).code).toBe(0);
    await expectSound();
  });

  test('the first is killed: its resumption goes on with what it holds, while the other one still may not', async () => {
    await giveWork();
    const first = lab.start(['run', '--yes']);
    await first.until(begins('one/activate-switch'));
    process.kill((await ours()).pid, 'SIGKILL');
    await first.ended;
    const { code, report } = await other('run', 'two');
    expect([code, outcomeOf(report, 'two').failure?.kind]).toEqual([5, 'leased']);
    const resumed = lab.start(['resume']);
    await resumed.until(begins('one/activate-switch'));
    await goOn();
    const ended = await resumed.ended;
    expect(ended.code, ended.stdout).toBe(0);
    expect(
      stepsIn(await lab.events()).filter((step) => step === 'two/activate-switch succeeded'),
    ).toHaveLength(1);
    await expectSound();
  });

  test('the first is killed and stays away: its leases run out by the uptime of the machines, and the other one goes on', async () => {
    await giveWork();
    const first = lab.start(['run', '--yes']);
    await first.until(begins('one/activate-switch'));
    const { pid, run } = await ours();
    process.kill(pid, 'SIGKILL');
    await first.ended;
    expect((await other('run', 'two')).report.machines[0]?.failure?.kind).toBe('leased');
    // Ten minutes are long for a story: from here on these leases last as long as they are old.
    await lab.fleet.exec('two', ['sed', '-i', 's/^ttl=.*/ttl=1/', '/var/lib/lab/lease']);
    await vi.waitFor(async () => expect((await unlock('two')).stdout).toContain(`run ${run} of `), {
      timeout: soonMs,
      interval: 500,
    });
    const { code, report } = await other('run', 'two');
    expect([code, outcomeOf(report, 'two').status]).toEqual([0, 'done']);
    // The first comes back: `two` is the other one's work now, and as it wanted it; `one` is still its own.
    const resumed = lab.start(['resume']);
    await resumed.until(begins('one/activate-switch'));
    await goOn();
    await resumed.ended;
    const events = stepsIn(await lab.events());
    expect(events.filter((step) => step === 'two/activate-switch begins')).toEqual([]);
    expect(events).toContain('one/confirm succeeded');
    await expectSound();
  });

  test('a lease that is broken: the run that had it can do nothing more, and the machine goes back by itself', async () => {
    await giveWork();
    const before = await lab.runs('one');
    const first = lab.start(['run', 'one', '--yes', '--json']);
    await first.until(begins('one/activate-switch'));
    const { run } = await ours();
    const held = await unlock('one');
    expect([held.code, held.stderr]).toEqual([2, expect.stringContaining(`lab unlock one --run ${run}`)]);
    expect((await unlock('one', '--run', '20260101-000000-0000')).code).toBe(2);
    expect((await unlock('one', '--run', run)).code).toBe(0);
    await goOn();
    const ended = await first.ended;
    const { report } = JSON.parse(ended.stdout) as { report: RunReport };
    expect(outcomeOf(report, 'one')).toMatchObject({ status: 'failed', failure: { kind: 'lease-lost' } });
    expect(outcomeOf(report, 'one').failure?.message).toMatch(
      /^not confirmed, for this run has lost its lease/u,
    );
    // While its supervisor waits, nobody else may act on it; then it is back, and free.
    const [early] = (await other('run', 'one')).report.machines;
    expect(early?.failure?.kind).toBe('activation-in-progress');
    await vi.waitFor(async () => expect(await lab.runs('one')).toEqual(before), {
      timeout: returnsWithinMs,
      interval: 1_000,
    });
    await vi.waitFor(async () => expect((await other('run', 'one')).code).toBe(0), {
      timeout: soonMs,
      interval: 1_000,
    });
    expect((await lab.runs('one')).current).not.toBe(before.current);
    await expectSound();
  });
});
