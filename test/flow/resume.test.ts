import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import { fail, ok } from '../../src/failure.ts';
import type { ConductDeps } from '../../src/flow/conduct.ts';
import { resume } from '../../src/flow/resume.ts';
import { journalPathIn } from '../../src/journal/database.ts';
import { openJournal } from '../../src/journal/sqlite.ts';
import type { Plan } from '../../src/plan/plan.ts';
import { createVirtualClock } from '../../src/sim/clock.ts';
import { createMachine } from '../../src/sim/machine.ts';
import { createRandom } from '../../src/sim/random.ts';
import { createWorld } from '../../src/sim/world.ts';
import { crashScenario } from '../simulation/crash-scenarios.ts';
import { prepare } from '../simulation/simulate.ts';

/** What is read back from the disk before a run goes on: nobody has approved what somebody, or a bad disk, made of it. */

const run = '20260101-000000-beef';
const failure = { kind: 'cancelled', machine: null, phase: 'test', message: 'not asked', remedy: '' };

describe('a run whose process died, taken up from its journal on disk', () => {
  let directory: string;
  let plan: Plan;
  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), 'lab-resume-'));
    const scenario = crashScenario({ fault: null, machine: 'nas', crash: null });
    const time = createVirtualClock(0);
    const world = createWorld({
      machines: scenario.starts.map((start) => createMachine(start, 0)),
      closures: scenario.closures,
      now: time.now,
      random: createRandom(1),
      network: scenario.network,
    });
    const limits = { until: Number.MAX_SAFE_INTEGER, turnsMax: 10_000 };
    plan = await time.run(prepare(scenario, world, time.process().clock), limits);
  });
  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  const left = (made: Plan = plan): void => {
    const journal = openJournal(directory, systemClock.now);
    journal.append(run, {
      kind: 'run-started',
      goal: made.goal,
      flake: made.flake,
      selectors: [],
      by: { user: 'amy', host: 'desk', pid: 1, via: 'cli' },
      labVersion: 'test',
      opened: { cwd: '/', overrideInputs: [], nixOptions: [], sshConfig: null },
    });
    journal.append(run, { kind: 'plan-made', plan: made, remarks: [] });
    journal.append(run, { kind: 'approved', hash: made.hash, how: 'answered' });
    journal.close();
  };
  const becomes = (text: string, other: string): void => {
    const db = new DatabaseSync(journalPathIn(directory));
    db.prepare('UPDATE events SET body = replace(body, ?, ?)').run(text, other);
    db.close();
  };
  /** Every machine is out of reach: what matters is whether anybody is asked at all. */
  const goOn = async () => {
    const asked: string[] = [];
    const introduced: string[] = [];
    const away = async (machine: { readonly name: string }): Promise<never> => {
      asked.push(machine.name);
      throw new Error('asked');
    };
    const journal = openJournal(directory, systemClock.now);
    const never = new AbortController().signal;
    try {
      const deps = {
        journal,
        clock: systemClock,
        lock: () => ok({ release: () => {} }),
        nix: { restoreLock: async () => fail(failure) },
        introduce: async (machines: readonly { readonly name: string }[], when?: string) => {
          introduced.push(...machines.map(({ name }) => `${name} ${when}`));
          return ok(undefined);
        },
        target: { lease: away, observe: away, preflight: away, health: away },
        by: { user: 'amy', host: 'desk', pid: 1, via: 'cli' },
      } as unknown as ConductDeps;
      const hosting = { onEvent: () => {}, stop: never, abort: never };
      const result = await resume(deps, run, hosting).catch((error: unknown) => String(error));
      const events = journal.eventsOf(run).map(({ body }) => body.kind);
      return { result, asked, introduced, events };
    } finally {
      journal.close();
    }
  };

  test('goes on with the plan that was approved', async () => {
    left();
    const { asked, introduced, events } = await goOn();
    expect(events).toContain('resumed');
    expect(asked).toContain('nas');
    // Nothing was evaluated that could have told ssh where they are.
    expect(introduced).toEqual(plan.machines.map(({ machine }) => `${machine.name} unless-known`));
  });

  test.each([
    ['a toplevel', '-old"', '-odd"'],
    ['a criticality', '"criticalityLevel":"critical"', '"criticalityLevel":"low"'],
    ['a dependency', '"needs":["nas"]', '"needs":[]'],
  ])('is not taken up where %s of its plan is another one by now', async (_what, text, other) => {
    left();
    becomes(text, other);
    const { result, asked, events } = await goOn();
    expect(result).toMatchObject({
      ok: false,
      failure: { kind: 'journal', message: expect.stringContaining('not the one that was approved') },
    });
    expect([asked, events]).toEqual([[], ['run-started', 'plan-made', 'approved']]);
  });

  test('goes on where the record has cut a sentence of the plan to its bound', async () => {
    const leftOut = [{ name: 'far', message: 'x'.repeat(5_000), remedy: 'none' }];
    left({ ...plan, leftOut });
    const { asked, events } = await goOn();
    expect(events).toContain('resumed');
    expect(asked).toContain('nas');
  });
});
