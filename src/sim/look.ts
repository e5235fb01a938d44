import { type Failure, fail, ok, type Result } from '../failure.ts';
import type { HealthCheck, Machine } from '../fleet/machine.ts';
import { labelOf } from '../health/reading.ts';
import { reportOf } from '../health/verdict.ts';
import type {
  BootParts,
  CheckReading,
  Generation,
  HealthReport,
  Observation,
  PreflightFacts,
  SshError,
} from '../ports.ts';
import { faultOf } from './fault.ts';
import { isStarted, isWell, type SimMachine, serves, stateOf, unitsSeen } from './machine.ts';

/** What a simulated machine shows to who looks at it: pure. The verdict over the readings is the production one. */

type Closures = ReadonlyMap<
  string,
  { readonly parts: BootParts; readonly kernelRelease: string | null; readonly nixosVersion: string | null }
>;

const nothingKnown: BootParts = { kernel: null, initrd: null, modules: null, params: null, systemd: null };

/** What somebody else deployed has a kernel, as everything that boots. */
const foreignParts = (toplevel: string): BootParts => ({ ...nothingKnown, kernel: `${toplevel}-kernel` });

export const observationOf = (
  machine: Machine,
  truth: SimMachine,
  problem: SshError | null,
  now: number,
  closures: Closures,
): Observation => {
  if (problem !== null) return { kind: 'unreachable', machine: machine.name, at: now, error: problem };
  const readable = truth.boots === 0 || faultOf(truth.faults, 'boot-unreadable') === null;
  const booted = closures.get(truth.booted);
  const current = truth.current === truth.booted ? booted : closures.get(truth.current);
  const profile = truth.profile === truth.current ? current : closures.get(truth.profile);
  return {
    kind: 'reachable',
    machine: machine.name,
    at: now,
    bootId: truth.bootId,
    hostName: truth.name === machine.name ? machine.hostName : truth.name,
    uptimeSeconds: (now - truth.bootedAt) / 1_000,
    initSeconds: (now - truth.bootedAt) / 1_000,
    state: stateOf(truth),
    failedUnits: unitsSeen(truth),
    booted: readable ? truth.booted : null,
    current: truth.current,
    profile: truth.profile,
    generation: truth.generation,
    kernelRelease: booted?.kernelRelease ?? null,
    nixosVersion: current?.nixosVersion ?? null,
    bootedParts: booted?.parts ?? nothingKnown,
    profileParts: profile?.parts ?? foreignParts(truth.profile),
  };
};

/** The generations of its profile, the newest first. */
export const generationsOf = (
  machine: Machine,
  truth: SimMachine,
  problem: SshError | null,
  closures: Closures,
): Result<readonly Generation[]> =>
  problem === null
    ? ok(
        [...truth.generations].reverse().map((each) => ({
          ...each,
          isDefault: each.number === truth.generation,
          isCurrent: each.toplevel === truth.current,
          isBooted: each.toplevel === truth.booted,
          nixosVersion: closures.get(each.toplevel)?.nixosVersion ?? null,
          parts: closures.get(each.toplevel)?.parts ?? nothingKnown,
        })),
      )
    : fail(unanswered(machine, 'generations', problem));

const unanswered = (machine: Machine, phase: string, { kind, message, remedy }: SshError): Failure => ({
  kind: `ssh-${kind}`,
  machine: machine.name,
  phase,
  message,
  remedy,
});

const gibi = 1024 ** 3;

export const preflightFactsOf = (
  machine: Machine,
  truth: SimMachine,
  problem: SshError | null,
  now: number,
  noRoot: string | null,
): Result<PreflightFacts> => {
  if (problem !== null) return fail(unanswered(machine, 'preflight', problem));
  const full = truth.faults.flatMap((fault) => (fault.kind === 'disk-full' ? [fault.path] : []));
  const activators = [
    ...(truth.occupied.has('activation') ? ['nixos-rebuild-switch-to-configuration.service'] : []),
    // Its supervisor waits within the unit, so the unit runs until it has ended.
    ...[...truth.units.values()]
      .filter(({ outcome, watch }) => outcome === null || (watch !== null && watch.end === null))
      .map(({ request }) => `${request.unit}.service`),
  ];
  return ok({
    root: noRoot === null,
    rootProblem: noRoot,
    nixFreeBytes: full.includes('/nix') ? gibi / 100 : 40 * gibi,
    bootFreeBytes: full.includes('/boot') ? gibi / 100 : gibi / 2,
    inhibitors:
      faultOf(truth.faults, 'inhibited') === null && !truth.occupied.has('inhibitor')
        ? []
        : ['zfs-scrub: a scrub is under way'],
    inhibitorsUnknown: truth.occupied.has('silence') ? 'logind did not say who holds off a shutdown' : null,
    loginsUnknown: truth.occupied.has('silence') ? 'logind did not say who is logged in' : null,
    logins: truth.occupied.has('user')
      ? [
          {
            user: 'amy',
            on: 'pts/0',
            from: '192.0.2.7',
            since: truth.occupied.get('user') ?? now,
            idleMs: 0,
            own: false,
          },
        ]
      : [],
    askedBy: ['root'],
    activating: activators.length === 0 ? null : activators,
  });
};

/** What one check saw, in the words of its kind. */
export type Reading = { readonly verdict: CheckReading['verdict']; readonly evidence: string };

const goodEvidence = (check: HealthCheck): string => {
  switch (check.type) {
    case 'http':
      return `HTTP ${check.expectedStatus}`;
    case 'tcp':
      return 'connected';
    case 'command':
      return 'exit 0';
    case 'systemd':
      return 'active';
    default:
      return check satisfies never;
  }
};

/** Without configured checks a machine whose services do not answer shows it through systemd alone. */
const readingOf = (truth: SimMachine, check: HealthCheck): Reading => {
  const why = truth.unready ?? truth.ill;
  return why === null
    ? { verdict: 'passed', evidence: goodEvidence(check) }
    : { verdict: 'failed', evidence: why };
};

export const reportFor = (
  machine: Machine,
  truth: SimMachine,
  problem: SshError | null,
  now: number,
  world: {
    readonly closures: Closures;
    readonly readCheck?: (machine: SimMachine, check: HealthCheck, now: number) => Reading | null;
  },
): HealthReport => {
  const observation = observationOf(machine, truth, problem, now, world.closures);
  const readings = machine.healthChecks.map((check): CheckReading => {
    const seen: Reading =
      problem === null
        ? (world.readCheck?.(truth, check, now) ?? readingOf(truth, check))
        : { verdict: 'unknown', evidence: `not tried: ${problem.message}` };
    const { verdict, evidence } = seen;
    const tries = problem === null ? 1 : 0;
    return { check: labelOf(check), type: check.type, verdict, evidence, tries, ms: 40 };
  });
  return reportOf(observation, readings);
};

/** What a health reading saw: `well` where all is; `serves` says of its services alone, `up` of its boot. */
export type HealthSeen = {
  readonly at: number;
  readonly well: boolean;
  readonly serves: boolean;
  readonly up: boolean;
  /** The failed units of a machine that answers. */
  readonly failedUnits: readonly string[];
};

export const seenOf = (truth: SimMachine, answered: boolean, at: number): HealthSeen => ({
  at,
  well: answered && isWell(truth),
  serves: answered && serves(truth),
  up: answered && truth.power === 'up' && isStarted(truth),
  failedUnits: answered ? unitsSeen(truth) : [],
});
