import { describe, expect, test } from 'vitest';
import { aimsOf } from '../../src/plan/new-checks.ts';
import { recordOf } from '../../src/run/records.ts';
import { reportOf } from '../../src/run/report.ts';
import type { RunState } from '../../src/run/state.ts';
import type { Fault } from '../../src/sim/fault.ts';
import { machineNamed } from './fleet.ts';
import { tell } from './story.ts';

/** A check that fails from before the run, and for so long. */
const ill = (forMs: number | null): Fault => ({ kind: 'falls-ill', atMs: 0, forMs });

describe('what was failing before the run', () => {
  test('does not hold the run up, and the report says that the machine is not healthy', async () => {
    const { became, result, state } = await tell({ box: { faults: [ill(null)] } });
    expect([became.box, result]).toEqual(['done', 'done']);
    expect(reportOf(state)?.machines[0]?.summary).toBe(
      'deployed, rebooted, no worse than before (failing: service)',
    );
  });

  test('still keeps dependents from going: that it failed before does not make it serve', async () => {
    const { became, done, state } = await tell({
      nas: { faults: [ill(null)] },
      app: { dependencies: ['nas'] },
    });
    expect(became).toEqual({ nas: 'done', app: 'skipped: dependency' });
    expect(done).toEqual(['nas switch new', 'nas reboot']);
    expect(reportOf(state)?.machines[1]?.summary).toContain(
      'its dependency nas is not healthy, as it was before the run: service (connection refused)',
    );
  });

  test('is not what a machine fails that is still starting: a deployment that breaks it is not excused', async () => {
    const { became, state } = await tell(
      {
        box: {
          faults: [
            { kind: 'crash', atMs: 600 },
            { kind: 'unhealthy-after', cause: 'activation', forMs: null },
          ],
        },
      },
      // It has booted when the run is taken up again, and its services have not.
      { sameKernel: true, ends: [{ kind: 'killed-at', ms: 900, downMs: 15_500 }] },
    );
    const preflight = recordOf(state, 'box/preflight')?.outcome;
    expect(preflight).toMatchObject({ kind: 'succeeded', facts: { failing: { checks: [] } } });
    expect(became.box).toBe('restored: unhealthy');
  });

  test('is not what has failed since the first look, though the second found the machine away and it is tried again', async () => {
    const { became } = await tell(
      {
        app: {},
        box: {
          faults: [
            { kind: 'unit-fails-after', cause: 'reboot', unit: 'app.service' },
            { kind: 'crash', atMs: 20_000 },
          ],
        },
      },
      {
        pauses: [{ atMs: 22_000, forMs: 1_000 }],
        reopenings: [{ what: 'retry', machine: 'box', afterMs: 3_600_000, heals: false }],
      },
    );
    expect(became).toEqual({ app: 'done', box: 'restored: unhealthy' });
  });

  test('and passed once at a gate of the run has to go on passing', async () => {
    // Well again while it is activated, and broken by the reboot.
    const { became } = await tell({
      box: {
        faults: [ill(8_000), { kind: 'unhealthy-after', cause: 'reboot', forMs: null }],
        stable: 5,
      },
    });
    expect(became.box).toBe('failed: unhealthy');
  });

  test('and passed a gate has to go on passing for the process that comes after the one that saw it', async () => {
    const passedAt = (state: RunState): number =>
      recordOf(state, 'box/gate-after-activation')?.endedAt ?? Number.NaN;
    const sound = await tell({ box: { faults: [ill(8_000)], stable: 5 } });
    const ms = passedAt(sound.state) - (sound.state.approvedAt ?? 0) + 1;
    const again: Fault = { kind: 'falls-ill', atMs: ms + 1_000, forMs: null };
    const { became } = await tell(
      { box: { faults: [ill(8_000), again], stable: 5 } },
      { ends: [{ kind: 'killed-at', ms, downMs: 2_000 }] },
    );
    expect(became.box).toBe('restored: unhealthy');
  });

  test('what breaks in the run is not excused by it', async () => {
    const { became } = await tell({
      box: {
        failedUnits: ['old.service'],
        faults: [{ kind: 'unit-fails-after', cause: 'activation', unit: 'new.service' }],
      },
    });
    expect(became.box).toBe('restored: unhealthy');
  });

  test('a unit that is started again for ever counts as failed: excused if it was so before, else not', async () => {
    const loops: Fault = { kind: 'unit-restarts', unit: 'loop.service' };
    const before = await tell({ box: { failedUnits: ['loop.service'], faults: [loops] } });
    const since = await tell({
      box: { faults: [loops, { kind: 'unit-fails-after', cause: 'activation', unit: 'loop.service' }] },
    });
    expect([before.became.box, since.became.box]).toEqual(['done', 'restored: unhealthy']);
  });

  test('is given its time to recover: the run may be what repairs it', async () => {
    // Nothing else would make a gate wait for it.
    const { state, became } = await tell({ box: { faults: [ill(25_000)], stable: 0 } });
    expect(became.box).toBe('done');
    expect(reportOf(state)?.machines[0]?.summary).toBe('deployed, rebooted, healthy');
    const gate = recordOf(state, 'box/gate-after-activation');
    expect(gate?.notes.map(({ note }) => note)).toContain(
      'failing as before the run: service (connection refused); watching whether it stays so',
    );
    expect(gate?.outcome?.kind === 'succeeded' && gate.outcome.facts.failing).toBeUndefined();
  });

  test('is not a check that comes with what is deployed: it has to pass', async () => {
    const before = aimsOf(machineNamed('box'));
    const old = await tell({ box: { faults: [ill(null)] } }, { checks: { box: before } });
    const fresh = await tell({ box: { faults: [ill(null)] } }, { checks: { box: [] } });
    expect([old.became.box, fresh.became.box]).toEqual(['done', 'restored: unhealthy']);
  });

  test('is kept over the death of the process that saw it', async () => {
    const { became } = await tell(
      { box: { faults: [ill(null)] } },
      { ends: [{ kind: 'killed-at', ms: 20_000, downMs: 5_000 }] },
    );
    expect(became.box).toBe('done');
  });
});

describe('a machine without systemd', () => {
  const faults: readonly Fault[] = [{ kind: 'no-systemd' }];

  test('is judged by what can be looked at, and it is told what was not', async () => {
    const { became, result, state } = await tell({ box: { faults } }, { sameKernel: true });
    expect([became.box, result]).toEqual(['done', 'done']);
    expect(recordOf(state, 'box/gate-after-activation')?.outcome).toMatchObject({
      facts: { note: '1 check passes, no systemd: units not looked at' },
    });
  });

  test('and with a check that fails after its deployment is returned', async () => {
    const { became } = await tell(
      { box: { faults: [...faults, { kind: 'unhealthy-after', cause: 'activation', forMs: null }] } },
      { sameKernel: true },
    );
    expect(became.box).toBe('restored: unhealthy');
  });
});
