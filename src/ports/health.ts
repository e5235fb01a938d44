import type { HealthCheck } from '../fleet/machine.ts';
import type { Runs, SystemState } from './observation.ts';

/** What the checks of a machine say. */

export type CheckReading = {
  /** Its label for people: the check's name, or its kind and aim. */
  readonly check: string;
  readonly type: HealthCheck['type'];
  readonly verdict: 'passed' | 'failed' | 'unknown';
  /** What was seen: `HTTP 200`, `connection refused`, `exit 1: …`. */
  readonly evidence: string;
  readonly tries: number;
  readonly ms: number;
};
/** healthy: all pass and systemd is running · degraded: checks pass, units failed · unhealthy: a check fails · unknown: could not tell. */
export type HealthVerdict = 'healthy' | 'degraded' | 'unhealthy' | 'unknown';
export type HealthReport = {
  readonly machine: string;
  /** What it ran, and in which boot, as it was read with all this; absent where it did not answer. */
  readonly runs?: Runs;
  readonly at: number;
  readonly verdict: HealthVerdict;
  readonly state: SystemState;
  readonly failedUnits: readonly string[];
  readonly readings: readonly CheckReading[];
  /** One line that gives the reason of the verdict. */
  readonly summary: string;
  /** What to do about a machine that could not be reached. */
  readonly remedy?: string;
};
