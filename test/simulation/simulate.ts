import type { Failure } from '../../src/failure.ts';
import { dependentsOf } from '../../src/fleet/graph.ts';
import { JournalFailure } from '../../src/journal/journal.ts';
import { makePlan, planHash } from '../../src/plan/make-plan.ts';
import type { Plan, Step } from '../../src/plan/plan.ts';
import type { Observation } from '../../src/ports.ts';
import { copyAgainForMs } from '../../src/run/copy.ts';
import { drive } from '../../src/run/drive.ts';
import { EventBody, type RunEvent, type SteerAsk } from '../../src/run/event.ts';
import { settleMs } from '../../src/run/look-at-all.ts';
import { progressOf } from '../../src/run/progress.ts';
import { applyEvent, beginRun, type RunState, replay } from '../../src/run/state.ts';
import { actDeadlines } from '../../src/run/step-context.ts';
import { createVirtualClock } from '../../src/sim/clock.ts';
import { createMachine, type Due, type SimMachine } from '../../src/sim/machine.ts';
import { createMemoryJournal } from '../../src/sim/memory-journal.ts';
import { createRandom } from '../../src/sim/random.ts';
import { createWorld, type World } from '../../src/sim/world.ts';
import { prepareBack, relatedTo } from './backwards.ts';
import { createChecker, Violation } from './invariants.ts';
import type { ProcessEnd, Scenario } from './scenario.ts';
import { standingStill } from './standing-still.ts';
import { askedBy, createAskers, mayReopen, meant } from './steering.ts';

/**
 * One simulated run: the production planner, loop and gates over a simulated world, with engine processes that are
 * killed, stopped or lose their journal, and every rule checked on the way.
 */

export type Simulated = {
  readonly plan: Plan;
  readonly state: RunState;
  readonly events: readonly RunEvent[];
  readonly world: World;
  readonly startedAt: number;
};

export type SimulateOptions = {
  /** Hears everything that happens, for a trace. */
  readonly tell?: (at: number, line: string) => void;
  /**
   * Whether the journal is as on disk: a process that takes the run over reads it written and parsed, the end is compared
   * with it, and the plan in it has its hash. Default true; without, it goes on from the fold of the events themselves.
   */
  readonly readsJournal?: boolean;
};

const asRead = (event: RunEvent): RunEvent => ({
  ...event,
  body: EventBody.parse(JSON.parse(JSON.stringify(event.body))),
});

/** Days after the epoch: V8 keeps each time of a run as a small integer, where it would box those of today. */
const startAt = 1_000_000_000;
const run = '20260101-000000-0001';
const turnsMax = 60_000;
/** Longer than any activation, and any wait for its confirmation, lasts. */
const restMs = 12 * 3_600_000;
/** A machine that crashes again and again takes its processes with it. */
const processesMax = 30;
const powerKinds: ReadonlySet<Due['kind']> = new Set(['stop', 'down', 'crash', 'boot']);
/** From the boot of the engine's own machine until its unit takes the run up again, milliseconds. */
const resumeAtBootMs = 5_000;

/** Thrown out of an append: the process is gone. */
class Killed extends Error {
  override readonly name = 'Killed';
}
/** One for all: nobody asks where it was thrown, and to find that out takes as long as an event of the run. */
export const killed = new Killed('the process is gone');

/** More than any sound performance of a step lasts. */
const boundMsOf = (step: Step): number => {
  const slackMs = 60_000;
  switch (step.kind) {
    case 'preflight':
      return actDeadlines.observeMs + actDeadlines.preflightMs + actDeadlines.healthMs + slackMs;
    case 'copy':
      // Another try may begin as long as a lost connection is taken up again.
      return 2 * actDeadlines.copyMs + copyAgainForMs + slackMs;
    case 'dependencies':
      return step.needs.length * actDeadlines.healthMs + slackMs;
    case 'activate':
      return actDeadlines.activateMs + actDeadlines.observeMs * 10 + slackMs;
    case 'confirm':
      return actDeadlines.confirmMs + actDeadlines.seeAfterMs + actDeadlines.observeMs * 2 + slackMs;
    case 'restore':
      return (
        // What its supervisor may take, and the other way after it.
        3_600_000 +
        actDeadlines.returnMs +
        2 * actDeadlines.activateMs +
        actDeadlines.observeMs * 30 +
        slackMs
      );
    case 'gate':
      return step.deadlineMs + step.stableMs + 2 * (actDeadlines.healthMs + actDeadlines.observeMs) + slackMs;
    case 'delay':
      return step.delayMs + slackMs;
    case 'reboot':
      return (
        actDeadlines.triggerMs +
        2 * (actDeadlines.observeMs + actDeadlines.preflightMs + actDeadlines.seeBeforeMs) +
        slackMs
      );
    case 'await-boot':
      return step.downMs + step.upMs + 4 * actDeadlines.observeMs + slackMs;
    default:
      return step satisfies never;
  }
};

