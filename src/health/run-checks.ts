import { mapBounded } from '../concurrency.ts';
import type { HealthCheck, Machine } from '../fleet/machine.ts';
import type { CheckReading, Clock, HealthReport, Observation, Remote, Target } from '../ports.ts';
import type { RunProcess } from '../process/run.ts';
import { probeCommand, runHere, runOnTarget } from './command.ts';
import { type Dial, dialFromTarget } from './dial.ts';
import { probeHttp } from './http.ts';
import { labelOf, type Probe, passed, untold } from './reading.ts';
import { probeSystemd } from './systemd.ts';
import { reportOf } from './verdict.ts';
import type { TryOptions } from './within.ts';

/** Checks of one machine at a time from the same side: half of what one ssh connection carries. */
const checksAtOnce = 4;

/** For the look at a machine after its checks, milliseconds. */
const lookAfterMs = 20_000;

export type HealthParts = {
  readonly remote: Remote;
  readonly clock: Clock;
  /** For checks `from = orchestrator`. */
  readonly runProcess: RunProcess;
  readonly dialFromHere: Dial;
  readonly observe: Target['observe'];
};

/**
 * The health of one machine: its system state and every check it names. A check `from = target` sees the machine's
 * own `localhost`, through the ssh connection; one `from = orchestrator` sees the `localhost` of where `lab` runs.
 *
 * A machine that does not answer is unknown, and its checks from the target are not tried: each would be a login that
 * fails again. Nothing takes longer than `deadlineMs`.
 *
 * One that was `seen` just now is looked at after its checks, for up to `lookAfterMs` more: what it runs is then known on
 * both sides of them, and whoever deployed to it in between is noticed.
 */
export const runChecks = async (
  machine: Machine,
  parts: HealthParts,
  options: { deadlineMs: number; signal?: AbortSignal; seen?: true },
): Promise<HealthReport> => {
  const until = parts.clock.elapsed() + options.deadlineMs;
  const read = (check: HealthCheck): Promise<CheckReading> =>
    readCheck(machine, check, parts, until, options.signal);
  const { seen, ...asked } = options;
  const inside = async (): Promise<[Observation | null, readonly CheckReading[]]> => {
    const checks = machine.healthChecks.filter(({ from }) => from === 'target');
    if (seen === true) return [null, await mapBounded(checks, checksAtOnce, read)];
    const observation = await parts.observe(machine, asked);
    return observation.kind === 'reachable'
      ? [observation, await mapBounded(checks, checksAtOnce, read)]
      : [observation, checks.map((check) => notTried(check, `not tried: ${observation.error.message}`))];
  };
  const outside = machine.healthChecks.filter(({ from }) => from === 'orchestrator');
  const [[before, insideReadings], outsideReadings] = await Promise.all([
    inside(),
    mapBounded(outside, checksAtOnce, read),
  ]);
  // Back into the order of the configuration.
  const [fromTarget, fromHere] = [insideReadings.values(), outsideReadings.values()];
  const readings = machine.healthChecks.flatMap(
    ({ from }) => (from === 'target' ? fromTarget : fromHere).next().value ?? [],
  );
  return reportOf(before ?? (await parts.observe(machine, { ...asked, deadlineMs: lookAfterMs })), readings);
};

const notTried = (check: HealthCheck, why: string): CheckReading => ({
  check: labelOf(check),
  type: check.type,
  ...untold(why),
  tries: 0,
  ms: 0,
});

/** One check with its retries. The last try decides; `ms` counts all of them and the pauses between. */
const readCheck = async (
  machine: Machine,
  check: HealthCheck,
  parts: HealthParts,
  until: number,
  signal: AbortSignal | undefined,
): Promise<CheckReading> => {
  const { clock } = parts;
  const begun = clock.elapsed();
  let probe = untold('no time was left for it');
  let tries = 0;
  for (;;) {
    // Asked once, for a try without any time would have no limit to some that it is given to.
    const leftMs = until - clock.elapsed();
    if (leftMs <= 0 || signal?.aborted === true) break;
    tries += 1;
    probe = await tryOnce(machine, check, parts, {
      clock,
      deadlineMs: Math.min(check.timeoutSeconds * 1_000, leftMs),
      ...(signal === undefined ? {} : { signal }),
    });
    if (probe.verdict === 'passed' || tries > check.retries) break;
    await clock.sleep(Math.min(check.intervalSeconds * 1_000, until - clock.elapsed()), signal);
  }
  return { check: labelOf(check), type: check.type, ...probe, tries, ms: clock.elapsed() - begun };
};

const tryOnce = (
  machine: Machine,
  check: HealthCheck,
  parts: HealthParts,
  options: TryOptions,
): Promise<Probe> => {
  const onTarget = check.from === 'target';
  const dial = onTarget ? dialFromTarget(parts.remote, machine) : parts.dialFromHere;
  const run = onTarget ? runOnTarget(parts.remote, machine) : runHere(parts.runProcess);
  switch (check.type) {
    case 'http':
      return probeHttp(check, dial, options);
    case 'tcp':
      return probeTcp(check, dial, options);
    case 'command':
      return probeCommand(check, run, options);
    case 'systemd':
      return probeSystemd(check, run, options);
  }
};

/** Passes when the connection opens; nothing is sent. */
const probeTcp = async (
  check: Extract<HealthCheck, { type: 'tcp' }>,
  dial: Dial,
  options: TryOptions,
): Promise<Probe> => {
  const dialled = await dial(check.host, check.port, options);
  if (!dialled.ok) return dialled.failure;
  dialled.value.on('error', () => {});
  dialled.value.destroy();
  return passed('connected');
};
