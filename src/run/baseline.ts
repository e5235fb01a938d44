import type { MachinePlan } from '../plan/plan.ts';
import type { HealthReport } from '../ports.ts';
import { type Failing, noFailing } from './event.ts';
import { recordOfStep } from './records.ts';
import type { RunState } from './state.ts';
import { isUnitOfRuns } from './units-of-runs.ts';

/** What fails on a machine now. A check that could not be told is not among them: nothing is known of it. */
export const failingIn = ({ readings, failedUnits }: HealthReport): Failing => {
  // Checks may share a label: then it stands for all of them, and only if all of them fail.
  const allFail = (label: string): boolean =>
    readings.every(({ check, verdict }) => check !== label || verdict === 'failed');
  const failed = readings.filter(({ verdict }) => verdict === 'failed').map(({ check }) => check);
  return {
    checks: [...new Set(failed.filter(allFail))],
    units: failedUnits.filter((unit) => !isUnitOfRuns(unit)),
  };
};

/**
 * What of it was there to fail before the run. A check that comes with this deployment has to pass: that it failed on a
 * machine which did not know of it yet says nothing.
 */
export const failingBefore = (report: HealthReport, { machine, newChecks = [] }: MachinePlan): Failing => {
  const failing = failingIn(report);
  if (newChecks.length === 0) return failing;
  // One reading a check, in their order; else it cannot be said which of them is new.
  if (report.readings.length !== machine.healthChecks.length) return { ...failing, checks: [] };
  const fresh = newChecks.map((index) => report.readings[index]?.check);
  return { ...failing, checks: failing.checks.filter((check) => !fresh.includes(check)) };
};

export const isFailing = ({ checks, units }: Failing): boolean => checks.length + units.length > 0;

export const failingWords = ({ checks, units }: Failing): string =>
  [...checks, ...(units.length === 0 ? [] : [`units ${units.join(', ')}`])].join(', ');

/** What fails at both looks: a run that was paused or resumed looks again, and may by then have broken something. */
export const both = (now: Failing, first: Failing = now): Failing => ({
  checks: now.checks.filter((check) => first.checks.includes(check)),
  units: now.units.filter((unit) => first.units.includes(unit)),
});

/**
 * What was failing on a machine before this run touched it, as its preflight saw it (or, where nothing is to be done to it,
 * the look at the start): it cannot speak against the run.
 * A check that has passed since, at a gate of this run, has to go on passing.
 */
export const baselineOf = (state: RunState, entry: MachinePlan): Failing => {
  let before: Failing = { ...noFailing, units: entry.prior?.failedUnits ?? [] };
  const { start } = state.looks;
  if (entry.decision.kind === 'nothing' && start !== 'begun')
    for (const { machine, verdict, failing } of start ?? [])
      if (machine === entry.machine.name && verdict !== 'unknown') before = failing;
  for (const step of [...entry.steps, ...entry.contingent]) {
    if (step.kind !== 'preflight' && step.kind !== 'gate') continue;
    const record = recordOfStep(state, step);
    const passed = record?.outcome?.kind === 'succeeded' ? record.outcome.facts : null;
    const { failing } = passed ?? {};
    if (step.kind === 'preflight') {
      before = failing === undefined ? before : both(failing, record?.firstFailing);
      continue;
    }
    for (const still of [record?.firstFailing, passed === null ? undefined : (failing ?? noFailing)])
      if (still !== undefined)
        before = { ...before, checks: before.checks.filter((check) => still.checks.includes(check)) };
  }
  return before;
};