/** More than the looks at the start and at the end last for one machine; they may begin anew after a pause. */
const lookBoundMs =
  2 * (settleMs.start + settleMs.end) + 4 * (actDeadlines.observeMs + actDeadlines.healthMs) + 60_000;

const boundMs = ({ machines }: Plan): number => {
  let sum = 60_000 + machines.length * lookBoundMs;
  for (const { steps, contingent, restore } of machines) {
    for (const step of steps) sum += boundMsOf(step);
    for (const step of contingent) sum += boundMsOf(step);
    if (restore !== null) sum += boundMsOf(restore);
  }
  return sum;
};

export const describe = (body: EventBody): string => {
  switch (body.kind) {
    case 'step-intended':
      return `intend ${body.step}`;
    case 'step-noted':
      return `       ${body.step}: ${body.note}`;
    case 'step-ended': {
      const { outcome } = body;
      return `ended  ${body.step}: ${outcome.kind} ${outcome.kind === 'succeeded' ? outcome.facts.note : `${outcome.failure.kind}: ${outcome.failure.message}`}`;
    }
    case 'run-ended':
      return `run ended: ${body.result}, ${body.reason}`;
    case 'steered':
    case 'reopened':
      return `${body.kind}: ${body.what} ${body.machine}`;
    case 'steer-refused':
      return `refused: ${body.what} ${body.machine}: ${body.why}`;
    case 'plan-made':
      return `plan of ${body.plan.machines.length} machines`;
    default:
      return body.kind;
  }
};

