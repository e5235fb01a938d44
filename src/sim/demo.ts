import { fail, ok } from '../failure.ts';
import type { HealthCheck } from '../fleet/machine.ts';
import type { ActivationMode, Clock, ClosurePath, Closures, Evaluation, Target, Toplevel } from '../ports.ts';
import { type Age, demoClosure } from './demo-closures.ts';
import { type DemoMachine, demoMachines, demoParts } from './demo-lab.ts';
import { demoLocks, nixosVersionOf } from './demo-locks.ts';
import { type DemoTrouble, faultsIn } from './demo-trouble.ts';
import type { Reading } from './look.ts';
import { createMachine, type SimMachine } from './machine.ts';
import { createSimulatedNix, type Release, type SimulatedNix } from './nix.ts';
import { createRandom, storePath } from './random.ts';
import { createScaledClock } from './scaled-clock.ts';
import { type Closure, createWorld } from './world.ts';

/** Seconds of the demo's lab in one real second at speed 1: a whole run then takes about a minute. */
export const demoPace = 14;

type DemoOptions = {
  /** Which world: equal seeds, equal worlds. */
  readonly seed: number;
  /** 1 is the pace for watching; 2 is twice as fast. */
  readonly speed: number;
  /** What goes wrong in its runs, besides what is wrong already. */
  readonly trouble?: DemoTrouble | null;
  /** Time as the viewer knows it; the demo's own runs ahead of it. */
  readonly clock: Clock;
};

export type DemoWorld = {
  readonly flake: string;
  readonly nix: SimulatedNix;
  readonly target: Target;
  readonly closures: Closures;
  readonly clock: Clock;
  /** The machine the demo pretends to run on. */
  readonly hostName: string;
};

const flake = '/home/demo/lab';
const hostName = 'congenital-optimist';

type Version = 'booted' | 'current' | 'wanted' | 'updated';

const kernelOf = ({ kernels }: DemoMachine, version: Version): string =>
  version === 'booted' ? kernels.booted : version === 'updated' ? kernels.updated : kernels.current;

/** Which of its versions a machine's toplevel is made of: some are one and the same. */
const originOf = ({ behind, kernels }: DemoMachine, version: Version): Version =>
  (version === 'wanted' && !behind) || (version === 'booted' && kernels.booted === kernels.current)
    ? 'current'
    : version;

/** Every toplevel of the demo, dated from `now`. */
const createCatalogue = (now: number) => {
  const locks = demoLocks(now);
  const current = nixosVersionOf(now, locks.before);
  const names: Record<Version, string> = {
    booted: nixosVersionOf(now, locks.older),
    current,
    wanted: current,
    updated: nixosVersionOf(now, locks.after),
  };
  const pathOf = (demo: DemoMachine, version: Version): string => {
    const origin = originOf(demo, version);
    const { name } = demo.machine;
    return storePath(`${name} ${origin}`, `nixos-system-${name}-${names[origin]}`);
  };
  const closureOf = (demo: DemoMachine, version: Version): Closure => ({
    parts: demoParts(kernelOf(demo, version), '258.4'),
    kernelRelease: kernelOf(demo, version),
    nixosVersion: names[originOf(demo, version)],
  });
  const toplevelOf = (demo: DemoMachine, version: Version): Toplevel => {
    const outPath = pathOf(demo, version);
    const { name } = demo.machine;
    return { machine: name, drvPath: `${outPath}.drv`, outPath, parts: closureOf(demo, version).parts };
  };
  const releaseOf = (version: 'wanted' | 'updated', lock: Release['lock']): Release => ({
    lock,
    toplevels: new Map(demoMachines.map((demo) => [demo.machine.name, toplevelOf(demo, version)])),
    buildLines: (name) =>
      demoMachines
        .filter(({ machine }) => machine.name === name)
        .flatMap((demo) => buildLines(demo, kernelOf(demo, version), pathOf(demo, version))),
  });
  const ages: Readonly<Record<Version, Age>> = { booted: 0, current: 1, wanted: 2, updated: 3 };
  return {
    pathOf,
    /** What each toplevel consists of. */
    contents: new Map<string, readonly ClosurePath[]>(
      (['booted', 'current', 'wanted', 'updated'] as const).flatMap((version) =>
        demoMachines.map((demo) => {
          const path = pathOf(demo, version);
          const { role } = demo.machine;
          const about = { kernel: kernelOf(demo, version), role };
          return [path, demoClosure(path, ages[originOf(demo, version)], about)] as const;
        }),
      ),
    ),
    closures: new Map(
      (['booted', 'wanted', 'current', 'updated'] as const).flatMap((version) =>
        demoMachines.map((demo) => [pathOf(demo, version), closureOf(demo, version)] as const),
      ),
    ),
    releases: [releaseOf('wanted', locks.before), releaseOf('updated', locks.after)] as const,
  };
};

const packages = [
  'openssl-3.5.4',
  'curl-8.17.0',
  'git-2.52.0',
  'postgresql-17.7',
  'jellyfin-10.11.4',
  'nginx-1.28.1',
];

