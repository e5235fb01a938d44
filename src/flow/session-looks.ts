import type { Machine } from '../fleet/machine.ts';
import { validateFleet } from '../fleet/validate.ts';
import type { Generation, HealthReport, Toplevel } from '../ports.ts';
import { actDeadlines } from '../run/step-context.ts';
import { observeAll, probeAll } from './observe.ts';
import type { LabDeps } from './prepare.ts';
import type { Dated, HealthSample, LookSchedule } from './session.ts';
import type { SessionStore } from './session-store.ts';

/** What a session knows of the fleet: evaluated, observed, probed, and looked at again and again. */

/** Probes remembered for each machine: an hour of them. */
const samplesKept = 60;

export type Looks = {
  readonly machines: () => readonly Machine[];
  readonly evaluate: () => Promise<void>;
  readonly evaluateToplevels: () => Promise<void>;
  readonly observe: (machines: readonly Machine[]) => Promise<void>;
  readonly probe: (machines: readonly Machine[]) => Promise<void>;
  readonly generations: (machine: Machine) => Promise<void>;
  readonly refreshAll: () => Promise<void>;
};

const without = (set: ReadonlySet<string>, name: string): ReadonlySet<string> =>
  new Set([...set].filter((other) => other !== name));

const sampleOf = ({ at, verdict, readings }: HealthReport): HealthSample => ({
  at,
  verdict,
  readings: readings.map((reading) => ({ check: reading.check, verdict: reading.verdict, ms: reading.ms })),
});

export const createLooks = (lab: LabDeps, store: SessionStore, schedule: LookSchedule): Looks => {
  const { closing, change, say, snapshot } = store;
  let evaluatedOnce = false;
  const machines = (): readonly Machine[] => snapshot().evaluation.value?.fleet.machines ?? [];

  const observe = async (wanted: readonly Machine[]): Promise<void> => {
    const due = wanted.filter(({ name }) => !snapshot().observing.has(name));
    change({ observing: new Set([...snapshot().observing, ...due.map(({ name }) => name)]) });
    await observeAll(lab.target, due, closing, (observation) => {
      const before = snapshot().observations.get(observation.machine);
      // Asked again only where there may be another: a generation says when it was made.
      if (
        observation.kind === 'reachable' &&
        (before?.kind !== 'reachable' || before.generation !== observation.generation)
      ) {
        const machine = due.find(({ name }) => name === observation.machine);
        if (machine !== undefined) store.inBackground(generations(machine));
      }
      change({
        observations: new Map(snapshot().observations).set(observation.machine, observation),
        observing: without(snapshot().observing, observation.machine),
        awaySince: awaySinceAfter(snapshot().awaySince, observation.machine, observation),
      });
    });
  };

  const probe = async (wanted: readonly Machine[]): Promise<void> => {
    const due = wanted.filter(({ name }) => !snapshot().probing.has(name));
    change({ probing: new Set([...snapshot().probing, ...due.map(({ name }) => name)]) });
    await probeAll(lab.target, due, closing, (report) => {
      const { samples, health, probing } = snapshot();
      const mine = [...(samples.get(report.machine) ?? []), sampleOf(report)].slice(-samplesKept);
      change({
        health: new Map(health).set(report.machine, report),
        probing: without(probing, report.machine),
        samples: new Map(samples).set(report.machine, mine),
      });
    });
  };

  const generations = async (machine: Machine): Promise<void> => {
    const before = snapshot().generations.get(machine.name);
    if (before?.refreshing === true) return;
    const set = (dated: Dated<readonly Generation[]>): void =>
      change({ generations: new Map(snapshot().generations).set(machine.name, dated) });
    set({ value: before?.value ?? null, at: before?.at ?? null, refreshing: true, failure: null });
    const read = await lab.target.generations(machine, {
      deadlineMs: actDeadlines.observeMs,
      signal: closing,
    });
    if (closing.aborted) return;
    set(
      read.ok
        ? { value: read.value, at: lab.clock.now(), refreshing: false, failure: null }
        : { value: before?.value ?? null, at: before?.at ?? null, refreshing: false, failure: read.failure },
    );
  };

  const evaluateToplevels = async (): Promise<void> => {
    const report = await lab.nix.toplevels(
      machines().map(({ name }) => name),
      { signal: closing },
    );
    const toplevels = new Map<string, Toplevel>(report.built.map((toplevel) => [toplevel.machine, toplevel]));
    change({ toplevels });
    for (const failure of report.failed) say('warning', `${failure.machine ?? 'flake'}: ${failure.message}`);
  };

  const evaluate = async (): Promise<void> => {
    if (snapshot().evaluation.refreshing) return;
    change({ evaluation: { ...snapshot().evaluation, refreshing: true } });
    const evaluated = await lab.nix.evaluate({ signal: closing });
    if (closing.aborted) return;
    const at = lab.clock.now();
    if (evaluated.ok)
      change({
        evaluation: { value: evaluated.value, at, refreshing: false, failure: null },
        problems: validateFleet(evaluated.value.fleet),
      });
    else change({ evaluation: { ...snapshot().evaluation, refreshing: false, failure: evaluated.failure } });
  };

  const refreshAll = async (): Promise<void> => {
    await evaluate();
    evaluatedOnce = true;
    await Promise.all([observe(machines()), probe(machines()), evaluateToplevels()]);
  };

  const whenEvaluated = (work: () => Promise<void>) => async (): Promise<void> => {
    if (evaluatedOnce && !closing.aborted) await work();
  };
  schedule(
    'observe',
    whenEvaluated(() => observe(machines())),
    closing,
  );
  schedule(
    'probe',
    whenEvaluated(() => probe(machines())),
    closing,
  );
  return { machines, evaluate, evaluateToplevels, observe, probe, generations, refreshAll };
};

/** Since when a machine has been away: from the first look that did not reach it, until one does. */
const awaySinceAfter = (
  before: ReadonlyMap<string, number>,
  machine: string,
  observation: { readonly kind: 'reachable' | 'unreachable'; readonly at: number },
): ReadonlyMap<string, number> => {
  const known = before.has(machine);
  if (observation.kind === 'reachable' ? !known : known) return before;
  const after = new Map(before);
  if (observation.kind === 'reachable') after.delete(machine);
  else after.set(machine, observation.at);
  return after;
};
