import { readFile } from 'node:fs/promises';
import { beforeAll, describe, expect, test } from 'vitest';
import { limits } from '../../src/fleet/limits.ts';
import { build, checkout, evaluate, refusal } from './nix.ts';

type Seen = {
  readonly machine: {
    readonly role: string | null;
    readonly groups: readonly string[];
    readonly rebootOrder: number | null;
    readonly dependencies: readonly string[];
    readonly healthChecks: readonly Readonly<Record<string, unknown>>[];
    readonly orchestration: Readonly<Record<string, unknown>>;
    readonly problems: readonly string[];
  };
  readonly assertions: readonly { readonly assertion: boolean; readonly message: string }[];
  readonly metadata: Readonly<Record<string, unknown>>;
};
type Table = Readonly<Record<'good' | 'wrong' | 'refused', Readonly<Record<string, Seen | null>>>>;

const cases = `(import ${checkout}/test/nix/evaluate.nix { inherit lib; })`;
let table: Table;
const seen = (kind: keyof Table, name: string): Seen => {
  const found = table[kind][name];
  if (found === null || found === undefined) throw new Error(`${kind} case ${name} does not evaluate`);
  return found;
};

beforeAll(async () => {
  table = (await evaluate(`${cases}.table`)) as Table;
});

test('the bounds of the module are the bounds of the program', async () => {
  expect(await evaluate(`import ${checkout}/nix/modules/limits.nix`)).toEqual(limits);
});

describe('configurations that are right', () => {
  test('a machine that only imports the module has no role, no order, and nothing wrong', () => {
    const { machine, assertions } = seen('good', 'bare');
    expect(machine).toEqual({
      role: null,
      groups: [],
      rebootOrder: null,
      dependencies: [],
      orchestrator: false,
      addresses: [],
      ssh: { host: null, port: null, user: null },
      healthChecks: [],
      orchestration: {
        deployStrategy: 'rolling',
        rebootDelay: 600,
        rebootDelayIsOwn: false,
        criticalityLevel: 'medium',
      },
      reboot: {
        policy: 'when-needed',
        deadlines: { down: 300, up: 600, healthy: 300 },
        stable: 30,
        blockOnUsers: 'active',
        minUptime: 300,
      },
      problems: [],
    });
    expect(assertions).toEqual([]);
  });

  test('every one of them evaluates without a problem', () => {
    const names = Object.keys(table.good);
    expect(names.length).toBeGreaterThan(5);
    for (const name of names)
      expect({ name, problems: seen('good', name).machine.problems }).toEqual({ name, problems: [] });
  });

  test('the short forms of checks say the same as the long ones', () => {
    const checks = seen('good', 'short-forms').metadata.healthChecks;
    const common = { from: 'target', timeout: 10, retries: 3, interval: 5 };
    expect(checks).toEqual([
      { ...common, type: 'http', url: 'http://localhost/health', expectedStatus: 200 },
      { ...common, type: 'http', url: 'https://[::1]:8443/', expectedStatus: 200 },
      { ...common, type: 'tcp', port: 5432 },
      { ...common, type: 'tcp', host: 'db.home.arpa', port: 5432 },
      { ...common, type: 'systemd', unit: 'nginx' },
      { ...common, type: 'command', command: 'test -e /srv' },
    ]);
  });

  test('several modules may each say a part; mkDefault, mkForce and mkIf are heeded', () => {
    const { machine } = seen('good', 'merged');
    expect(machine.groups).toEqual(['zero', 'one']);
    expect(machine.role).toBe('chosen');
    expect(machine.dependencies).toEqual([]);
    expect(machine.healthChecks.map((check) => check.port).sort()).toEqual([1, 2]);
    expect(machine.orchestration).toMatchObject({ rebootDelay: 7, rebootDelayIsOwn: true });
  });

  test('a delay counts as the machine’s own whenever the configuration sets it, be it to the default', () => {
    expect(seen('good', 'bare').machine.orchestration).toMatchObject({
      rebootDelay: 600,
      rebootDelayIsOwn: false,
    });
    expect(seen('good', 'seed').machine.orchestration).toMatchObject({
      rebootDelay: 0,
      rebootDelayIsOwn: true,
    });
    expect(seen('good', 'delay-by-default-of-others').machine.orchestration).toMatchObject({
      rebootDelay: 600,
      rebootDelayIsOwn: true,
    });
  });
});

