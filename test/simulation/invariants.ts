import { isDeepStrictEqual } from 'node:util';
import { type MachinePlan, machineOfStep, type Plan, type Step } from '../../src/plan/plan.ts';
import { pollPause } from '../../src/run/await.ts';
import type { RunEvent } from '../../src/run/event.ts';
import { concurrency } from '../../src/run/next.ts';
import { type MachineProgress, progressOf } from '../../src/run/progress.ts';
import {
  allRecords,
  recordOf,
  recordOfStep,
  recordsOfMachine,
  type StepRecord,
} from '../../src/run/records.ts';
import { applyEvent, beginRun, type RunState } from '../../src/run/state.ts';
import type { Effect, World } from '../../src/sim/world.ts';
import { endedBlind, fallenAtEnd, wrongLook } from './end-rules.ts';
import { startOf, wrongOverwrite, wrongReboot, wrongSkip } from './hold-rules.ts';
import { notGivenBack, ranOut, withoutLease } from './lease-rules.ts';
import { wrongReport } from './report-rules.ts';

/**
 * What must hold of every run, checked at every event of the journal and at every effect on a machine, against the
 * truth of the simulated world. Nothing here asks the engine what it thinks: only the journal what it says.
 */

/** A rule that a run has broken. */
export class Violation extends Error {
  override readonly name = 'Violation';
}

/**
 * How old a reading of a dependency may be when its dependent is rebooted or changed, milliseconds: between the two
 * lie a last look at the dependent itself and the tries to reach it. Never from before a resumption or the end of a pause.
 */
const readingAgeMaxMs = 180_000;

/** Not an activation of what was not there, or was there already. */
const didSomething = (effect: Effect): boolean =>
  effect.kind !== 'activate' || (effect.mode !== 'dry-activate' && effect.changes);

/** Steps that do nothing to their machine: none of them is waited for once it is left out. */
const endsWithItsMachine = /\/(?:preflight|copy|dependencies[^/]*|delay)$/u;

export type Checker = {
  onEvent(event: RunEvent): void;
  onEffect(effect: Effect): void;
  /** From now on the engine's clock is not the one of the simulation: nobody can tell then how long ago something was. */
  clockSet(): void;
  /** After a break of the journal nothing may be done until the next process. */
  journalBroken(broken: boolean): void;
  /** Somebody sees to a machine: what ails it now excuses it for good. */
  heals(machine: string): void;
  /** The journal so far, folded. */
  state(): RunState;
  /** `written` is what the journal replays to. */
  finish(state: RunState, written: RunState): void;
  /** Long after the last process has ended, however it did. */
  atRest(): void;
};

