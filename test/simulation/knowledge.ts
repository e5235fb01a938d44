import type { Plan } from '../../src/plan/plan.ts';
import type { RunEvent } from '../../src/run/event.ts';
import { recordOf, recordsOfMachine, type StepRecord } from '../../src/run/records.ts';
import { applyEvent, beginRun, type RunState } from '../../src/run/state.ts';
import type { Effect, World } from '../../src/sim/world.ts';

/**
 * All that the checker knows of a run, and the one place that changes it. The rules only read it: each says why what
 * happens now is broken by what was known before it happened; afterwards it is learnt.
 */

type BodyOf<K extends RunEvent['body']['kind']> = Extract<RunEvent['body'], { readonly kind: K }>;

export type Knowledge = {
  readonly plan: Plan;
  /** The truth about the machines. */
  readonly world: World;
  /** How long the process of the engine has stood still so far, milliseconds. */
  readonly stood: () => number;
  /** The name of the machine that the engine runs on, where that is one of the plan. */
  readonly orchestrator: string | undefined;
  /** The journal so far, folded, with the event that is being judged; null before the first. */
  state: RunState | null;
  /** The journal cannot be written: nothing may be done until the next process. */
  broken: boolean;
  /** The engine's clock is not the one of the simulation: nobody can tell how long ago something was. */
  clockWasSet: boolean;
  /** The event of the stop that holds, and whether it was one at once. */
  stopSeq: number | null;
  stoppedAtOnce: boolean;
  /** When the process that executes the run now took it up; 0 for the first. */
  resumedAt: number;
  /** The end of the latest pause. */
  unpaused: RunEvent | null;
  /** The latest of each step, by its id. */
  readonly intents: Map<string, { readonly seq: number; readonly at: number; readonly stoodMs: number }>;
  /** How often each machine was rebooted by us, and which were changed or rebooted at all. */
  readonly rebooted: Map<string, number>;
  readonly touched: Set<string>;
  /** What is live on these was confirmed, and nothing was put there since. */
  readonly confirmed: Set<string>;
  /** Of each machine, when it last failed, its way back aside. */
  readonly failedAtSeq: Map<string, number>;
  /** Their services did not answer when their preflight looked, nor at a gate since. */
  readonly illBefore: Set<string>;
  /** The same, whatever a gate has seen since. */
  readonly everIllBefore: Set<string>;
  /** Units that had failed before anything was done to the machine. */
  readonly failedBefore: Map<string, readonly string[]>;
  /** How each was when its preflight looked first: what fails at a later one besides may be the doing of this run. */
  readonly firstSeen: Map<string, { readonly ill: boolean; readonly units: readonly string[] }>;
  /** How long the engine had stood still in all when the latest preflight of each ended. */
  readonly stoodAtPreflight: Map<string, number>;
  readonly lookBegunAt: { start: number; end: number };
  /** When each was left out by somebody, as the journal says. */
  readonly leftOut: Map<string, number>;
  /** Those that somebody had tried again, and of them those that had been left out. */
  readonly triedAgain: Set<string>;
  readonly takenIn: Set<string>;
  /** Somebody saw to these; and to these of them while they could not have returned by themselves. */
  readonly seenTo: Set<string>;
  readonly excusedFromReturn: Set<string>;
};

type ToRead<T> =
  T extends Map<infer K, infer V>
    ? ReadonlyMap<K, V>
    : T extends Set<infer V>
      ? ReadonlySet<V>
      : T extends () => number
        ? T
        : Readonly<T>;
/** The same as the rules have it, once the run has begun: to read. */
export type Known = {
  readonly [K in keyof Knowledge]: K extends 'state' ? RunState : ToRead<Knowledge[K]>;
};

export const createKnowledge = (plan: Plan, world: World, stood: () => number): Knowledge => ({
  plan,
  world,
  stood,
  orchestrator: plan.machines.find(({ machine }) => machine.orchestrator)?.machine.name,
  state: null,
  broken: false,
  clockWasSet: false,
  stopSeq: null,
  stoppedAtOnce: false,
  resumedAt: 0,
  unpaused: null,
  intents: new Map(),
  rebooted: new Map(),
  touched: new Set(),
  confirmed: new Set(),
  failedAtSeq: new Map(),
  illBefore: new Set(),
  everIllBefore: new Set(),
  failedBefore: new Map(),
  firstSeen: new Map(),
  stoodAtPreflight: new Map(),
  lookBegunAt: { start: 0, end: 0 },
  leftOut: new Map(),
  triedAgain: new Set(),
  takenIn: new Set(),
  seenTo: new Set(),
  excusedFromReturn: new Set(),
});

/** Whether there is a journal that anything could be held against. */
export const hasBegun = (knowledge: Knowledge): knowledge is Knowledge & { state: RunState } =>
  knowledge.state !== null;

/** Not an activation of what was not there, or was there already. */
export const didSomething = (effect: Effect): boolean =>
  effect.kind !== 'activate' || (effect.mode !== 'dry-activate' && effect.changes);

