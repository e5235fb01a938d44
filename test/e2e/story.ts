import type { EventBody, RunEvent } from '../../src/run/event.ts';
import type { RunReport } from '../../src/run/report.ts';
import type { TestFleet } from '../fleet/fleet.ts';
import type { FlakeMachine, FlakeMachines } from '../fleet/lab-flake.ts';

/** Machines as stories tell of them, and what stories read in a run. */

/** What a story says of a machine, beyond being quick; see `lab.machine` and the stand-in's knobs. */
export type Told = {
  readonly order?: number;
  readonly needs?: readonly string[];
  readonly criticality?: 'low' | 'medium' | 'high' | 'critical';
  readonly strategy?: 'rolling' | 'blue-green' | 'recreate';
  readonly policy?: 'always' | 'when-needed' | 'never';
  /** Seconds. */
  readonly delay?: number;
  readonly down?: number;
  readonly up?: number;
  readonly healthy?: number;
  readonly stable?: number;
  readonly minUptime?: number;
  readonly user?: string;
  /** Whether it has a page on port 8080, which its health check asks for. Default true. */
  readonly page?: boolean;
  /** A file that it has while it is well, for one more check: taken away before a gate, it holds the gate until it is back. */
  readonly wellWith?: string;
  /** `lab-stand-in.*`: another kernelVersion is a reason to reboot, another generation is not. */
  readonly knobs?: Readonly<Record<string, unknown>>;
  /** Anything else of its configuration. */
  readonly config?: Readonly<Record<string, unknown>>;
};

const page = { type: 'http', name: 'page', url: 'http://localhost:8080/', retries: 0, timeout: 3 };

const has = (file: string) => ({ type: 'command', name: 'well', command: `test -e ${file}`, retries: 0 });

/**
 * A machine with a page that can be asked for, no delay and no wait. Its deadlines are long enough for a slow one: a story
 * tells shorter ones only where they are to be missed, and holds the machine for as long as it wants.
 */
export const machine = (address: string, told: Told = {}): FlakeMachine => ({
  config: {
    ...told.config,
    lab: {
      machine: {
        role: 'web-server',
        addresses: [address],
        ssh: { user: told.user ?? 'lab' },
        dependencies: told.needs ?? [],
        healthChecks: told.wellWith === undefined ? [page] : [page, has(told.wellWith)],
        ...(told.order === undefined ? {} : { rebootOrder: told.order }),
        orchestration: {
          rebootDelay: told.delay ?? 0,
          criticalityLevel: told.criticality ?? 'medium',
          deployStrategy: told.strategy ?? 'rolling',
        },
        reboot: {
          policy: told.policy ?? 'when-needed',
          stable: told.stable ?? 0,
          // They have booted moments ago, all of them.
          minUptime: told.minUptime ?? 0,
          deadlines: { down: told.down ?? 60, up: told.up ?? 120, healthy: told.healthy ?? 60 },
        },
      },
    },
    'lab-stand-in': {
      ...(told.page === false ? {} : { listeners: { page: { http: [8080] } } }),
      ...told.knobs,
    },
  },
});

/** A unit that will not stop, and that sshd outlives: the machine answers for as long as it hangs. */
export const clinging = `[Unit]
After=sshd.service
[Service]
ExecStart=/bin/sh -c 'trap "" TERM; exec sleep infinity'
TimeoutStopSec=3000
[Install]
WantedBy=multi-user.target
`;

/** Machines of all hosts of the fleet, in the order they are told in. */
export const machinesOf = (fleet: TestFleet, told: Readonly<Record<string, Told>>): FlakeMachines =>
  Object.fromEntries(
    Object.entries(told).map(([name, each]) => {
      const host = fleet.hosts.find((candidate) => candidate.name === name);
      if (host === undefined) throw new TypeError(`no host ${name} in this fleet`);
      return [name, machine(host.address, each)];
    }),
  );

/** What became of one machine in a report. Throws when the report does not name it. */
export const outcomeOf = (report: RunReport, name: string): RunReport['machines'][number] => {
  const found = report.machines.find((each) => each.machine === name);
  if (found === undefined) throw new Error(`the report does not name ${name}`);
  return found;
};

/** The steps of a run as the journal has them: `app/reboot begins`, `app/reboot succeeded`. */
export const stepsIn = (events: readonly RunEvent[]): readonly string[] =>
  events.flatMap(({ body }) =>
    body.kind === 'step-intended'
      ? [`${body.step} begins`]
      : body.kind === 'step-ended'
        ? [`${body.step} ${body.outcome.kind}`]
        : [],
  );

/** For `until`: a step has begun, or told anything of itself. */
export const begins =
  (step: string) =>
  (body: EventBody): boolean =>
    body.kind === 'step-intended' && body.step === step;
export const speaks =
  (step: string) =>
  (body: EventBody): boolean =>
    body.kind === 'step-noted' && body.step === step;

/** Units of a run (those of the schedule are none) and logins of its users that are still on a host once lab is gone. */
export const strayOn = async (fleet: TestFleet, host: string): Promise<string> => {
  const units = ['list-units', '--all', '--plain', '--no-legend', 'lab-*'];
  const left = await fleet.exec(host, ['systemctl', ...units]);
  const logins = await fleet.exec(host, ['sh', '-c', 'ps -eo args | grep "^sshd: .*@" || true']);
  const stray = left.stdout.split('\n').filter((line) => line !== '' && !line.startsWith('lab-orchestrator'));
  return [...stray, logins.stdout].join('\n').trim();
};
