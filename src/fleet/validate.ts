import { findCycles } from './graph.ts';
import { limits } from './limits.ts';
import { type Fleet, type Machine, sshHostOf } from './machine.ts';
import { nearest } from './selector.ts';

export type ProblemKind =
  | 'cycle'
  | 'missing-dependency'
  | 'dependency-not-evaluated'
  | 'self-dependency'
  | 'order-contradiction'
  | 'orchestrator-dependency'
  | 'several-orchestrators'
  | 'duplicate-address'
  | 'duplicate-hostname'
  | 'duplicate-ssh-address'
  | 'too-many-machines'
  | 'not-evaluated'
  | 'reboot-never-taken';

/** Something wrong with the fleet as configured. An error forbids acting on `machines`; a warning only says. */
export type Problem = {
  readonly kind: ProblemKind;
  readonly severity: 'error' | 'warning';
  /** The machines concerned, the one to change first. */
  readonly machines: readonly string[];
  readonly message: string;
  readonly remedy: string;
};

const error = (kind: ProblemKind, machines: readonly string[], message: string, remedy: string): Problem => ({
  kind,
  severity: 'error',
  machines,
  message,
  remedy,
});

/** Names of the machines of a fleet, made once for all of them. */
type Names = { readonly sound: ReadonlySet<string>; readonly failed: ReadonlySet<string> };

const dependencyProblems = (names: Names, machine: Machine): readonly Problem[] => {
  const option = `lab.machine.dependencies of ${machine.name}`;
  return [...new Set(machine.dependencies)].flatMap((dependency): Problem[] => {
    if (dependency === machine.name)
      return [
        error(
          'self-dependency',
          [machine.name],
          `${machine.name} depends on itself`,
          `remove "${machine.name}" from ${option}`,
        ),
      ];
    if (names.sound.has(dependency)) return [];
    if (names.failed.has(dependency))
      return [
        error(
          'dependency-not-evaluated',
          [machine.name, dependency],
          `${machine.name} depends on ${dependency}, which could not be evaluated`,
          `repair the configuration of ${dependency} first`,
        ),
      ];
    const near = nearest(dependency, [...names.sound]);
    return [
      error(
        'missing-dependency',
        [machine.name],
        `${machine.name} depends on "${dependency}", which is no machine of this flake`,
        near === null ? `correct ${option}` : `did you mean "${near}"? Correct ${option}`,
      ),
    ];
  });
};

const orderProblems = (machines: readonly Machine[]): readonly Problem[] => {
  const byName = new Map(machines.map((machine) => [machine.name, machine]));
  return machines.flatMap((machine) =>
    [...new Set(machine.dependencies)].flatMap((name): Problem[] => {
      const dependency = byName.get(name);
      if (dependency === undefined || dependency === machine) return [];
      if (dependency.orchestrator)
        return [
          error(
            'orchestrator-dependency',
            [machine.name, name],
            `${machine.name} depends on ${name}, but ${name} is the orchestrator and always reboots last`,
            `remove the dependency, or make another machine the orchestrator`,
          ),
        ];
      if (machine.orchestrator || machine.rebootOrder === null || dependency.rebootOrder === null) return [];
      if (dependency.rebootOrder <= machine.rebootOrder) return [];
      return [
        error(
          'order-contradiction',
          [machine.name, name],
          `${machine.name} (rebootOrder ${machine.rebootOrder}) depends on ${name} (rebootOrder ${dependency.rebootOrder}), but its rebootOrder puts it first`,
          `give ${name} a rebootOrder of at most ${machine.rebootOrder}, or drop the dependency`,
        ),
      ];
    }),
  );
};

const duplicates = (
  machines: readonly Machine[],
  kind: ProblemKind,
  keysOf: (machine: Machine) => readonly string[],
  say: (key: string, names: string) => string,
  remedy: string,
): readonly Problem[] => {
  const owners = new Map<string, string[]>();
  for (const machine of machines)
    for (const key of new Set(keysOf(machine))) owners.set(key, [...(owners.get(key) ?? []), machine.name]);
  return [...owners]
    .filter(([, names]) => names.length > 1)
    .map(([key, names]) => error(kind, names, say(key, names.join(' and ')), remedy));
};

