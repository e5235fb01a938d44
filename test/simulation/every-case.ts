import {
  type CrashCase,
  type CrashPoint,
  crashFaults,
  crashScenario,
  nameOfCase,
} from './crash-scenarios.ts';
import { whyBroken } from './haul.ts';
import type { Scenario } from './scenario.ts';
import { simulate } from './simulate.ts';
import { tripFaults, tripMachines, tripScenario } from './trip-scenarios.ts';

/** What is not drawn but tried in full over a small fleet: every death of the engine, and every round trip going wrong. */

const soonMs = 500;
const laterMs = 900_000;

/** The deaths at each of so many appends: taken up soon, while a machine may still be on its way down, or long after, or never. */
export const deathsIn = (appends: number): readonly CrashPoint[] =>
  Array.from({ length: appends }, (_, index) => index + 1).flatMap((append): CrashPoint[] => [
    // Done and not written down: the death that matters most.
    { append, when: 'before', downMs: soonMs },
    { append, when: 'before', downMs: laterMs },
    { append, when: 'after', downMs: append % 2 === 0 ? soonMs : laterMs },
    { append, when: 'after', downMs: null },
  ]);

type Broken = { readonly name: string; readonly why: string };

/** The first of them all that breaks a rule, by the name under which it is replayed; null for none. */
export const firstBrokenCase = async (): Promise<Broken | null> => {
  const breaks = async (name: string, scenario: Scenario): Promise<Broken | number> => {
    try {
      return (await simulate(scenario, { readsJournal: false })).events.length;
    } catch (error) {
      return { name, why: whyBroken(error) };
    }
  };
  const tried = (each: CrashCase): Promise<Broken | number> => breaks(nameOfCase(each), crashScenario(each));
  for (const fault of [null, ...crashFaults.keys()])
    for (const machine of ['app', 'nas'] as const) {
      const whole = await tried({ fault, machine, crash: null });
      if (typeof whole !== 'number') return whole;
      for (const crash of deathsIn(whole)) {
        const broken = await tried({ fault, machine, crash });
        if (typeof broken !== 'number') return broken;
      }
    }
  const { world } = await simulate(crashScenario({ fault: null, machine: 'app', crash: null }));
  for (const machine of tripMachines)
    for (let trip = 1; trip <= world.tripsTo(machine); trip += 1)
      for (const [index, fault] of tripFaults(trip).entries()) {
        const broken = await breaks(`trip/${machine}/${trip}/${index}`, tripScenario(machine, fault));
        if (typeof broken !== 'number') return broken;
      }
  return null;
};