const buildLines = (demo: DemoMachine, kernel: string, toplevel: string): readonly string[] => {
  const { name } = demo.machine;
  const seen = createRandom(demo.generation);
  return [
    ...(kernel === demo.kernels.current
      ? []
      : [`copying path '${storePath(kernel, `linux-${kernel}`)}' from cache`]),
    ...packages
      .filter(() => seen.chance(0.4))
      .map((text) => `copying path '${storePath(text, text)}' from cache`),
    `building '${storePath(name, 'etc')}.drv'`,
    `building '${toplevel}.drv'`,
  ];
};

const evaluation: Evaluation = {
  fleet: {
    machines: demoMachines.map(({ machine }) => machine).sort((a, b) => (a.name < b.name ? -1 : 1)),
    failed: [],
  },
  discrepancies: [
    {
      kind: 'folder-without-configuration',
      machine: 'gunboat-diplomat',
      message: 'hosts/gunboat-diplomat has no configuration in the flake',
    },
  ],
};

/** What a copy of the demo moves. */
const closureMegabytes = 210;

const linesOf = (_name: string, act: 'copy' | ActivationMode, toplevel: string): readonly string[] => {
  if (act === 'copy')
    return [
      ...packages.flatMap((text, index) => [
        `copying ${text}`,
        `copied ${(((index + 1) * closureMegabytes) / (packages.length + 1)).toFixed(1)} of ${closureMegabytes}.0 MB`,
      ]),
      `copying ${toplevel.slice(toplevel.indexOf('-') + 1)}`,
    ];
  const bootLoader = act === 'switch' || act === 'boot' ? ['updating systemd-boot'] : [];
  if (act === 'boot') return bootLoader;
  return [
    ...bootLoader,
    'stopping the following units: accounts-daemon.service, systemd-modules-load.service',
    'activating the configuration...',
    'setting up /etc...',
    'restarting systemd...',
    'reloading the following units: dbus.service',
    'starting the following units: accounts-daemon.service, systemd-modules-load.service',
  ];
};

/** Now and then the blocklist of the name server is being fetched anew, and for that long it does not answer. */
const blocklist = { everyMs: 7 * 60_000, forMs: 25_000, firstMs: 2 * 60_000 } as const;

const readCheck =
  (startedAt: number) =>
  (truth: SimMachine, check: HealthCheck, now: number): Reading | null => {
    const { everyMs, forMs, firstMs } = blocklist;
    const sinceFetch = (now - startedAt - firstMs + everyMs) % everyMs;
    return check.name === 'blocklist' && truth.unready === null && sinceFetch < forMs
      ? { verdict: 'failed', evidence: 'HTTP 503: fetching the lists' }
      : null;
  };

/** The simulated lab behind the ports, for the screen and the engine to run over: no Nix, no root, no network. */
export const createDemoWorld = (options: DemoOptions): DemoWorld => {
  const clock = createScaledClock(options.clock, options.speed * demoPace);
  const random = createRandom(options.seed);
  const now = clock.now();
  const { pathOf, contents, closures, releases } = createCatalogue(now);
  const world = createWorld({
    machines: demoMachines.map((demo) =>
      createMachine(
        {
          name: demo.machine.name,
          nature: demo.nature,
          faults: [...demo.faults, ...faultsIn(options.trouble ?? null, demo.machine.name)],
          booted: pathOf(demo, 'booted'),
          current: pathOf(demo, 'current'),
          profile: pathOf(demo, 'current'),
          generation: demo.generation,
          uptimeMs: demo.uptimeDays * 86_400_000 + random.between(0, 80_000_000),
          failedUnits: demo.failedUnits,
        },
        now,
      ),
    ),
    closures,
    now: clock.now,
    random: random.fork('network'),
    network: { latencyMs: [150, 700], silenceMs: 9_000 },
    linesOf,
    readCheck: readCheck(now),
  });
  const target = world.targetOn(clock);
  const nix = createSimulatedNix({
    clock,
    random: random.fork('nix'),
    evaluation,
    releases: [...releases],
    nature: { evaluateMs: 12_000, updateMs: 18_000, buildLineMs: 3_500 },
  });
  const absent = (kind: 'not-here' | 'not-there', toplevel: string) =>
    fail({ kind, machine: null, phase: 'closure', message: `${toplevel} is not there`, remedy: 'build it' });
  return {
    flake,
    hostName,
    clock,
    target,
    nix,
    closures: {
      here: async (toplevel) =>
        nix.isBuilt(toplevel) ? ok(contents.get(toplevel) ?? []) : absent('not-here', toplevel),
      on: async (machine, toplevel, { signal }) => {
        const seen = await target.observe(machine, {
          deadlineMs: 30_000,
          ...(signal === undefined ? {} : { signal }),
        });
        if (seen.kind === 'unreachable') {
          const { kind, message, remedy } = seen.error;
          return fail({ kind: `ssh-${kind}`, machine: machine.name, phase: 'closure', message, remedy });
        }
        return [seen.booted, seen.current, seen.profile].includes(toplevel)
          ? ok(contents.get(toplevel) ?? [])
          : absent('not-there', toplevel);
      },
    },
  };
};