/**
 * Everything wrong with a fleet, all at once: cycles with their path, missing, failed and self dependencies,
 * `rebootOrder` against a dependency, duplicate host names and addresses, more than one orchestrator, and machines
 * that could not be evaluated. Pure; sorted by severity, then machine.
 */
export const validateFleet = (fleet: Fleet): readonly Problem[] => {
  const { machines } = fleet;
  const names: Names = {
    sound: new Set(machines.map(({ name }) => name)),
    failed: new Set(fleet.failed.map(({ name }) => name)),
  };
  const orchestrators = machines.filter(({ orchestrator }) => orchestrator).map(({ name }) => name);
  const problems: Problem[] = [
    ...fleet.failed.map(({ name, message, remedy }) =>
      error('not-evaluated', [name], `${name}: ${message}`, remedy),
    ),
    ...machines.flatMap((machine) => dependencyProblems(names, machine)),
    ...findCycles(machines).map((path) =>
      error(
        'cycle',
        path.slice(0, -1),
        `dependency cycle: ${path.join(' → ')}`,
        'remove one of these dependencies',
      ),
    ),
    ...orderProblems(machines),
    ...duplicates(
      machines,
      'duplicate-hostname',
      ({ hostName }) => (hostName === '' ? [] : [hostName]),
      (key, names) => `${names} share the host name "${key}"`,
      'give each its own networking.hostName',
    ),
    ...duplicates(
      machines,
      'duplicate-address',
      ({ addresses }) => addresses,
      (key, names) => `${names} share the address ${key}`,
      'give each its own lab.machine.addresses',
    ),
    ...duplicates(
      machines.filter(({ ssh }) => ssh.host !== null),
      'duplicate-ssh-address',
      (machine) => [`${sshHostOf(machine)}:${machine.ssh.port ?? 22}`],
      (key, names) => `${names} would be reached at the same ssh address ${key}`,
      'give each its own lab.machine.ssh.host or ssh.port: one of them would be rebooted for the other',
    ),
    ...(orchestrators.length > 1
      ? [
          error(
            'several-orchestrators',
            orchestrators,
            `${orchestrators.join(' and ')} are all marked as the orchestrator`,
            'set lab.machine.orchestrator on the one machine that runs lab',
          ),
        ]
      : []),
    ...(machines.length > limits.machinesMax
      ? [
          error(
            'too-many-machines',
            [],
            `${machines.length} machines; lab takes at most ${limits.machinesMax}`,
            'split the flake into several labs',
          ),
        ]
      : []),
    ...machines
      .filter(
        ({ orchestration, reboot }) =>
          orchestration.deployStrategy === 'recreate' && reboot.policy === 'never',
      )
      .map(
        ({ name }): Problem => ({
          kind: 'reboot-never-taken',
          severity: 'warning',
          machines: [name],
          message: `${name} deploys by "recreate" (into a reboot) but its reboot policy is "never": new generations wait until someone reboots it`,
          remedy: 'set lab.machine.reboot.policy to "when-needed", or another deployStrategy',
        }),
      ),
  ];
  const rank = { error: 0, warning: 1 } as const;
  return problems.sort(
    (a, b) => rank[a.severity] - rank[b.severity] || ((a.machines[0] ?? '') < (b.machines[0] ?? '') ? -1 : 1),
  );
};

/** Machines that an error forbids to act on: those it names. An order without all of them would be a guess. */
export const blockedBy = (problems: readonly Problem[]): ReadonlyMap<string, Problem> => {
  const blocked = new Map<string, Problem>();
  for (const problem of problems)
    if (problem.severity === 'error')
      for (const name of problem.machines) if (!blocked.has(name)) blocked.set(name, problem);
  return blocked;
};
