import type { Plan } from '../../src/plan/plan.ts';
import { drive } from '../../src/run/drive.ts';
import type { EventBody, RunEvent } from '../../src/run/event.ts';
import { applyEvent, type RunState, replay } from '../../src/run/state.ts';
import { createVirtualClock } from '../../src/sim/clock.ts';
import { faultOf } from '../../src/sim/fault.ts';
import { createMachine } from '../../src/sim/machine.ts';
import { createMemoryJournal } from '../../src/sim/memory-journal.ts';
import { createRandom } from '../../src/sim/random.ts';
import { createWorld, type Effect, type World } from '../../src/sim/world.ts';
import { Violation } from './invariants.ts';
import type { Scenario } from './scenario.ts';
import { describe, killed, prepare } from './simulate.ts';

/**
 * Two orchestrators that know nothing of each other, over one simulated world and one clock: each with a plan, a journal
 * and processes of its own, as on two hosts.
 */

/** How one process of an orchestrator dies, and when the next one resumes its run; null: nobody ever does. */
export type Death = {
  readonly at: { readonly append: number } | { readonly ms: number };
  readonly downMs: number | null;
};
export type Orchestrator = {
  readonly name: string;
  /** When it looks at the fleet and plans, milliseconds from the start. */
  readonly startsAtMs: number;
  readonly goal: Scenario['goal'];
  readonly wanted: Scenario['wanted'];
  readonly deaths: readonly Death[];
};
export type TwoScenario = {
  readonly fleet: Omit<Scenario, 'goal' | 'wanted' | 'ends' | 'pauses' | 'abandoned'>;
  readonly orchestrators: readonly [Orchestrator, Orchestrator];
};

export type Performance = {
  readonly plan: Plan;
  /** As its journal tells it. */
  readonly state: RunState;
  readonly events: readonly RunEvent[];
};
export type TwoSimulated = {
  readonly first: Performance;
  readonly second: Performance;
  readonly world: World;
  readonly startedAt: number;
};

const startAt = 1_000_000_000;
const turnsMax = 400_000;
const longestMs = 30 * 86_400_000;

/** What must hold between the two, at every effect, whatever they think of each other. */
const createReferee = (look: World['look']) => {
  const actors = new Map<string, string[]>();
  const boots = new Set<string>();
  return (effect: Effect): void => {
    const broke = (rule: string): never => {
      throw new Violation(`${effect.kind} of ${effect.machine} by ${effect.run}: ${rule}`);
    };
    const truth = look(effect.machine);
    // A lease goes by the boot it was taken in: where that is told wrongly it looks older than it is, and holds nobody off.
    const holds = faultOf(truth.faults, 'boot-id-lies') === null;
    const before = actors.get(effect.machine) ?? [];
    // Once the other one has acted, the machine is no longer what the first one knew.
    if (before.at(-1) !== effect.run) {
      if (holds && before.includes(effect.run)) broke('another run has acted on it since this one did');
      actors.set(effect.machine, [...before, effect.run]);
    }
    for (const { request, outcome, watch } of truth.units.values())
      if (request.claim.run !== effect.run && (outcome === null || (watch !== null && watch.end === null)))
        broke(`an activation by ${request.claim.run} is not over`);
    if (effect.kind !== 'reboot') {
      const others = before.at(-1) !== undefined && before.at(-1) !== effect.run;
      if (holds && others && truth.rebooting && faultOf(truth.faults, 'never-goes-down') === null)
        broke('it is being rebooted by the other run');
      return;
    }
    if (boots.has(effect.bootId)) broke('this boot was ended before');
    boots.add(effect.bootId);
  };
};

