import { mapBounded } from '../concurrency.ts';
import type { Result } from '../failure.ts';
import type { Machine } from '../fleet/machine.ts';
import type { Generation, HealthReport, Observation, Target } from '../ports.ts';
import { actDeadlines } from '../run/step-context.ts';

/** How many machines are looked at together. */
const sweepWidth = 32;

/** Looks at every machine given; each result is told as it comes. An unreachable one holds up none of the others. */
export const observeAll = async (
  target: Target,
  machines: readonly Machine[],
  signal: AbortSignal,
  onObservation: (observation: Observation) => void = () => {},
): Promise<ReadonlyMap<string, Observation>> => {
  const seen = await mapBounded(machines, sweepWidth, async (machine) => {
    const observation = await target.observe(machine, { deadlineMs: actDeadlines.observeMs, signal });
    onObservation(observation);
    return observation;
  });
  return new Map(seen.map((observation) => [observation.machine, observation]));
};

/** Probes the health of every machine given; each report is told as it comes. */
export const probeAll = async (
  target: Target,
  machines: readonly Machine[],
  signal: AbortSignal,
  onReport: (report: HealthReport) => void = () => {},
): Promise<ReadonlyMap<string, HealthReport>> => {
  const reports = await mapBounded(machines, sweepWidth, async (machine) => {
    const report = await target.health(machine, { deadlineMs: actDeadlines.healthMs, signal });
    onReport(report);
    return report;
  });
  return new Map(reports.map((report) => [report.machine, report]));
};

/** Reads the generations of every machine given; `number` is one that must be among them. */
export const generationsAll = async (
  target: Target,
  machines: readonly Machine[],
  signal: AbortSignal,
  number?: number,
): Promise<ReadonlyMap<string, Result<readonly Generation[]>>> => {
  const asked = {
    deadlineMs: actDeadlines.generationsMs,
    signal,
    ...(number === undefined ? {} : { number }),
  };
  const read = await mapBounded(
    machines,
    sweepWidth,
    async (machine) => [machine.name, await target.generations(machine, asked)] as const,
  );
  return new Map(read);
};
