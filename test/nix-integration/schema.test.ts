import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { limits } from '../../src/fleet/limits.ts';
import { HealthCheck, Machine } from '../../src/fleet/machine.ts';
import { readRecord } from '../../src/nix-integration/record.ts';
import { runProcess } from '../../src/process/run.ts';
import { makeWorld, settings } from './world.ts';

/**
 * One source of truth: the schema of `src/fleet/machine.ts` and the options of `nix/modules/lab-machine.nix` name
 * the same things with the same bounds, and Nix really enforces what its options say. Evaluated over the stand-in.
 */

const world = makeWorld();
afterAll(world.remove);

// ── the schema as a list of leaves ───────────────────────────────────────────────────────────────────────────

const Schema = z.object({
  type: z.string().optional(),
  const: z.string().optional(),
  enum: z.array(z.string()).optional(),
  minimum: z.number().optional(),
  maximum: z.number().optional(),
  maxLength: z.number().optional(),
  maxItems: z.number().optional(),
  get properties() {
    return z.record(z.string(), Schema).optional();
  },
  get items() {
    return Schema.optional();
  },
  get anyOf() {
    return z.array(Schema).optional();
  },
  get oneOf() {
    return z.array(Schema).optional();
  },
});
type Schema = z.infer<typeof Schema>;
type Leaf = { readonly path: string; readonly schema: Schema; readonly nullable: boolean };

const leavesOf = (schema: Schema, path: readonly string[] = []): readonly Leaf[] => {
  if (schema.properties !== undefined) {
    return Object.entries(schema.properties).flatMap(([name, inner]) => leavesOf(inner, [...path, name]));
  }
  const some = schema.anyOf?.filter(({ type }) => type !== 'null');
  const inner = some?.[0] ?? schema;
  return [{ path: path.join('.'), schema: inner, nullable: some !== undefined }];
};
const machineLeaves = leavesOf(Schema.parse(z.toJSONSchema(Machine)));
const checkVariants = (Schema.parse(z.toJSONSchema(HealthCheck)).oneOf ?? []).map((variant) =>
  leavesOf(variant),
);

/** Where the record of a machine says an option by another name, or holds what is no option of `lab.machine`. */
const checkOption: Readonly<Record<string, string>> = {
  timeoutSeconds: 'timeout',
  intervalSeconds: 'interval',
};
const notOptions = ['name', 'hostName', 'system', 'orchestration.rebootDelayIsOwn'];

// ── what Nix says ────────────────────────────────────────────────────────────────────────────────────────────

const Option = z.object({ path: z.string(), type: z.string(), internal: z.boolean() });
const Answer = z.object({
  options: z.array(Option),
  checkOptions: z.array(Option),
  limits: z.record(z.string(), z.number()),
  bare: z.unknown(),
  withoutModule: z.unknown(),
  results: z.array(z.unknown()),
});
type Value = null | boolean | number | string | readonly Value[] | { readonly [key: string]: Value };

const askNix = async (cases: readonly Value[]): Promise<z.infer<typeof Answer>> => {
  const checkout = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');
  const file = `${world.tree('cases', { 'cases.json': JSON.stringify(cases) })}/cases.json`;
  const expression = `import ${checkout}/test/nix-integration/schema.nix {
    checkout = ${checkout};
    cases = builtins.fromJSON (builtins.readFile ${file});
  }`;
  const result = await runProcess(
    [
      'nix',
      '--extra-experimental-features',
      'nix-command',
      'eval',
      '--json',
      '--impure',
      ...settings.flatMap(({ name, value }) => ['--option', name, value]),
      '--expr',
      expression,
    ],
    { deadlineMs: 120_000, env: world.env },
  );
  if (result.code !== 0) expect.fail(result.startError ?? result.stderr.slice(-4_000));
  return Answer.parse(JSON.parse(result.stdout));
};

// ── what is tried ────────────────────────────────────────────────────────────────────────────────────────────

type Try = { readonly what: string; readonly value: Value; readonly accepted: boolean };

const at = (path: string, value: Value): Value =>
  path.split('.').reduceRight<Value>((inner, name) => ({ [name]: inner }), value);

/** Values at the edges of what a leaf of the schema accepts, and just beyond. */
const edges = (
  { schema, nullable }: Leaf,
  sample: (length: number) => string,
): readonly [Value, boolean][] => {
  const none: readonly [Value, boolean][] = [[null, nullable]];
  const { minimum, maximum, maxLength } = schema;
  if (minimum !== undefined && maximum !== undefined) {
    return [
      ...none,
      [minimum, true],
      [maximum, true],
      [minimum - 1, false],
      [maximum + 1, false],
      ['1', false],
    ];
  }
  if (schema.enum !== undefined) {
    return [
      ...none,
      ...schema.enum.map((value): [Value, boolean] => [value, true]),
      ['no such word', false],
      ['', false],
    ];
  }
  if (schema.type === 'boolean') return [...none, [true, true], [false, true], ['yes', false]];
  if (maxLength !== undefined) {
    return [...none, [sample(maxLength), true], [sample(maxLength + 1), false], [1, false], ['', false]];
  }
  throw new Error(`nothing known to try: ${JSON.stringify(schema)}`);
};

