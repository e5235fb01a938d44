import { expect, test } from 'vitest';
import { describeFault } from '../../src/sim/fault.ts';
import { type CrashCase, crashFaults, crashScenario, nameOfCase } from './crash-scenarios.ts';
import { deathsIn } from './every-case.ts';
import { simulate } from './simulate.ts';

/** `kill -9` of the engine at every append of a run, before and after the write, under every kind of fault. */

const run = async (tried: CrashCase): Promise<number> => {
  try {
    return (await simulate(crashScenario(tried))).events.length;
  } catch (error) {
    throw new Error(
      `${nameOfCase(tried)} broke a rule. Replay: npm run sim -- --crash ${nameOfCase(tried)}`,
      {
        cause: error,
      },
    );
  }
};

/** Dies at every append in turn, until a run ends before that append comes. */
const dieEverywhere = async (tried: Omit<CrashCase, 'crash'>): Promise<number> => {
  const whole = await run({ ...tried, crash: null });
  for (const crash of deathsIn(whole)) await run({ ...tried, crash });
  return whole;
};

/** The kinds that tell a rollback from a run: on the way to it, in its activation, in its reboot. */
const backFaults = crashFaults
  .map((fault, index) => ({ fault, index }))
  .filter(({ fault: { kind } }) =>
    [
      'cut-during',
      'cut-at-confirm',
      'restore-refused',
      'old-generation',
      'unhealthy-after',
      'crash',
    ].includes(kind),
  );

test('a run without faults survives the death of its process at every append', async () => {
  expect(await dieEverywhere({ fault: null, machine: 'app' })).toBeGreaterThan(60);
});

test('so does a rollback', async () => {
  expect(await dieEverywhere({ fault: null, machine: 'app', back: true })).toBeGreaterThan(55);
});

for (const { fault, index } of backFaults)
  for (const machine of ['app', 'nas'] as const)
    test(`so does a rollback while ${machine} has ${describeFault(fault)}`, async () => {
      expect(await dieEverywhere({ fault: index, machine, back: true })).toBeGreaterThan(5);
    });

for (const [index, fault] of crashFaults.entries())
  test(`the process dies at every append while a machine has ${describeFault(fault)}`, async () => {
    expect(await dieEverywhere({ fault: index, machine: 'app' })).toBeGreaterThan(5);
    expect(await dieEverywhere({ fault: index, machine: 'nas' })).toBeGreaterThan(5);
  });
