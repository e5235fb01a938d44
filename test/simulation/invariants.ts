import type { Plan } from '../../src/plan/plan.ts';
import type { RunEvent } from '../../src/run/event.ts';
import type { RunState } from '../../src/run/state.ts';
import type { Due, SimMachine } from '../../src/sim/machine.ts';
import type { Effect, World } from '../../src/sim/world.ts';
import { wrongEffect } from './effect-rules.ts';
import { wrongLook } from './end-rules.ts';
import {
  createKnowledge,
  fold,
  hasBegun,
  type Knowledge,
  type Known,
  learnEffect,
  learnEvent,
  learnHealed,
} from './knowledge.ts';
import { wrongEnd, wrongLeaving } from './outcome-rules.ts';
import { wrongRest } from './rest-rules.ts';
import { wrongBeginning, wrongEnding, wrongSteer } from './step-rules.ts';
import { wrongBySupervisor } from './theirs-rules.ts';

/**
 * What must hold of every run, checked at every event of the journal and at every effect on a machine, against the
 * truth of the simulated world. Nothing here asks the engine what it thinks: only the journal what it says.
 *
 * What is known stands in knowledge.ts. A rule is a function of that and of what happens, which says why it is wrong,
 * or null; here they are only asked, before anything is learnt from what happens.
 */

/** A rule that a run has broken. */
export class Violation extends Error {
  override readonly name = 'Violation';
}

export type Checker = {
  onEvent(event: RunEvent): void;
  onEffect(effect: Effect): void;
  /** What became of a machine by itself. */
  onHappening(before: SimMachine, due: Due): void;
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

/** Why this should not stand in the journal now, or null. */
const wrongEvent = (known: Known, { at, body }: RunEvent): string | null => {
  switch (body.kind) {
    case 'steered':
    case 'reopened':
      return wrongSteer(known, body);
    case 'step-intended':
      return wrongBeginning(known, body, at);
    case 'step-ended':
      return wrongEnding(known, body, at);
    case 'looked':
      return wrongLook(known, body);
    case 'run-ended':
      return wrongLeaving(known, at);
    default:
      return null;
  }
};

const demand = (wrong: string | null): void => {
  if (wrong !== null) throw new Violation(wrong);
};

type Begun = Knowledge & { state: RunState };

export const createChecker = (
  plan: Plan,
  world: World,
  /** How long the process of the engine has stood still so far, milliseconds. */
  stood: () => number = () => 0,
): Checker => {
  const knowledge = createKnowledge(plan, world, stood);
  const begun = (): Begun => {
    if (!hasBegun(knowledge)) throw new Violation('an effect before the first event');
    return knowledge;
  };

  return {
    onEvent: (event) => {
      if (event.at < (knowledge.state?.lastAt ?? 0))
        throw new Violation(`event ${event.seq} is older than the one before`);
      fold(knowledge, event);
      const known = begun();
      demand(wrongEvent(known, event));
      learnEvent(known, event);
    },
    onEffect: (effect) => {
      demand(wrongEffect(begun(), effect));
      learnEffect(knowledge, effect);
    },
    onHappening: (before, due) => {
      if (hasBegun(knowledge)) demand(wrongBySupervisor(knowledge, before, due));
    },
    state: () => begun().state,
    heals: (machine) => learnHealed(knowledge, machine),
    // Dated as the engine dates it, where its clock was set.
    finish: (final, written) => demand(wrongEnd({ ...begun(), state: final }, written)),
    atRest: () => demand(wrongRest(knowledge)),
    clockSet: () => {
      knowledge.clockWasSet = true;
    },
    journalBroken: (broken) => {
      knowledge.broken = broken;
    },
  };
};