/** Runs the scenario to its end. Throws `Violation` for a broken rule, and what the engine throws for a bug. */
export const simulate = async (scenario: Scenario, options: SimulateOptions = {}): Promise<Simulated> => {
  const time = createVirtualClock(startAt);
  // Most runs are told to nobody.
  const tell = (line: () => string, at = time.now()): void => options.tell?.(at, line());
  /** What the clock of the process that lives now is off by. */
  let skewMs = 0;
  let skewed = (scenario.clockSteps ?? []).length > 0;
  const journal = createMemoryJournal(() => time.now() + skewMs);
  const readsJournal = options.readsJournal ?? true;
  const read = (): RunState | null => {
    const events = journal.eventsOf(run);
    return replay(readsJournal ? events.map(asRead) : events);
  };
  let violation: unknown = null;
  // The engine must not be able to swallow a broken rule.
  const strict = (act: () => void): void => {
    try {
      act();
    } catch (error) {
      violation ??= error;
      throw error;
    }
  };
  let checker: ReturnType<typeof createChecker> | null = null;
  const world = createWorld({
    machines: scenario.starts.map((start) => createMachine(start, startAt)),
    closures: scenario.closures,
    now: time.now,
    random: createRandom(scenario.seed).fork('network'),
    network: scenario.network,
    onEffect: (effect) => {
      tell(
        () =>
          `EFFECT ${effect.kind} ${effect.machine}${effect.kind === 'activate' ? ` ${effect.mode} ${effect.toplevel.slice(44)}` : ''}`,
      );
      strict(() => checker?.onEffect(effect));
      if (effect.machine === scenario.localMachine) time.schedule(effect.at, watchOwnMachine);
    },
    onHappening: (machine, due, before) => {
      tell(() => `    … ${machine.name} ${due.kind}`, due.at);
      strict(() => checker?.onHappening(before, due));
      if (machine.name === scenario.localMachine) ownMachine(machine, due);
    },
  });

  // The processes of the engine live on one of the machines, if the scenario says so, and share its fate. The world
  // is only as far as somebody looks, so it is looked at whenever that machine has something coming.
  let living: { readonly terminate: () => void; readonly die: (why: string) => void } | null = null;
  const ownMachine = (machine: SimMachine, due: Due): void => {
    if (due.kind === 'stop' && living !== null && !standing.isStanding()) living.terminate();
    if (machine.power === 'down') living?.die('its machine goes down');
  };
  const watchOwnMachine = (): void => {
    const own = scenario.localMachine;
    const coming = own === null ? undefined : world.look(own).due.find(({ kind }) => powerKinds.has(kind));
    if (own !== null && coming !== undefined) time.schedule(coming.at, watchOwnMachine);
  };

  const plan = await time.run(prepare(scenario, world, time.process().clock, readsJournal), {
    until: startAt + 3_600_000,
    turnsMax,
  });
  const standing = standingStill(scenario.standstills ?? [], time);
  checker = createChecker(plan, world, standing.stood);
  const watch = checker;
  /** The run by the dates of its journal, where those are not the true ones, which the checker goes by. */
  let dated: RunState | null = null;
  const record = (body: EventBody): RunEvent => {
    const event = journal.append(run, body);
    tell(() => `${event.seq} ${describe(body)}`);
    if (body.kind === 'step-intended') standing.intended(body.step);
    strict(() => watch.onEvent(!skewed ? event : { ...event, at: time.now() }));
    if (skewed) dated = dated === null ? beginRun(event) : applyEvent(dated, event);
    return event;
  };
  const known = (): RunState => dated ?? watch.state();
  record({
    kind: 'run-started',
    goal: scenario.goal,
    flake: plan.flake,
    selectors: scenario.selection,
    by: { user: 'sim', host: 'sim', pid: 1, via: 'cli' },
    labVersion: 'sim',
    opened: { cwd: '/', overrideInputs: [], nixOptions: [], sshConfig: null },
  });
  record({ kind: 'plan-made', plan, remarks: [] });
  record({ kind: 'approved', hash: plan.hash, how: 'yes-flag' });

  watchOwnMachine();
  let pausedBy: string | null = null;
  let waiting: (() => void)[] = [];
  const pause = (by: string | null): void => {
    pausedBy = by;
    for (const wake of waiting) wake();
    waiting = [];
  };
  for (const { atMs, byMs } of scenario.clockSteps ?? [])
    time.schedule(time.now() + atMs, () => {
      tell(() => `    … the clock is set by ${byMs / 1_000} s`);
      skewMs += byMs;
      watch.clockSet();
    });
  for (const { atMs, forMs } of scenario.pauses) {
    standing.toProcess(time.now() + atMs, () => pause('somebody'));
    standing.toProcess(time.now() + atMs + forMs, () => pause(null));
  }
  const askers = createAskers(scenario, { now: time.now, schedule: standing.toProcess });
  /** Each time something is tried again, steps take their time again. */
  const rounds = 1 + (scenario.steers?.length ?? 0) + (scenario.reopenings?.length ?? 0);
  const pausedMs =
    scenario.pauses.reduce((sum, { forMs }) => sum + forMs, 0) +
    (scenario.standstills ?? []).reduce((sum, { forMs }) => sum + forMs, 0);

  const longestMs = boundMs(plan) * rounds + pausedMs;

  /** Drives until the run ends or this process does: the state at the end of the run, or null. */
  const live = async (
    number: number,
    end: ProcessEnd | null,
    reopen: SteerAsk | null,
  ): Promise<RunState | null> => {
    const process = time.process();
    const stop = new AbortController();
    const abort = new AbortController();
    let alive = true;
    let appends = 0;
    let die = (_why: string): void => {};
    const dead = new Promise<'killed'>((resolve) => {
      die = (why) => {
        if (!alive) return;
        tell(() => `process ${number} dies: ${why}`);
        alive = false;
        process.kill();
        resolve('killed');
      };
    });
    if (end?.kind === 'killed-at') time.schedule(time.now() + end.ms, () => die('killed'));
    if (end?.kind === 'stopped-at') standing.toProcess(time.now() + end.ms, () => stop.abort('somebody'));
    if (end?.kind === 'aborted-at') standing.toProcess(time.now() + end.ms, () => abort.abort('somebody'));
    let goesDown = false;
    const terminate = (): void => {
      goesDown = !stop.signal.aborted && !abort.signal.aborted;
      stop.abort('SIGTERM');
    };
    living = { terminate, die };
    // What befell the machine in between may have more to come.
    watchOwnMachine();
    let replayed: RunState | null = null;
    const append = (body: EventBody): RunState => {
      if (!alive) throw killed;
      appends += 1;
      if (end?.kind === 'journal-breaks' && appends >= end.append) {
        watch.journalBroken(true);
        throw new JournalFailure('no space left on device', 'make room');
      }
      const last = end?.kind === 'killed-at-append' && appends === end.append ? end : null;
      if (last?.when === 'before') {
        die('killed');
        throw killed;
      }
      const event = record(body);
      if (last?.when === 'after') {
        die('killed');
        throw killed;
      }
      replayed &&= applyEvent(replayed, event);
      return replayed ?? known();
    };
    const working = (async (): Promise<RunState> => {
      if (reopen !== null) append({ kind: 'reopened', ...reopen, by: askedBy, pid: number + 1 });
      else if (number > 0) append({ kind: 'resumed', pid: number + 1 });
      if (number > 0 && readsJournal) replayed = read();
      const clock = standing.clockOf(process.clock);
      return drive(replayed ?? known(), {
        append,
        target: standing.targetOf(world.targetOn(process.clock), process.clock),
        clock: { ...clock, now: () => clock.now() + skewMs },
        stop: stop.signal,
        abort: abort.signal,
        pause: {
          by: () => pausedBy,
          changed: () => new Promise((resolve) => waiting.push(resolve)),
        },
        steering: askers,
      });
    })();
    try {
      const ended = await time.run(Promise.race([working, dead]), {
        until: time.now() + longestMs,
        turnsMax,
      });
      if (ended === 'killed') return null;
      if (ended.ended === null) return null;
      const asked = end !== null || stop.signal.aborted;
      if (goesDown && ended.ended.result === 'interrupted')
        throw new Violation('the run ended, and was to go on after the reboot of its own machine');
      return ended.ended.result === 'interrupted' && asked ? null : ended;
    } catch (error) {
      if (violation !== null) throw violation;
      if (error === killed) return null;
      if (error instanceof JournalFailure && end?.kind === 'journal-breaks') return null;
      throw error;
    } finally {
      // Whatever an ended process still has under way must not go on.
      alive = false;
      living = null;
      askers.forget();
      process.kill();
      working.catch(() => {});
    }
  };

  const pass = (ms: number): Promise<void> =>
    time.run(time.process().clock.sleep(ms), { until: Number.MAX_SAFE_INTEGER, turnsMax });
  const told = (state: RunState): Simulated => ({
    plan,
    state,
    events: journal.eventsOf(run),
    world,
    startedAt: startAt,
  });
  /** Everything that machines do by themselves has been done by then. */
  const atRest = async (state: RunState): Promise<Simulated> => {
    await pass(restMs);
    watch.atRest();
    return told(state);
  };
  const written = (): RunState => (readsJournal ? read() : null) ?? known();
  const ownMachineIn = (): SimMachine | null =>
    scenario.localMachine === null ? null : world.look(scenario.localMachine);
  const ownIsDown = (): boolean => {
    const own = ownMachineIn();
    return own !== null && (own.power !== 'up' || own.rebooting);
  };
  const ends = [...scenario.ends];
  const reopenings = [...(scenario.reopenings ?? [])];
  /** The next of what somebody asks of a run that has ended so, where it can be. */
  const reopened = async (ended: RunState): Promise<SteerAsk | null> => {
    for (let next = reopenings.shift(); next !== undefined; next = reopenings.shift()) {
      const { what, afterMs, heals } = next;
      await pass(afterMs);
      const machine = meant(ended, next.machine);
      if (machine === null || !mayReopen(ended, what, machine)) continue;
      if (heals) {
        watch.heals(machine);
        world.heal(machine);
        tell(() => `somebody sees to ${machine}`);
      }
      return { what, machine };
    }
    return null;
  };
  let final: RunState | null = null;
  let reopen: SteerAsk | null = null;
  for (let number = 0; ; number += 1) {
    if (number > processesMax) throw new Violation(`the run has not ended after ${number} processes`);
    const end: ProcessEnd | null = ends[0] ?? null;
    const beganAt = time.now();
    final = await live(number, end, reopen);
    watch.journalBroken(false);
    if (violation !== null) throw violation;
    const left = written();
    // Whoever was to reopen it died before it was written down: it has ended as before.
    if (final === null && reopen !== null && left.ended !== null && left.ended.result !== 'interrupted') {
      ends.shift();
      final = left;
    }
    reopen = null;
    if (final !== null) {
      watch.finish(final, left);
      reopen = await reopened(final);
      if (reopen === null) break;
      continue;
    }
    // Down, or up again before anybody looked; where nobody is there to take the run up, its journal stays as it is.
    const fell = ownIsDown() || (ownMachineIn()?.bootedAt ?? 0) > beganAt;
    if (fell && !scenario.resumesAtBoot) return atRest(written());
    if (!fell) {
      if (end === null) throw new Violation('the last process did not bring the run to its end');
      ends.shift();
      skewMs += end.skewMs ?? 0;
      if (end.skewMs !== undefined) {
        skewed = true;
        dated ??= replay(journal.eventsOf(run));
        watch.clockSet();
      }
      tell(() => `nobody drives for ${end.downMs / 1_000} s`);
      if (ends.length === 0 && scenario.abandoned === true) break;
      await pass(end.downMs);
    }
    while (ownIsDown()) {
      const coming = world.look(scenario.localMachine ?? '').due.find(({ kind }) => powerKinds.has(kind));
      if (coming === undefined) return atRest(written());
      await pass(coming.at - time.now());
      if (!ownIsDown()) await pass(resumeAtBootMs);
    }
  }
  if (final !== null) checkLiveness(scenario, plan, final);
  return atRest(final ?? written());
};