describe('configurations that have the right types and make no sense', () => {
  const expected: Readonly<Record<string, readonly string[]>> = {
    'http-without-url': ['healthChecks, entry 1 (http): a check of type "http" needs `url`'],
    'tcp-without-port': ['healthChecks, entry 1 (tcp): a check of type "tcp" needs `port`'],
    'command-without-command': ['healthChecks, entry 1 (command): a check of type "command" needs `command`'],
    'systemd-without-unit': ['healthChecks, entry 1 (systemd): a check of type "systemd" needs `unit`'],
    'url-for-tcp': [
      'healthChecks, entry 1 (tcp): `url` has no meaning for a check of type "tcp", only for "http"',
    ],
    'port-in-url': ['healthChecks, entry 1 (http): `url` has a port above 65535'],
    'systemd-from-orchestrator': [
      'healthChecks, entry 1 (systemd): `from = "orchestrator"` has no meaning, a unit is asked for on the machine itself',
    ],
    'localhost-from-orchestrator': [
      'healthChecks, entry 1 (http): seen from the orchestrator, localhost is the orchestrator itself; name this machine, or use `from = "target"`',
    ],
    'self-dependency': ['dependencies names the machine itself'],
    'repeated-groups': ['groups names "a" more than once'],
    'repeated-dependencies': ['dependencies names "a" more than once'],
    'repeated-addresses': ['addresses names "10.0.0.1" more than once'],
    'too-many-groups': [`groups has 33 entries; at most ${limits.groupsMax} are allowed`],
    'too-many-dependencies': [`dependencies has 65 entries; at most ${limits.dependenciesMax} are allowed`],
    'too-many-addresses': [`addresses has 17 entries; at most ${limits.addressesMax} are allowed`],
    'too-many-checks': [`healthChecks has 33 entries; at most ${limits.healthChecksMax} are allowed`],
    'too-many-together': [`groups has 33 entries; at most ${limits.groupsMax} are allowed`],
    several: [
      'dependencies names the machine itself',
      'healthChecks, entry 2 (http): a check of type "http" needs `url`',
    ],
  };

  test('every problem names machine and option, and forbids the build', () => {
    expect(Object.keys(expected).sort()).toEqual(Object.keys(table.wrong).sort());
    for (const [name, problems] of Object.entries(expected)) {
      const sentences = problems.map((problem) => `machine box: lab.machine.${problem}`);
      const { machine, assertions } = seen('wrong', name);
      expect({ name, problems: machine.problems }).toEqual({ name, problems: sentences });
      expect(assertions).toEqual(sentences.map((message) => ({ assertion: false, message })));
    }
  });

  test('the build says so as NixOS does', async () => {
    const text = await refusal(
      '(system { lab.machine.healthChecks = [ { type = "http"; } ]; }).config.system.build.toplevel.drvPath',
    );
    expect(text).toBe(
      'error: Failed assertions: - machine box: lab.machine.healthChecks, entry 1 (http): a check of type "http" needs `url`',
    );
  });
});

describe('configurations that a type refuses', () => {
  test('none of them evaluates', () => {
    const names = Object.keys(table.refused);
    expect(names.length).toBeGreaterThan(40);
    expect(names.filter((name) => table.refused[name] !== null)).toEqual([]);
  });

  test('the message names the option, the value and what was expected', async () => {
    const messages: readonly (readonly [string, string])[] = [
      [
        'port-99999',
        "error: A definition for option `lab.machine.healthChecks.\"[definition 1-entry 1]\".port' is not of type `null or integer between 1 and 65535 (both inclusive)'. Definition values: - In `<unknown-file>': 99999",
      ],
      [
        'short-form-unknown',
        'is not of type `submodule or short form (`http://…`, `https://…`, `tcp:PORT`, `tcp:HOST:PORT`, `systemd:UNIT` or `command:…`) convertible to it\'. Definition values: - In `<unknown-file>\': "ping:box"',
      ],
      [
        'option-unknown',
        "The option `lab.machine.rolle' does not exist. Definition values: - In `<unknown-file>': \"nas\" Did you mean `lab.machine.role'?",
      ],
      [
        'reboot-delay-86401',
        "`lab.machine.orchestration.rebootDelay' is not of type `integer between 0 and 86400 (both inclusive)'",
      ],
      [
        'criticality-unknown',
        '`lab.machine.orchestration.criticalityLevel\' is not of type `one of "low", "medium", "high", "critical"\'',
      ],
      ['role-twice', "The option `lab.machine.role' has conflicting definition values:"],
      [
        'kind-missing',
        'The option `lab.machine.healthChecks."[definition 1-entry 1]".type\' was accessed but has no value defined.',
      ],
      [
        'delay-is-own-by-hand',
        "The option `lab.machine.orchestration.rebootDelayIsOwn' is read-only, but it's set multiple times.",
      ],
    ];
    for (const [name, expected] of messages) {
      expect(await refusal(`${cases}.refused "${name}"`)).toContain(expected);
    }
  });
});

describe('on a whole NixOS of the stand-in', () => {
  test('the user’s example configurations are taken as they stand', async () => {
    const values = await evaluate(`
      map (module: (system module).config.lab.machine) [
        ${checkout}/test/nix/seed/inline.nix
        ${checkout}/test/nix/seed/hosts/sleeper-service/configuration.nix
      ]`);
    const common = {
      role: 'application-server',
      rebootOrder: 1,
      dependencies: [],
      healthChecks: [
        { type: 'http', url: 'http://localhost:80/health', from: 'target' },
        { type: 'tcp', port: 5432, from: 'target' },
      ],
      orchestration: {
        deployStrategy: 'rolling',
        rebootDelay: 0,
        rebootDelayIsOwn: true,
        criticalityLevel: 'high',
      },
      problems: [],
    };
    expect(values).toMatchObject([
      { ...common, groups: ['infrastructure', 'database'] },
      { ...common, groups: ['infrastructure', 'backend'] },
    ]);
  });

  test('the metadata file is made without a look at the services, and holds what the machine says of itself', async () => {
    const [file] = await build(`[
      (system {
        imports = [ ${checkout}/test/nix/seed/inline.nix ];
        options.services.removed.enable = lib.mkOption { apply = _: abort "somebody looked at the services"; };
      }).config.environment.etc."lab-machine-metadata.json".source
    ]`);
    expect(JSON.parse(await readFile(file ?? '', 'utf8'))).toMatchObject({
      hostname: 'box',
      role: 'application-server',
      groups: ['infrastructure', 'database'],
      rebootOrder: 1,
      dependencies: [],
      healthChecks: [
        { type: 'http', url: 'http://localhost:80/health' },
        { type: 'tcp', port: 5432 },
      ],
      orchestration: { deployStrategy: 'rolling', rebootDelay: 0, criticalityLevel: 'high' },
    });
  });
});