export const createChecker = (
  plan: Plan,
  world: World,
  /** How long the process of the engine has stood still so far, milliseconds. */
  stood: () => number = () => 0,
): Checker => {
  let state: RunState | null = null;
  let broken = false;
  let clockWasSet = false;
  const rebooted = new Map<string, number>();
  const touched = new Set<string>();
  const orchestrator = plan.machines.find(({ machine }) => machine.orchestrator)?.machine.name;
  let stopSeq: number | null = null;
  let stoppedAtOnce = false;
  let resumedAt = 0;
  let unpaused: RunEvent | null = null;
  /** The latest of each step. */
  const intents = new Map<string, { readonly seq: number; readonly at: number; readonly stoodMs: number }>();
  /** Of each machine, when it last failed, its way back aside. */
  const failedAtSeq = new Map<string, number>();
  const confirmed = new Set<string>();
  /** Their services did not answer when their preflight looked, nor at a gate since. */
  const everIllBefore = new Set<string>();
  const failedBefore = new Map<string, readonly string[]>();
  const illBefore = new Set<string>();
  /** How each was when its preflight looked first: what fails at a later one besides may be the doing of this run. */
  const firstSeen = new Map<string, { readonly ill: boolean; readonly units: readonly string[] }>();
  const seenTo = new Set<string>();
  const lookBegunAt = { start: 0, end: 0 };
  /** When each was left out by somebody, as the journal says. */
  const leftOut = new Map<string, number>();
  const triedAgain = new Set<string>();
  const takenIn = new Set<string>();
  const excusedFromReturn = new Set<string>();

  const broke = (rule: string): never => {
    throw new Violation(rule);
  };
  const now = (): RunState => state ?? broke('an effect before the first event');
  const progressFor = (name: string) => {
    const entry = plan.machines.find(({ machine }) => machine.name === name);
    return entry === undefined ? null : progressOf(now(), entry);
  };
  /** Only what failed before anything was done to the machine: at its preflight, or at the plan. */
  const failedBeforeToo = (name: string, units: readonly string[]): boolean => {
    const before = failedBefore.get(name) ?? world.look(name).origin.failedUnits;
    return units.every((unit) => before.includes(unit));
  };
  const over = (status: string | undefined): boolean =>
    status === 'failed' || status === 'restored' || status === 'skipped';

  /** What the machine had before the run. */
  const startFor = (name: string) => {
    const entry = plan.machines.find(({ machine }) => machine.name === name);
    return entry === undefined ? null : startOf(plan, now(), entry);
  };
  /** A run that wants nothing of its own leaves the machine what it had, so its targets are that. */
  const targetFor = (name: string, planned: string | null): string | null => {
    const entry = plan.machines.find(({ machine }) => machine.name === name);
    return entry?.wanted === null && planned !== null ? (startFor(name)?.profile ?? planned) : planned;
  };

  const intentOf = (effect: Effect): StepRecord => {
    const serves = (step: Step): boolean => {
      if (effect.kind === 'reboot') return step.kind === 'reboot';
      if (effect.kind === 'settle') return step.kind === effect.verdict;
      if (step.kind === 'activate') return step.mode === effect.mode && step.toplevel === effect.toplevel;
      if (step.kind !== 'restore') return false;
      const { current, profile } = startFor(effect.machine) ?? step;
      return current === effect.toplevel || profile === effect.toplevel;
    };
    return (
      allRecords(now()).find(
        ({ step, status }) => step.machine === effect.machine && status === 'open' && serves(step),
      ) ?? broke(`${effect.kind} of ${effect.machine} without an intent in the journal`)
    );
  };

  const checkDependencies = (effect: Effect, entry: MachinePlan, intent: StepRecord): void => {
    const { seq: intended, at: begunAt } = intents.get(intent.step.id) ?? { seq: 0, at: 0 };
    // One that was taken up again ran what it should when it was looked at, and lost its power before it was asked to.
    const fell = intent.intendedAt < resumedAt && world.look(effect.machine).bootedAt > begunAt;
    // A step that was under way already when the pause came acts on what was seen before it; so does one that follows a
    // look which the pause found under way: it was over soon, however long the pause.
    const { at: pauseOver, seq } = unpaused ?? { at: resumedAt, seq: 0 };
    const lookedAcross = [...recordsOfMachine(now(), effect.machine).values()].find(
      ({ step, intendedAt, endedAt }) =>
        step.kind === 'dependencies' && intendedAt < pauseOver && endedAt !== null && endedAt >= pauseOver,
    );
    const since =
      unpaused === null || intended <= seq
        ? resumedAt
        : Math.max(resumedAt, lookedAcross?.intendedAt ?? pauseOver);
    for (const name of entry.machine.dependencies) {
      const progress = progressFor(name);
      const before = progress !== null && progress.plan.position < entry.position;
      // One that was left out untouched is as it was: its dependents look whether it is well.
      const waits = takenIn.has(name) && progress?.status === 'waiting';
      const asItWas = (leftOut.has(name) || waits) && !touched.has(name);
      if (before && progress.status !== 'done' && progress.status !== 'nothing' && !asItWas)
        broke(`${effect.kind} of ${effect.machine} while its dependency ${name} is ${progress.status}`);
      if (effect.kind === 'activate' && (effect.mode === 'boot' || !effect.changes || fell)) continue;
      const reading = world.lastReading(name);
      if (reading === null || reading.at < since || effect.at - reading.at > readingAgeMaxMs)
        broke(`${effect.kind} of ${effect.machine} without a look at its dependency ${name}`);
      else if (!reading.up || !reading.serves || !failedBeforeToo(name, reading.failedUnits))
        broke(`${effect.kind} of ${effect.machine} though its dependency ${name} was seen unwell`);
    }
  };

  /** A rollback must not put something old beneath the new that needs it. */
  const checkDependents = (effect: Effect, entry: MachinePlan): void => {
    for (const { machine, position } of plan.machines) {
      const status = progressFor(machine.name)?.status;
      const needs = machine.dependencies.includes(entry.machine.name);
      if (needs && position < entry.position && status !== 'done' && status !== 'nothing')
        broke(`${effect.kind} of ${effect.machine} while ${machine.name}, which needs it, is ${status}`);
    }
  };

  /** Counted from the latest gate that another machine has passed. */
  const checkDelay = (effect: Effect, entry: MachinePlan): void => {
    const delay = entry.steps.find(({ kind }) => kind === 'delay');
    if (delay?.kind !== 'delay' || clockWasSet) return;
    const since = allRecords(now())
      .filter(
        ({ step, status }) =>
          step.kind === 'gate' && step.machine !== effect.machine && status === 'succeeded',
      )
      .reduce((latest, { endedAt }) => Math.max(latest, endedAt ?? 0), now().approvedAt ?? 0);
    if (effect.at < since + delay.delayMs) broke(`${effect.machine} was rebooted before its delay was over`);
  };

  /** Only what has passed its gate, in this process, is confirmed. */
  const checkConfirmation = (name: string): void => {
    const gate = recordOf(now(), `${name}/gate-after-activation`);
    if (gate?.status !== 'succeeded' || (gate.endedAt ?? 0) < resumedAt)
      broke(`the activation of ${name} was confirmed before its gate`);
    confirmed.add(name);
  };

  const onEffect = (effect: Effect): void => {
    const entry = plan.machines.find(({ machine }) => machine.name === effect.machine);
    if (entry === undefined)
      throw new Violation(`${effect.kind} of ${effect.machine}, which is not in the plan`);
    if (broken) broke(`${effect.kind} of ${effect.machine} after the journal broke`);
    if (effect.kind === 'activate' && effect.mode === 'dry-activate') return;
    if (now().looks.end !== null) broke(`${effect.kind} of ${effect.machine} after the look at the end`);
    const intent = intentOf(effect);
    const restoring = intent.step.kind === 'restore';
    if (!restoring && effect.kind === 'activate' && effect.mode !== 'boot')
      if (world.look(effect.machine).units.get(effect.unit)?.watch == null)
        broke(`${effect.mode} of ${effect.machine}, and nobody there watches over it`);
    // How those were that have their turn last, or none, is known before anything is done to others.
    const idle = plan.machines.some(({ decision }) => decision.kind === 'nothing');
    if (idle && touched.size === 0 && (now().looks.start === null || now().looks.start === 'begun'))
      broke(`${effect.kind} of ${effect.machine} before anybody looked at those with nothing to do`);
    for (const other of plan.machines) {
      const { name } = other.machine;
      if (name === effect.machine) continue;
      const progress = progressOf(now(), other);
      if (progress.touched && progress.status === 'active')
        broke(`${effect.kind} of ${effect.machine} while ${name} is still on its way`);
      // One that failed in its reboot and is to be tried again waits for its turn.
      const waits = progress.status === 'waiting';
      if (rebooted.has(name) && !over(progress.status) && !waits && world.look(name).rebooting)
        broke(`${effect.kind} of ${effect.machine} while ${name} is down by our doing`);
      // What is known to have come to nothing was waited for: nobody counts as up because it said that it would not go.
      if (
        rebooted.has(name) &&
        world.look(name).rebooting &&
        recordOf(now(), `${name}/await-boot`) === undefined
      )
        broke(`${effect.kind} of ${effect.machine} while ${name} goes down and nobody waits for it`);
      const level = other.machine.orchestration.criticalityLevel;
      // What was under way when the other failed is finished, and may still have to be put back, or proven and confirmed.
      const begunBefore = (intents.get(intent.step.id)?.seq ?? 0) < (failedAtSeq.get(name) ?? 0);
      if (
        !restoring &&
        !begunBefore &&
        effect.kind !== 'settle' &&
        !leftOut.has(name) &&
        (level === 'high' || level === 'critical') &&
        (progress.status === 'failed' || progress.status === 'restored')
      )
        broke(`${effect.kind} of ${effect.machine} after ${name} (${level}) had failed`);
    }
    if (leftOut.has(effect.machine)) broke(`${effect.kind} of ${effect.machine}, which was left out`);
    if (effect.kind === 'activate' && effect.mode !== 'boot' && triedAgain.has(effect.machine))
      confirmed.delete(effect.machine);
    if (effect.kind === 'settle' && effect.verdict === 'confirm') checkConfirmation(effect.machine);
    if (!restoring && effect.kind !== 'settle') {
      const { seq } = intents.get(intent.step.id) ?? { seq: 0 };
      const overwritten = wrongOverwrite(plan, world, effect);
      if (overwritten !== null) broke(overwritten);
      checkDependencies(effect, entry, intent);
      if (plan.goal.kind === 'rollback') checkDependents(effect, entry);
      if (stopSeq !== null && seq > stopSeq) broke(`${effect.kind} of ${effect.machine} after a stop`);
      // Whoever tries something again after the end does so when the machine of the engine has had its turn.
      const last = orchestrator !== undefined && triedAgain.size === 0;
      if (last && orchestrator !== effect.machine && touched.has(orchestrator))
        broke(`${effect.kind} of ${effect.machine} after the orchestrator's machine`);
    }
    if (effect.kind === 'reboot') {
      const count = (rebooted.get(effect.machine) ?? 0) + 1;
      if (count > 1) broke(`${effect.machine} was rebooted twice`);
      rebooted.set(effect.machine, count);
      checkDelay(effect, entry);
      const wrong = wrongReboot(plan, world, effect);
      if (wrong !== null) broke(wrong);
    }
    if (didSomething(effect)) touched.add(effect.machine);
  };

  /** A machine that crashed by itself after it last answered cannot be held against the report. */
  const crashedSinceSeen = (name: string): boolean => {
    const truth = world.look(name);
    return truth.power !== 'up' || truth.bootedAt > (world.lastAnswerAt(name) ?? 0);
  };

  const expect = (name: string, what: string, actual: string | null, expected: string | null): void => {
    if (expected === null || actual === expected || crashedSinceSeen(name)) return;
    broke(`${name} passes, but its ${what} is ${actual} instead of ${expected}`);
  };

  const onLooked = (event: RunEvent, body: Extract<RunEvent['body'], { kind: 'looked' }>): void => {
    const { moment, seen } = body;
    const wrong = wrongLook(world, plan, { at: event.at, body }, lookBegunAt[moment], {
      wasIll: (name) => illBefore.has(name),
      hadFailed: failedBeforeToo,
    });
    if (wrong !== null) broke(wrong);
    if (moment === 'end') {
      for (const { machine, verdict } of seen) {
        const progress = progressFor(machine);
        const gate = progress?.steps.findLast(({ kind }) => kind === 'gate');
        const theirs = (world.look(machine).foreignAt ?? 0) >= lookBegunAt.end;
        if (progress?.status !== 'done' || gate?.kind !== 'gate' || theirs) continue;
        if (verdict === 'well' || verdict === 'as-before')
          expect(
            machine,
            'toplevel at the end',
            world.look(machine).current,
            targetFor(machine, gate.current),
          );
      }
      return;
    }
    if (touched.size > 0) broke('machines with nothing to do were looked at after others had been touched');
    for (const { machine } of seen) {
      const reading = world.lastReading(machine);
      if (reading === null || reading.at < lookBegunAt.start || !reading.up) continue;
      failedBefore.set(machine, reading.failedUnits);
      if (!reading.serves) illBefore.add(machine);
    }
  };

  /** Called when the journal says of a machine that it has come to its goal. */
  const checkDone = (entry: MachinePlan, current: RunState): void => {
    const { name } = entry.machine;
    const truth = world.look(name);
    const steps = progressOf(current, entry).steps;
    const modes = steps.flatMap((step) => (step.kind === 'activate' ? [step.mode] : []));
    const boot = steps.find((step) => step.kind === 'await-boot');
    if (boot !== undefined) {
      expect(name, 'booted toplevel', truth.booted, targetFor(name, boot.booted));
      expect(name, 'running toplevel', truth.current, targetFor(name, boot.booted));
      if (truth.bootId === entry.prior?.bootId) broke(`${name} counts as rebooted and was not`);
    }
    if (modes.includes('switch') || modes.includes('boot'))
      expect(name, 'profile', truth.profile, entry.wanted);
    if (modes.includes('switch') || modes.includes('test'))
      expect(name, 'running toplevel', truth.current, entry.wanted);
  };

  /** A step begins once those before it are known to have succeeded. */
  const checkTurn = (current: RunState, id: string): void => {
    const entry = plan.machines.find(({ machine }) => machine.name === machineOfStep(id));
    if (entry === undefined || entry.restore?.id === id) return;
    for (const before of progressOf(current, entry).steps) {
      if (before.id === id) return;
      const status = recordOfStep(current, before)?.status ?? 'not begun';
      if (status !== 'succeeded') broke(`${id} began while ${before.id} is ${status}`);
    }
  };

  const onStepEnded = (record: StepRecord): void => {
    const { step } = record;
    if (step.kind === 'await-boot') {
      expect(
        step.machine,
        'booted toplevel',
        world.look(step.machine).booted,
        targetFor(step.machine, step.booted),
      );
    }
    if (step.kind === 'delay') {
      const { at, stoodMs } = intents.get(step.id) ?? { at: 0, stoodMs: 0 };
      // Who stands still does not wait: it is longer then, and never shorter.
      const waitedMs = (record.endedAt ?? 0) - at - (stood() - stoodMs);
      if (waitedMs > step.delayMs) broke(`${step.id} lasted ${waitedMs} ms of ${step.delayMs}`);
    }
    if (step.kind === 'preflight') {
      const unleased = withoutLease(world, now().run, step.machine, record.endedAt ?? 0);
      if (unleased !== null) broke(unleased);
      const reading = world.lastReading(step.machine);
      const ill = reading !== null && reading.at >= record.intendedAt && !reading.serves && reading.up;
      const { failedUnits } = world.look(step.machine);
      const first = firstSeen.get(step.machine) ?? { ill, units: failedUnits };
      firstSeen.set(step.machine, first);
      if (ill && first.ill) {
        illBefore.add(step.machine);
        everIllBefore.add(step.machine);
      } else illBefore.delete(step.machine);
      // What failed while nothing had been done to the machine is not held against what is done to it.
      if (!touched.has(step.machine))
        failedBefore.set(
          step.machine,
          failedUnits.filter((unit) => first.units.includes(unit)),
        );
    }
    if (step.kind === 'gate') {
      const reading = world.lastReading(step.machine);
      if (reading === null || reading.at < record.intendedAt)
        broke(`the gate ${step.id} passed without a reading`);
      else if (
        !reading.up ||
        (!reading.serves && !illBefore.has(step.machine)) ||
        !failedBeforeToo(step.machine, reading.failedUnits)
      )
        broke(`the gate ${step.id} passed though the machine was not well`);
      const truth = world.look(step.machine);
      const excused = everIllBefore.has(step.machine) || truth.failedUnits.length > 0;
      // An illness that is over before the next look cannot be seen by looking.
      const unseen = truth.faults.some(
        (fault) =>
          fault.kind === 'falls-ill' && fault.forMs !== null && fault.forMs <= pollPause.mostMs + 1_000,
      );
      const steadyMs = (record.endedAt ?? 0) - (truth.wellSince ?? 0);
      if (truth.wellSince !== null && !excused && !unseen && steadyMs < step.stableMs)
        broke(`the gate ${step.id} passed after ${steadyMs} ms of good health`);
      if (reading?.serves === true) illBefore.delete(step.machine);
      const target = targetFor(step.machine, step.current);
      expect(step.machine, 'running toplevel', world.look(step.machine).current, target);
      const boot = recordOf(now(), `${step.machine}/await-boot`)?.outcome;
      if (step.after === 'reboot' && boot?.kind === 'succeeded')
        expect(step.machine, 'boot', world.look(step.machine).bootId, boot.facts.bootId);
    }
    if (step.kind === 'restore') {
      const truth = world.look(step.machine);
      const { current, profile } = startFor(step.machine) ?? step;
      if (truth.current !== current && truth.power === 'up' && !crashedSinceSeen(step.machine))
        broke(`${step.machine} counts as restored and runs ${truth.current}`);
      if (profile !== null && truth.profile !== profile)
        broke(`${step.machine} counts as restored and would boot ${truth.profile}`);
    }
  };

  /** However it ended: also where somebody stopped it, and another process will go on. */
  const onEnded = (current: RunState, at: number): void => {
    const untrue = wrongReport(plan, world, current) ?? notGivenBack(plan, world, seenTo, at);
    if (untrue !== null) broke(untrue);
    const statusOf = (name: string, step: string) => recordOf(current, `${name}/${step}`)?.status;
    for (const { machine } of stoppedAtOnce ? [] : plan.machines)
      if (
        statusOf(machine.name, 'reboot') === 'succeeded' &&
        statusOf(machine.name, 'await-boot') === undefined
      )
        broke(`the run ended, and nobody waits for ${machine.name}, which goes down`);
  };

  const onEvent = (event: RunEvent): void => {
    if (state !== null && event.at < state.lastAt) broke(`event ${event.seq} is older than the one before`);
    state = state === null ? beginRun(event) : applyEvent(state, event);
    const { body } = event;
    if (body.kind === 'stop-requested') {
      stopSeq = event.seq;
      stoppedAtOnce = body.atOnce === true;
    }
    if (body.kind === 'resumed' || body.kind === 'reopened') {
      stopSeq = null;
      stoppedAtOnce = false;
      resumedAt = event.at;
    }
    if (body.kind === 'steered' || body.kind === 'reopened') {
      if (body.what === 'skip') {
        if (touched.has(body.machine) && progressFor(body.machine)?.status !== 'restored')
          broke(`${body.machine} was left out in the middle`);
        leftOut.set(body.machine, event.at);
      } else {
        if (leftOut.delete(body.machine)) takenIn.add(body.machine);
        triedAgain.add(body.machine);
      }
    }
    if (body.kind === 'unpaused') unpaused = event;
    if (body.kind === 'step-intended') {
      const unleased = ranOut(plan, world, state, event.at, resumedAt);
      if (unleased !== null) broke(unleased);
      // A copy is no act that anybody could see, so it is counted where it arrives.
      const name = machineOfStep(body.step);
      if (world.look(name).copies > 0 && !intents.has(`${name}/copy`))
        broke(`a closure came to ${name} without an intent in the journal`);
      const copying = body.step.endsWith('/copy')
        ? state.machines.all.filter(({ records }) =>
            records.some(({ step, status }) => step.kind === 'copy' && status === 'open'),
          ).length
        : 0;
      if (copying > concurrency.copy) broke(`${copying} closures are copied at once`);
      intents.set(body.step, { seq: event.seq, at: event.at, stoodMs: stood() });
      checkTurn(state, body.step);
      // What is live already is brought to its end, and a machine that goes down is waited for.
      const finishes = /\/(?:restore|confirm|gate-after-activation|await-boot)$/u;
      if (state.pausedBy !== null && !finishes.test(body.step)) broke(`${body.step} began in a pause`);
    }
    if (body.kind === 'run-ended') onEnded(state, event.at);
    if (body.kind === 'look-begun') lookBegunAt[body.moment] = event.at;
    if (body.kind === 'looked') onLooked(event, body);
    if (body.kind !== 'step-ended') return;
    if (stoppedAtOnce && body.outcome.kind !== 'succeeded')
      broke(`${body.step} was given up in its middle, and counts as ${body.outcome.kind}`);
    const record = recordOf(state, body.step);
    if (record?.outcome?.kind === 'failed' && record.step.kind !== 'restore')
      failedAtSeq.set(record.step.machine, event.seq);
    const leftOutAt = endsWithItsMachine.test(body.step) ? leftOut.get(machineOfStep(body.step)) : undefined;
    if (leftOutAt !== undefined && event.at > leftOutAt + 1_000 && !clockWasSet)
      broke(`${body.step} held up the run though its machine was left out`);
    if (record?.outcome?.kind === 'failed' && record.outcome.failure.kind === 'old-generation') {
      const { machine } = record.step;
      const given = recordsOfMachine(state, machine).findLast(({ step }) => step.kind === 'activate');
      // A clock that was set dates the journal by another time than the world's.
      if (!clockWasSet && given !== undefined && world.look(machine).bootedAt < (given.endedAt ?? 0))
        broke(
          `${machine} counts as booted into the old generation, and has not booted since it has the new one`,
        );
    }
    if (record?.status !== 'succeeded') return;
    onStepEnded(record);
    const entry = plan.machines.find(({ machine }) => machine.name === record.step.machine);
    if (entry !== undefined && progressOf(state, entry).status === 'done') checkDone(entry, state);
  };

  /** As the policies say: a critical machine that was touched, and one whose activation was not confirmed. */
  const mustBeRestored = ({
    plan: entry,
    status,
    touched: said,
    current,
    failure,
  }: MachineProgress): boolean => {
    if (status !== 'failed' || !said || entry.restore === null || current === null) return false;
    if (failure?.kind === 'changed-since-plan') return false;
    return (
      entry.machine.orchestration.criticalityLevel === 'critical' ||
      current.kind === 'activate' ||
      current.kind === 'confirm' ||
      (current.kind === 'gate' && current.after === 'activation')
    );
  };

  const mayStay = ({ faults }: ReturnType<World['look']>): boolean =>
    faults.some(
      (fault) =>
        fault.kind === 'restore-refused' ||
        (fault.kind === 'activation-lies' && fault.about === 'the-return') ||
        fault.kind === 'foreign-deploy' ||
        (fault.kind === 'activation-exit' && fault.code === 100),
    );

  /**
   * Once everything has come to rest, whoever still drives the run or not: what is live without being confirmed has
   * gone back. Never half, never forgotten.
   */
  const atRest = (): void => {
    for (const { machine, prior, wanted, steps } of plan.machines) {
      const { name } = machine;
      const truth = world.look(name);
      const supervised = steps.some((step) => step.kind === 'confirm');
      if (!supervised || prior === null || confirmed.has(name) || truth.power !== 'up') continue;
      // What it returns to cannot be activated, somebody else deployed, or exit 100 made it the boot default.
      if (excusedFromReturn.has(name) || mayStay(truth)) continue;
      const watched = [...truth.units.values()].some(({ watch }) => watch !== null && watch.end === null);
      if (watched) broke(`${name} still waits for a confirmation, long after`);
      if (truth.current !== prior.current && truth.current !== prior.profile)
        broke(`${name} was never confirmed and runs ${truth.current} (wanted ${wanted})`);
      if (truth.entry !== prior.profile && truth.entry !== prior.current)
        broke(`${name} was never confirmed and would boot ${truth.entry}`);
    }
  };

  const finish = (final: RunState, written: RunState): void => {
    const { ended } = final;
    if (ended === null) throw new Violation('the run came back without an end');
    // Folded event by event above: every prefix of the journal has been replayed on the way.
    if (!isDeepStrictEqual(written, final)) broke('the journal does not replay to the state it left');
    const progress = plan.machines.map((entry) => progressOf(final, entry));
    for (const { plan: entry, status, touched: said } of progress) {
      const { name } = entry.machine;
      const did = world.effects.some((effect) => effect.machine === name && didSomething(effect));
      // Brought back to what it ran, and then nothing more was done to it.
      const origin = startFor(name)?.current ?? null;
      const truth = world.look(name);
      const returnedAt = recordOf(final, entry.restore?.id ?? '')?.endedAt ?? 0;
      const sameBoot = truth.power === 'up' && truth.bootedAt < returnedAt;
      // Whoever deploys to it afterwards has it run theirs.
      const theirs = (truth.foreignAt ?? 0) > returnedAt;
      if (status === 'restored' && sameBoot && !theirs && !clockWasSet && truth.current !== origin)
        broke(`${name} counts as returned and runs ${truth.current}`);
      if (did && !said) broke(`${name} counts as untouched and was not`);
      if ((status === 'skipped' || status === 'nothing') && did && entry.steps.length === 0)
        broke(`${name} was left out of the plan and touched`);
    }
    for (const machine of progress) {
      const wrong = wrongSkip(plan, machine);
      if (wrong !== null) broke(wrong);
    }
    if (ended.result !== 'interrupted')
      for (const machine of progress)
        if (mustBeRestored(machine) && recordOf(final, machine.plan.restore?.id ?? '')?.outcome == null)
          broke(`${machine.plan.machine.name} failed and nobody tried to return it to what it ran`);
    if (endedBlind(plan, final)) broke('the run ended without a last look at its machines');
    const fallen = fallenAtEnd(plan, final).filter(
      ({ machine }) => machine.orchestration.criticalityLevel !== 'low',
    );
    const bad = progress.filter(({ status }) => over(status));
    const level = (entry: MachinePlan): string => entry.machine.orchestration.criticalityLevel;
    const grave = bad.filter(({ plan: entry }) => level(entry) !== 'low');
    const halting = bad.filter(
      ({ plan: entry, status }) =>
        status !== 'skipped' &&
        !leftOut.has(entry.machine.name) &&
        (level(entry) === 'high' || level(entry) === 'critical'),
    );
    const unfinished = progress.some(({ status }) => status === 'waiting' || status === 'active');
    switch (ended.result) {
      case 'done':
        if (grave.length > 0 || fallen.length > 0 || unfinished) broke('the run says done and is not');
        if (leftOut.size > 0) broke('the run says done, and somebody had left out a machine');
        return;
      case 'held':
        if (halting.length === 0) broke('the run holds and nothing asks for it');
        return;
      case 'partial':
      case 'failed':
        if (ended.result === 'partial' && fallen.length > 0 && halting.length === 0 && !unfinished) return;
        if (bad.length === 0 || halting.length > 0 || unfinished) broke(`the run says ${ended.result}`);
        return;
      case 'interrupted':
        if (final.stopRequestedBy === null) broke('the run says interrupted and nobody stopped it');
        return;
      case 'declined':
      case 'expired':
        throw new Violation(`an approved run cannot be ${ended.result}`);
      default:
        ended.result satisfies never;
    }
  };

  return {
    onEvent,
    onEffect,
    state: now,
    heals: (name) => {
      seenTo.add(name);
      if (mayStay(world.look(name))) excusedFromReturn.add(name);
    },
    finish,
    atRest,
    clockSet: () => {
      clockWasSet = true;
    },
    journalBroken: (value) => {
      broken = value;
    },
  };
};
