import type { Plan } from '../../src/plan/plan.ts';
import { type EventBody, noFacts, type StepFacts, type StepOutcome } from '../../src/run/event.ts';
import { applyEvent, beginRun, type RunState } from '../../src/run/state.ts';

/** Histories written event by event, as the journal would number and date them. */

export const runId = '20260101-000000-0001';

export type History = {
  state: RunState;
  /** One more event, `afterMs` later. */
  add(body: EventBody, afterMs?: number): History;
  begin(...steps: readonly string[]): History;
  end(step: string, outcome: StepOutcome, afterMs?: number): History;
  /** Intends the steps and lets each succeed, ten seconds apart. */
  pass(...steps: readonly string[]): History;
};

export const succeededWith = (facts: Partial<StepFacts> = {}): StepOutcome => ({
  kind: 'succeeded',
  facts: { ...noFacts, ...facts },
});

const failure = (kind: string) => ({
  kind,
  machine: null,
  phase: 'test',
  message: `it is ${kind}`,
  remedy: 'look',
});
export const failedWith = (kind: string): StepOutcome => ({
  kind: 'failed',
  failure: failure(kind),
  facts: noFacts,
});
export const unknownWith = (kind: string): StepOutcome => ({
  kind: 'unknown',
  failure: failure(kind),
  facts: noFacts,
});
export const skippedFor = (reason: 'unreachable' | 'dependency'): StepOutcome => ({
  kind: 'skipped',
  reason,
  failure: failure(reason),
});

export const started = (plan: Plan): EventBody => ({
  kind: 'run-started',
  goal: plan.goal,
  flake: plan.flake,
  selectors: [],
  by: { user: 'u', host: 'h', pid: 1, via: 'cli' },
  labVersion: 'test',
  opened: { cwd: '/', overrideInputs: [], nixOptions: [], sshConfig: null },
});

/** A run whose plan was made and approved, at 1,000 ms. */
export const approved = (plan: Plan): History => {
  let seq = 1;
  const history: History = {
    state: beginRun({ seq, at: 1_000, run: runId, body: started(plan) }),
    add: (body, afterMs = 0) => {
      seq += 1;
      history.state = applyEvent(history.state, {
        seq,
        at: history.state.lastAt + afterMs,
        run: runId,
        body,
      });
      return history;
    },
    begin: (...steps) => {
      for (const step of steps) history.add({ kind: 'step-intended', step });
      return history;
    },
    end: (step, outcome, afterMs = 10_000) => history.add({ kind: 'step-ended', step, outcome }, afterMs),
    pass: (...steps) => {
      for (const step of steps) history.begin(step).end(step, succeededWith());
      return history;
    },
  };
  history.add({ kind: 'plan-made', plan, remarks: [] });
  return history.add({ kind: 'approved', hash: plan.hash, how: 'answered' });
};