/** Runs both to their ends. Throws `Violation` for a broken rule, and what the engine throws for a bug. */
export const simulateTwo = async (
  { fleet, orchestrators }: TwoScenario,
  options: { readonly tell?: (at: number, line: string) => void } = {},
): Promise<TwoSimulated> => {
  const time = createVirtualClock(startAt);
  const tell = (line: string, at = time.now()): void => options.tell?.(at, line);
  let violation: unknown = null;
  const judge = createReferee((name) => world.look(name));
  const world: World = createWorld({
    machines: fleet.starts.map((start) => createMachine(start, startAt)),
    closures: fleet.closures,
    now: time.now,
    random: createRandom(fleet.seed).fork('network'),
    network: fleet.network,
    onEffect: (effect) => {
      tell(`EFFECT of ${effect.run}: ${effect.kind} ${effect.machine}`);
      try {
        judge(effect);
      } catch (error) {
        // The engine must not be able to swallow a broken rule.
        violation ??= error;
        throw error;
      }
    },
    onHappening: (machine, due) => tell(`    … ${machine.name} ${due.kind}`, due.at),
  });

  const perform = async (orchestrator: Orchestrator, number: number): Promise<Performance> => {
    const { name, startsAtMs, goal, wanted, deaths } = orchestrator;
    const run = `20260101-000000-000${number}`;
    const journal = createMemoryJournal(time.now);
    const record = (body: EventBody): RunEvent => {
      const event = journal.append(run, body);
      tell(`${name} ${event.seq} ${describe(body)}`);
      return event;
    };
    const rest = (ms: number): Promise<void> => time.process().clock.sleep(ms);
    await rest(startsAtMs);
    const scenario: Scenario = { ...fleet, goal, wanted, ends: [], pauses: [] };
    const plan = await prepare(scenario, world, time.process().clock);
    record({
      kind: 'run-started',
      goal,
      flake: plan.flake,
      selectors: fleet.selection,
      by: { user: name, host: `host-of-${name}`, pid: 1, via: 'cli' },
      labVersion: 'sim',
      opened: { cwd: '/', overrideInputs: [], nixOptions: [], sshConfig: null },
    });
    record({ kind: 'plan-made', plan, remarks: [] });
    record({ kind: 'approved', hash: plan.hash, how: 'yes-flag' });
    const told = (): Performance => {
      const events = journal.eventsOf(run);
      const state = replay(events);
      if (state === null) throw new TypeError('no history');
      return { plan, state, events };
    };

    /** One process: true when the run has ended. */
    const live = async (resumed: boolean, death: Death | null): Promise<boolean> => {
      const process = time.process();
      let alive = true;
      let appends = 0;
      let die = (): void => {};
      const dead = new Promise<'killed'>((resolve) => {
        die = () => {
          if (!alive) return;
          tell(`${name} dies`);
          alive = false;
          process.kill();
          resolve('killed');
        };
      });
      if (death !== null && 'ms' in death.at) time.schedule(time.now() + death.at.ms, die);
      let { state } = told();
      const append = (body: EventBody): RunState => {
        if (!alive) throw killed;
        appends += 1;
        state = applyEvent(state, record(body));
        if (death === null || !('append' in death.at) || death.at.append !== appends) return state;
        die();
        throw killed;
      };
      const working = (async (): Promise<RunState> => {
        if (resumed) append({ kind: 'resumed', pid: 2 });
        return drive(state, {
          append,
          target: world.targetOn(process.clock),
          clock: process.clock,
          stop: new AbortController().signal,
          abort: new AbortController().signal,
        });
      })();
      try {
        return (await Promise.race([working, dead])) !== 'killed';
      } catch (error) {
        if (violation !== null) throw violation;
        if (error === killed) return false;
        throw error;
      } finally {
        // Whatever a dead process still has under way must not go on.
        alive = false;
        process.kill();
        working.catch(() => {});
      }
    };

    for (let life = 0; ; life += 1) {
      const death = deaths[life] ?? null;
      if (await live(life > 0, death)) return told();
      if (death === null) throw new Violation(`the last process of ${name} did not bring its run to an end`);
      if (death.downMs === null) return told();
      await rest(death.downMs);
    }
  };

  const [one, other] = orchestrators;
  const [first, second] = await time.run(Promise.all([perform(one, 1), perform(other, 2)]), {
    until: startAt + longestMs,
    turnsMax,
  });
  if (violation !== null) throw violation;
  return { first, second, world, startedAt: startAt };
};