const letters = (length: number): string => 'a'.repeat(length);
const urlOfLength = (length: number): string => `http://h/${letters(length - 9)}`;
const listItem: Readonly<Record<string, (index: number) => Value>> = {
  groups: (index) => `group-${index}`,
  dependencies: (index) => `machine-${index}`,
  addresses: (index) => `10.0.0.${index}`,
  healthChecks: () => ({ type: 'tcp', port: 1 }),
};

const machineTries = machineLeaves
  .filter(({ path }) => !notOptions.includes(path))
  .flatMap((leaf): readonly Try[] => {
    const most = leaf.schema.maxItems;
    if (most === undefined) {
      return edges(leaf, letters).map(([value, accepted]) => ({
        what: leaf.path,
        value: at(leaf.path, value),
        accepted,
      }));
    }
    const item = listItem[leaf.path];
    if (item === undefined) throw new Error(`no item known for ${leaf.path}`);
    const list = (length: number): Value =>
      at(
        leaf.path,
        Array.from({ length }, (_, index) => item(index)),
      );
    return [
      { what: `${leaf.path}, most`, value: list(most), accepted: true },
      { what: `${leaf.path}, too many`, value: list(most + 1), accepted: false },
      { what: `${leaf.path}, no list`, value: at(leaf.path, 'x'), accepted: false },
    ];
  });

const checkBases: Readonly<Record<string, Readonly<Record<string, Value>>>> = {
  http: { type: 'http', url: 'http://nas/' },
  tcp: { type: 'tcp', port: 22 },
  command: { type: 'command', command: 'true' },
  systemd: { type: 'systemd', unit: 'sshd.service' },
};

const checkTries = checkVariants.flatMap((leaves) => {
  const kind = leaves.find(({ path }) => path === 'type')?.schema.const ?? '';
  const base = checkBases[kind] ?? {};
  return leaves
    .filter(({ path }) => path !== 'type')
    .flatMap((leaf): readonly Try[] => {
      const option = checkOption[leaf.path] ?? leaf.path;
      // A tcp check without a host gets one; a systemd check is asked on the machine itself.
      const spared = (value: Value) =>
        (option === 'host' && value === null) || (kind === 'systemd' && value === 'orchestrator');
      return edges(leaf, option === 'url' ? urlOfLength : letters)
        .filter(([value]) => !spared(value))
        .map(([value, accepted]) => ({
          what: `healthChecks ${kind} ${option}`,
          value: { healthChecks: [{ ...base, [option]: value }] },
          accepted,
        }));
    });
});

/** Texts of which the schema and the module must not disagree: what Nix lets through, `lab` can read. */
const urls = [
  'http://localhost:80/health',
  'https://[::1]:8443/x?y=z#f',
  'http://user@host/',
  'http://a_b.example/',
  'http://a..b/',
  'http://host:65535/',
  'http://host:65536/',
  'http://host:080/',
  'http://[fe80::1%25eth0]/',
  'http://host/%zz',
  'http://-/',
  'http://xn--/',
  'http://h/ä',
  'http://',
  'http:///x',
  'ftp://host/',
  'http://ho st/',
  'javascript:alert(1)',
  'http://0x7f.1/',
];
/** No URL has such an address; Nix's patterns let it pass, and the program names machine and option. */
const impossibleUrls = ['http://256.256.256.256/', 'http://[:::::]/', 'http://1.2.3.4.5/'];
const free: readonly Value[] = [
  ...urls.map((url): Value => ({ healthChecks: [{ type: 'http', url }] })),
  ...[
    'http://localhost/',
    'tcp:22',
    'tcp:[::1]:22',
    'systemd:a@b.service',
    'command:a b',
    'tcp:65536',
    'udp:1',
  ].map((short): Value => ({ healthChecks: [short] })),
  ...['::1', '10.0.0.256', '1.2.3', 'fd00::10', ':::', 'host'].map(
    (address): Value => ({ addresses: [address] }),
  ),
  ...['-rf', '.x', 'a b', 'ä', 'a.b-c_d'].map((name): Value => ({ dependencies: [name] })),
];

const answer = await askNix([
  ...[...machineTries, ...checkTries].map(({ value }) => value),
  ...free,
  ...impossibleUrls.map((url): Value => ({ healthChecks: [{ type: 'http', url }] })),
]);
const offset = machineTries.length + checkTries.length;