/** What ails it keeps it from going back by itself. */
export const mayStay = ({ faults }: ReturnType<World['look']>): boolean =>
  faults.some(
    (fault) =>
      fault.kind === 'restore-refused' ||
      (fault.kind === 'activation-lies' && fault.about === 'the-return') ||
      fault.kind === 'foreign-deploy' ||
      (fault.kind === 'activation-exit' && fault.code === 100),
  );

/** The journal with this event. The rules see it before the rest is learnt from the event. */
export const fold = (knowledge: Knowledge, event: RunEvent): void => {
  knowledge.state = knowledge.state === null ? beginRun(event) : applyEvent(knowledge.state, event);
};

const learnSteered = (
  { leftOut, takenIn, triedAgain }: Knowledge,
  { what, machine }: BodyOf<'steered' | 'reopened'>,
  at: number,
): void => {
  if (what === 'skip') {
    leftOut.set(machine, at);
    return;
  }
  if (leftOut.delete(machine)) takenIn.add(machine);
  triedAgain.add(machine);
};

const learnPreflight = (knowledge: Knowledge, { step, intendedAt }: StepRecord): void => {
  const { world, firstSeen, illBefore, everIllBefore, failedBefore, touched } = knowledge;
  knowledge.stoodAtPreflight.set(step.machine, knowledge.stood());
  const reading = world.lastReading(step.machine);
  const ill = reading !== null && reading.at >= intendedAt && !reading.serves && reading.up;
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
};

const learnEnded = (knowledge: Knowledge, record: StepRecord | undefined, seq: number): void => {
  if (record?.outcome?.kind === 'failed' && record.step.kind !== 'restore')
    knowledge.failedAtSeq.set(record.step.machine, seq);
  if (record?.status !== 'succeeded') return;
  const { kind, machine } = record.step;
  if (kind === 'preflight') learnPreflight(knowledge, record);
  if (kind === 'gate' && knowledge.world.lastReading(machine)?.serves === true)
    knowledge.illBefore.delete(machine);
};

/** The look at the start is the preflight of those that have none. */
const learnLooked = (knowledge: Knowledge, { moment, seen }: BodyOf<'looked'>): void => {
  if (moment !== 'start') return;
  for (const { machine } of seen) {
    const reading = knowledge.world.lastReading(machine);
    if (reading === null || reading.at < knowledge.lookBegunAt.start || !reading.up) continue;
    knowledge.failedBefore.set(machine, reading.failedUnits);
    if (!reading.serves) knowledge.illBefore.add(machine);
  }
};

/** What this event tells, once it was found sound; `state` has it already. */
export const learnEvent = (knowledge: Knowledge & { readonly state: RunState }, event: RunEvent): void => {
  const { body } = event;
  switch (body.kind) {
    case 'stop-requested':
      knowledge.stopSeq = event.seq;
      knowledge.stoppedAtOnce = body.atOnce === true;
      break;
    case 'resumed':
    case 'reopened':
      knowledge.stopSeq = null;
      knowledge.stoppedAtOnce = false;
      knowledge.resumedAt = event.at;
      if (body.kind === 'reopened') learnSteered(knowledge, body, event.at);
      break;
    case 'steered':
      learnSteered(knowledge, body, event.at);
      break;
    case 'unpaused':
      knowledge.unpaused = event;
      break;
    case 'step-intended':
      knowledge.intents.set(body.step, { seq: event.seq, at: event.at, stoodMs: knowledge.stood() });
      break;
    case 'look-begun':
      knowledge.lookBegunAt[body.moment] = event.at;
      break;
    case 'looked':
      learnLooked(knowledge, body);
      break;
    case 'step-ended':
      learnEnded(knowledge, recordOf(knowledge.state, body.step), event.seq);
      break;
    default:
  }
};

/** Whether what is done to it now is its way back: that takes no confirmation from what it had, were it cut short. */
const isReturning = ({ state }: Knowledge, machine: string): boolean =>
  state !== null &&
  recordsOfMachine(state, machine).some(({ step, status }) => step.kind === 'restore' && status === 'open');

/** What was done, once it was found sound. */
export const learnEffect = (knowledge: Knowledge, effect: Effect): void => {
  const { confirmed, rebooted, touched, triedAgain } = knowledge;
  const { machine } = effect;
  if (effect.kind === 'activate' && effect.mode === 'dry-activate') return;
  if (
    effect.kind === 'activate' &&
    effect.mode !== 'boot' &&
    triedAgain.has(machine) &&
    !isReturning(knowledge, machine)
  )
    confirmed.delete(machine);
  if (effect.kind === 'settle' && effect.verdict === 'confirm') confirmed.add(machine);
  if (effect.kind === 'reboot') rebooted.set(machine, (rebooted.get(machine) ?? 0) + 1);
  if (didSomething(effect)) touched.add(machine);
};

/** Somebody sees to a machine: what ails it now excuses it for good. */
export const learnHealed = ({ world, seenTo, excusedFromReturn }: Knowledge, machine: string): void => {
  seenTo.add(machine);
  if (mayStay(world.look(machine))) excusedFromReturn.add(machine);
};