export const prepare = async (
  scenario: Scenario,
  world: World,
  clock: ReturnType<ReturnType<typeof createVirtualClock>['process']>['clock'],
  hashed = true,
): Promise<Plan> => {
  const target = world.targetOn(clock);
  const hashOf = hashed ? planHash : () => 'not hashed';
  if (scenario.goal.kind === 'rollback') return prepareBack(scenario, target, clock, hashOf);
  const observations = new Map<string, Observation>();
  for (const machine of scenario.machines)
    observations.set(machine.name, await target.observe(machine, { deadlineMs: actDeadlines.observeMs }));
  return makePlan(
    {
      flake: 'sim',
      fleet: { machines: scenario.machines, failed: [] },
      selection: scenario.selection,
      goal: scenario.goal,
      overrides: scenario.overrides ?? [],
      observations,
      toplevels: new Map(
        [...scenario.wanted].map(([machine, outPath]) => [
          machine,
          {
            machine,
            drvPath: `${outPath}.drv`,
            outPath,
            parts: scenario.closures.get(outPath)?.parts ?? null,
          },
        ]),
      ),
      buildFailures: new Map<string, Failure>(),
      blocked: new Map(),
      localMachine: scenario.localMachine,
      resumesAtBoot: scenario.resumesAtBoot,
      now: clock.now(),
      ...(scenario.past === undefined ? {} : { past: scenario.past }),
    },
    hashOf,
  );
};

