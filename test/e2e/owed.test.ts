import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Debt } from '../../src/plan/debt.ts';
import type { Plan } from '../../src/plan/plan.ts';
import type { RunReport } from '../../src/run/report.ts';
import { type LabOnFleet, startLab, storiesPossible } from './lab.ts';
import { machinesOf, outcomeOf, type Told } from './story.ts';

/** A machine is off during a run, and is brought up later; another has had no page all along, and is not held back. */

const available = await storiesPossible('machines that were away, and what failed before');

const names = ['nas', 'app', 'ill'] as const;
const told = {
  nas: { order: 1 },
  app: { order: 2, needs: ['nas'] },
  ill: { order: 3, page: false },
} as const satisfies Record<(typeof names)[number], Told>;

type Status = { machines: { observation: { machine: string; kind: string }; owed: Debt | null }[] };

describe.skipIf(!available.ok)('a machine that is off during a run', () => {
  let lab: LabOnFleet;
  let first: RunReport;
  beforeAll(async () => {
    lab = await startLab({ hosts: names }, (fleet) => machinesOf(fleet, told));
    await lab.fleet.fault('nas', 'power-cut');
    first = (await lab.report(['run', '--yes'])).body;
  });
  afterAll(async () => lab?.down());

  const owed = async (): Promise<{ code: number | null; debts: Record<string, Debt | null> }> => {
    const { code, body } = await lab.json<Status>(['status']);
    return {
      code,
      debts: Object.fromEntries(
        body.machines.map(({ observation, owed: debt }) => [observation.machine, debt]),
      ),
    };
  };

  test('is skipped with its dependent, and the run says what it leaves owed: exit 3', () => {
    expect(first).toMatchObject({ exitCode: 3, result: 'partial' });
    expect(first.owed.map(({ machine }) => machine)).toEqual(['nas', 'app']);
    expect(first.next).toContain('lab run --catch-up');
  });

  test('and a check that failed before the run is not held against the third', async () => {
    expect(outcomeOf(first, 'ill')).toMatchObject({
      status: 'done',
      rebooted: true,
      summary: 'deployed, rebooted, no worse than before (failing: page)',
    });
    const gates = (await lab.events()).flatMap(({ body }) =>
      body.kind === 'step-ended' && body.step.startsWith('ill/gate') && body.outcome.kind === 'succeeded'
        ? [body.outcome.facts.note]
        : [],
    );
    expect(gates).toHaveLength(2);
    for (const note of gates) expect(note).toMatch(/^failing as before the run: page \(/u);
  });

  test('is shown as owed, off and on again', async () => {
    const off = await owed();
    expect(off.code).toBe(3);
    expect(off.debts).toMatchObject({
      nas: {
        run: first.run,
        runs: 1,
        deploy: { toplevel: outcomeOf(first, 'nas').to },
        reboot: { kind: 'by-policy' },
      },
      app: { run: first.run, deploy: { toplevel: outcomeOf(first, 'app').to } },
      ill: null,
    });
    expect(outcomeOf(first, 'nas').to).toMatch(/^\/nix\/store\//u);

    await lab.fleet.clearFaults('nas');
    await lab.fleet.waitUntilUp('nas');
    const on = await owed();
    expect(on).toEqual({ code: 0, debts: off.debts });
    expect((await lab.run(['status', 'nas'])).stdout).toContain(
      'deploy, reboot if needed; `lab run --catch-up` does it',
    );
  });

  test('is brought up by `lab run --catch-up`, its dependent after it, and nobody else', async () => {
    const boots = await lab.fleet.boots('ill');
    const { code, body } = await lab.report(['run', '--catch-up', '--yes']);
    expect(code, JSON.stringify(body)).toBe(0);
    expect(body.machines.map(({ machine, status, rebooted }) => [machine, status, rebooted])).toEqual([
      ['nas', 'done', true],
      ['app', 'done', true],
    ]);
    for (const name of ['nas', 'app']) expect((await lab.runs(name)).booted).toBe(outcomeOf(body, name).to);
    expect((await lab.fleet.rebootOrder()).slice(-2)).toEqual(['nas', 'app']);
    expect(await lab.fleet.boots('ill')).toBe(boots);

    expect(await owed()).toEqual({ code: 0, debts: { nas: null, app: null, ill: null } });
    const again = await lab.run(['run', '--catch-up', '--yes']);
    expect(again).toMatchObject({ code: 0, stdout: 'Nothing is owed to any machine of this flake.\n' });
  });

  test('and the next plan knows how long its reboot took', async () => {
    const { body } = await lab.json<{ plan: Plan }>(['plan', '--no-update']);
    const nas = body.plan.machines.find(({ machine }) => machine.name === 'nas');
    expect(nas?.durations?.reboot).toMatchObject({ times: 1 });
    expect(nas?.durations?.reboot?.typicalMs).toBeGreaterThan(500);
    expect(nas?.durations?.gateAfterActivation?.times).toBe(1);
  });
});
