import type { CheckReading, HealthReport, HealthVerdict, Observation, SystemState } from '../ports.ts';
import { few } from '../text/words.ts';

const namedMax = 3;

const told = (readings: readonly CheckReading[]): string =>
  few(
    readings.map(({ check, evidence }) => `${check} (${evidence})`),
    namedMax,
  );

/** What systemd's state alone allows. `starting` may still become anything, so it is unknown, not healthy. */
const verdictOfState = (state: SystemState, failedUnits: readonly string[]): [HealthVerdict, string] => {
  switch (state) {
    case 'running':
      // Units that are started again for ever, or one that failed in between.
      return failedUnits.length === 0
        ? ['healthy', 'systemd is running']
        : ['degraded', `failed units: ${few(failedUnits, namedMax)}`];
    case 'degraded':
      return [
        'degraded',
        failedUnits.length === 0 ? 'systemd says degraded' : `failed units: ${few(failedUnits, namedMax)}`,
      ];
    case 'maintenance':
      return ['unhealthy', 'systemd is in maintenance (rescue or emergency mode)'];
    case 'stopping':
      return ['unhealthy', 'the machine is shutting down'];
    case 'initializing':
    case 'starting':
      return ['unknown', 'the machine is still starting'];
    case 'offline':
      // Seen, not guessed: what can be looked at decides, and what cannot is told.
      return failedUnits.length === 0
        ? ['healthy', 'no systemd: units not looked at']
        : ['unknown', 'no systemd, and yet failed units'];
    case 'unknown':
      return ['unknown', 'systemd does not tell its state'];
  }
};

/**
 * Weighs checks and system state: a failed check or a stopping system is unhealthy; else anything that could not be
 * told is unknown; else failed units are degraded; only what is left is healthy.
 */
const weigh = (
  observation: Extract<Observation, { kind: 'reachable' }>,
  readings: readonly CheckReading[],
): { verdict: HealthVerdict; summary: string } => {
  const failed = readings.filter(({ verdict }) => verdict === 'failed');
  const untold = readings.filter(({ verdict }) => verdict === 'unknown');
  const [state, why] = verdictOfState(observation.state, observation.failedUnits);
  if (failed.length > 0) return { verdict: 'unhealthy', summary: told(failed) };
  if (state === 'unhealthy') return { verdict: 'unhealthy', summary: why };
  if (untold.length > 0) return { verdict: 'unknown', summary: told(untold) };
  const checks =
    readings.length === 0
      ? 'no checks'
      : readings.length === 1
        ? '1 check passes'
        : `${readings.length} checks pass`;
  return { verdict: state, summary: state === 'unknown' ? why : `${checks}, ${why}` };
};

/** The report of one machine. A machine that cannot be reached is unknown, whatever checks from outside say of it. */
export const reportOf = (observation: Observation, readings: readonly CheckReading[]): HealthReport => {
  const { machine, at } = observation;
  if (observation.kind === 'unreachable') {
    return {
      machine,
      at,
      readings,
      verdict: 'unknown',
      state: 'unknown',
      failedUnits: [],
      summary: observation.error.message,
      remedy: observation.error.remedy,
    };
  }
  const { state, failedUnits, bootId, hostName = null, booted, current, profile } = observation;
  const runs = { bootId, hostName, booted, current, profile };
  const { verdict, summary } = weigh(observation, readings);
  return { machine, at, readings, verdict, summary, state, failedUnits, runs };
};