/**
 * Trouble on one machine must not keep another from its goal: unless the run was stopped or had to halt, every machine
 * without a fault, and without one behind it, is done.
 */
const checkLiveness = (scenario: Scenario, plan: Plan, final: RunState): void => {
  if (final.ended?.result === 'held' || final.ended?.result === 'interrupted') return;
  const leftOut = plan.machines.flatMap((entry) => {
    const { status, skippedBy } = progressOf(final, entry);
    return status === 'skipped' && skippedBy !== null ? [entry.machine.name] : [];
  });
  const steered = (scenario.steers ?? []).map(({ machine }) => machine);
  const back = plan.goal.kind === 'rollback';
  const standsMs = (scenario.standstills ?? []).reduce((sum, { forMs }) => sum + forMs, 0);
  // Nobody confirmed what went live there while the engine stood still, so it may have gone back by itself: it waits for as
  // long as the gate may take, and not much longer.
  const unconfirmed = plan.machines.filter(({ steps }) => {
    const gate = steps.find((step) => step.kind === 'gate' && step.after === 'activation');
    const gateMs = gate?.kind === 'gate' ? gate.deadlineMs : 0;
    return (
      standsMs > 0 &&
      steps.some(
        (step) =>
          step.kind === 'activate' &&
          step.confirmWithinMs !== undefined &&
          step.confirmWithinMs < standsMs + gateMs,
      )
    );
  });
  const faulty = [
    ...unconfirmed.map(({ machine }) => machine.name),
    ...scenario.starts.filter(({ faults = [] }) => faults.length > 0).map(({ name }) => name),
    // What needs a machine that somebody left out goes on; what it needs is not returned beneath it, and may have had its
    // turn by the time that one is taken in again.
    ...(back ? [...leftOut, ...steered] : []),
  ];
  const excused = back
    ? relatedTo(scenario.machines, faulty)
    : new Set([...faulty, ...dependentsOf(scenario.machines, faulty)]);
  for (const entry of plan.machines) {
    const { status, failure } = progressOf(final, entry);
    if (excused.has(entry.machine.name) || leftOut.includes(entry.machine.name)) continue;
    if (status === 'done' || status === 'nothing') continue;
    throw new Violation(
      `nothing ails ${entry.machine.name} or what it needs, and it is ${status}: ${failure?.message ?? ''}`,
    );
  }
};