// ── the tests ────────────────────────────────────────────────────────────────────────────────────────────────

test('every option is in the schema, and every field of the schema is an option', () => {
  const told = answer.options.filter(({ internal }) => !internal).map(({ path }) => path);
  const read = machineLeaves.map(({ path }) => path).filter((path) => !notOptions.includes(path));
  expect(told.toSorted()).toEqual(read.toSorted());

  const checkTold = answer.checkOptions.filter(({ internal }) => !internal).map(({ path }) => path);
  const checkRead = new Set(checkVariants.flat().map(({ path }) => checkOption[path] ?? path));
  expect(checkTold.toSorted()).toEqual([...checkRead].toSorted());
});

const wordsOf = (type: string): readonly string[] =>
  [...type.matchAll(/"([^"]*)"/g)].map((match) => match[1] ?? '');
const boundsOf = (type: string): readonly number[] =>
  (/integer between (-?\d+) and (-?\d+) \(both inclusive\)/.exec(type) ?? []).slice(1).map(Number);

test('words and bounds that the options say of themselves are those of the schema', () => {
  const kinds = checkVariants.map((leaves) => leaves.find(({ path }) => path === 'type')?.schema.const ?? '');
  const compare = (option: string, type: string, { schema, nullable }: Leaf) => {
    expect([option, type.startsWith('null or ')]).toEqual([option, nullable]);
    if (schema.enum !== undefined) expect(wordsOf(type).toSorted()).toEqual(schema.enum.toSorted());
    if (schema.minimum !== undefined) {
      expect([option, ...boundsOf(type)]).toEqual([option, schema.minimum, schema.maximum]);
    }
  };
  for (const { path, type } of answer.options) {
    const leaf = machineLeaves.find((one) => one.path === path);
    if (leaf !== undefined && leaf.schema.maxItems === undefined) compare(path, type, leaf);
  }
  for (const { path, type } of answer.checkOptions) {
    if (path === 'type') {
      expect(wordsOf(type).toSorted()).toEqual(kinds.toSorted());
      continue;
    }
    for (const leaf of checkVariants.flat().filter((one) => (checkOption[one.path] ?? one.path) === path)) {
      // In the submodule each kind's own options are null for the other kinds.
      const own =
        leaf.nullable || type.startsWith('null or ')
          ? { ...leaf, nullable: type.startsWith('null or ') }
          : leaf;
      compare(path, type, own);
    }
  }
});

test('the bounds of the module are those of the program', () => {
  expect(answer.limits).toEqual(limits);
});

describe('Nix accepts and refuses at the edges what the schema accepts and refuses', () => {
  const tries = [...machineTries, ...checkTries];
  test('there is something tried for every option', () => {
    const tried = new Set(tries.flatMap(({ what }) => what.split(/[ ,]/)));
    for (const { path } of answer.checkOptions) expect(tried.has(path) || path === 'type').toBe(true);
    expect(tries.length).toBeGreaterThan(150);
  });
  test('each alike', () => {
    const wrong = tries.flatMap(({ what, value, accepted }, index) => {
      const record = answer.results[index] ?? null;
      const read = record !== null && Machine.safeParse(record).success;
      const same = (record !== null) === accepted && read === accepted;
      return same
        ? []
        : [`${what}: ${JSON.stringify(value).slice(0, 120)} Nix ${record !== null} schema ${read}`];
    });
    expect(wrong).toEqual([]);
  });
  test('whatever else Nix lets through can be read', () => {
    const freeResults = answer.results.slice(offset, offset + free.length);
    const unread = free.flatMap((value, index) => {
      const record = freeResults[index] ?? null;
      return record === null || Machine.safeParse(record).success ? [] : [JSON.stringify(value)];
    });
    expect(unread).toEqual([]);
    expect(freeResults.filter((record) => record !== null).length).toBeGreaterThan(5);
    expect(freeResults.filter((record) => record === null).length).toBeGreaterThan(5);
  });
});

test('a URL with an impossible address is refused by machine and option', () => {
  const records = answer.results.slice(offset + free.length);
  expect(records).toHaveLength(impossibleUrls.length);
  for (const record of records) {
    const read = readRecord('box', JSON.stringify(record));
    const message = read.kind === 'failed' ? read.failed.message : '';
    expect(message).toMatch(/^lab\.machine\.healthChecks\.0\.url is "http:.*": Invalid URL/);
  }
});

test('a machine that sets nothing, and one without the module, have the same defaults', () => {
  const bare = Machine.parse(answer.bare);
  expect(Machine.parse(answer.withoutModule)).toEqual(bare);
  expect(answer.bare).toMatchObject({ labMachine: true });
  expect(answer.withoutModule).toMatchObject({ labMachine: false });
  expect(bare).toMatchObject({ hostName: 'box', role: null, healthChecks: [], rebootOrder: null });
});
