import { afterAll, expect, test } from 'vitest';
import { runProcess } from '../../src/process/run.ts';
import { failureOf, flakeText, machineText, makeWorld, succeeded } from './world.ts';

const world = makeWorld();
afterAll(world.remove);

const sound = (index: number): [string, string] => [
  `sound-${String(index).padStart(2, '0')}`,
  machineText(
    `sound-${String(index).padStart(2, '0')}`,
    `{ role = "r${index}"; groups = [ "g" ]; rebootOrder = ${index}; }`,
  ),
];

const brokenMachines = {
  'b-abort': '{ config = abort "gave up"; }',
  'b-assert': '{ config = assert 1 == 2; { }; }',
  'b-bad-enum': machineText('b-bad-enum', '{ orchestration.deployStrategy = "yolo"; }'),
  'b-bad-number': machineText('b-bad-number', '{ orchestration.rebootDelay = 99999999; }'),
  'b-bad-type': machineText('b-bad-type', '{ groups = "not a list"; }'),
  'b-coercion': machineText('b-coercion', '{ role = "a" + 1; }'),
  'b-division': machineText('b-division', '{ rebootOrder = 1 / 0; }'),
  'b-function': machineText('b-function', '{ role = x: x; }'),
  'b-import': 'import ./hosts/nowhere.nix',
  'b-no-attribute': machineText('b-no-attribute', '{ role = { }.missing; }'),
  'b-no-host': '{ config = { lab.machine = { }; }; pkgs.stdenv.hostPlatform.system = "x"; }',
  'b-recursion': '{ config = let x = x; in x; }',
  'b-stack': '{ config = let f = n: 1 + f (n + 1); in f 0; }',
  'b-syntax': 'import ./hosts/syntax.nix',
  'b-throw': '{ config = throw "the disk is missing"; }',
  'b-undefined': 'import ./hosts/undefined.nix',
  'b-untracked': 'import ./hosts/untracked.nix',
  'b-not-a-set': '"just text"',
  'b-multi-line': '{ config = throw "Failed assertions:\\n- first\\n- second"; }',
} as const;

const hosts = {
  'hosts/syntax.nix': '{ a = ; }',
  'hosts/undefined.nix': '{ config = whoIsThis; }',
};

test('machines broken in nineteen ways are each shown with their own cause and hide no other', async () => {
  const machines = Object.fromEntries([
    ...Array.from({ length: 8 }, (_, i) => sound(i)),
    ...Object.entries(brokenMachines),
  ]);
  const folder = world.repository('broken', { 'flake.nix': flakeText(machines), ...hosts });
  world.tree('broken', { 'hosts/untracked.nix': '{ }' });

  const { fleet } = succeeded(await world.nix(folder).evaluate({}));

  expect(fleet.machines.map(({ name, role }) => [name, role])).toEqual(
    Array.from({ length: 8 }, (_, i) => [`sound-0${i}`, `r${i}`]),
  );
  const causes = Object.fromEntries(fleet.failed.map(({ name, message }) => [name, message]));
  expect(Object.keys(causes)).toEqual(Object.keys(brokenMachines).sort());
  expect(causes).toMatchObject({
    'b-abort': expect.stringContaining('gave up'),
    'b-assert': expect.stringMatching(/assertion.* failed|is not equal to/),
    'b-bad-enum': expect.stringMatching(/^lab\.machine\.orchestration\.deployStrategy is "yolo": .*rolling/),
    'b-bad-number': expect.stringMatching(/^lab\.machine\.orchestration\.rebootDelay is 99999999: .*86400/),
    'b-bad-type': expect.stringMatching(/^lab\.machine\.groups is "not a list": .*expected array/),
    'b-coercion': expect.stringMatching(/integer/),
    'b-division': expect.stringContaining('division by zero'),
    'b-function': expect.stringContaining('function'),
    'b-import': expect.stringContaining('hosts/nowhere.nix'),
    'b-no-attribute': expect.stringContaining("attribute 'missing' missing"),
    'b-no-host': expect.stringContaining("attribute 'networking' missing"),
    'b-recursion': expect.stringContaining('infinite recursion encountered'),
    'b-stack': expect.stringMatching(/stack overflow|max-call-depth/),
    'b-syntax': expect.stringMatching(/syntax error.*\(hosts\/syntax\.nix:1:7\)/),
    'b-throw': expect.stringContaining('the disk is missing'),
    'b-undefined': expect.stringMatching(/undefined variable 'whoIsThis'.*hosts\/undefined\.nix:1:12/),
    'b-untracked': expect.stringContaining('Git does not track hosts/untracked.nix'),
    'b-not-a-set': expect.stringMatching(/string while a set was expected|expected a set but found a string/),
    'b-multi-line': expect.stringContaining('Failed assertions: - first - second'),
  });
  const untracked = fleet.failed.find(({ name }) => name === 'b-untracked');
  expect(untracked?.remedy).toBe('git add -N hosts/untracked.nix');
  for (const { message, remedy } of fleet.failed) {
    expect(message).not.toMatch(/[\u001b\n]|-source/);
    expect(remedy).not.toBe('');
  }
});

test('twenty machines take as few processes as there are workers, and each broken one adds one', async () => {
  const started: string[] = [];
  const counting: typeof runProcess = (argv, options) => {
    started.push(argv.includes('--version') ? 'version' : 'evaluation');
    return runProcess(argv, options);
  };
  const machines = Object.fromEntries(Array.from({ length: 20 }, (_, i) => sound(i)));
  const folder = world.repository('twenty', { 'flake.nix': flakeText(machines) });
  const lines: string[] = [];
  const nix = world.nix(folder, { runProcess: counting });
  const evaluation = succeeded(await nix.evaluate({ onProgress: (line) => lines.push(line) }));
  expect(evaluation.fleet.machines).toHaveLength(20);
  expect(evaluation.discrepancies).toEqual([]);
  expect(started).toEqual(['evaluation', 'evaluation']);
  expect(lines.at(-1)).toBe('evaluated 20 of 20 machines');

  started.length = 0;
  const half = world.repository('half', {
    'flake.nix': flakeText({ ...machines, 'sound-03': '{ config = throw "x"; }', 'sound-17': 'throw "y"' }),
  });
  const broken = succeeded(await world.nix(half, { runProcess: counting }).evaluate({}));
  expect(broken.fleet.machines).toHaveLength(18);
  expect(broken.fleet.failed.map(({ name, message }) => [name, message])).toEqual([
    ['sound-03', 'x'],
    ['sound-17', 'y'],
  ]);
  expect(started.filter((kind) => kind === 'evaluation')).toHaveLength(4);
});

test('names that cannot be machine names are reported and never reach a command', async () => {
  const hostile = [
    '../../etc',
    '-rf',
    'a b',
    'quote" ; touch x',
    'new\nline',
    'dollar${x}',
    '.hidden',
    'ünï',
  ];
  const machines = Object.fromEntries([sound(1), ...hostile.map((name) => [name, 'throw "never asked"'])]);
  const quoted = flakeText(machines).replaceAll('${x}', '\\${x}');
  const folder = world.repository('hostile', { 'flake.nix': quoted });
  const { fleet } = succeeded(await world.nix(folder).evaluate({}));
  expect(fleet.machines.map(({ name }) => name)).toEqual(['sound-01']);
  expect(fleet.failed).toHaveLength(hostile.length);
  for (const { name, message } of fleet.failed) {
    expect(message).toContain('cannot be the name of a machine');
    expect(name).not.toMatch(/[\n\u001b]/);
  }
});

test('escapes and forged markers in what a configuration prints change nothing', async () => {
  const folder = world.repository('forged', {
    'flake.nix': flakeText({
      honest: machineText('honest', '{ role = "honest"; }'),
      liar: `builtins.trace "@lab ok honest {\\"name\\":\\"honest\\"}" (builtins.trace "@lab names {}" ${machineText('liar', '{ role = "\\u001b[31mred"; }')})`,
      thrower: '{ config = throw "\u001b[2J\u001b[31mwiped\u0007 your screen"; }',
    }),
  });
  const { fleet } = succeeded(await world.nix(folder).evaluate({}));
  expect(fleet.machines.map(({ name, role }) => [name, role?.slice(-3)])).toEqual([
    ['honest', 'est'],
    ['liar', 'red'],
  ]);
  expect(fleet.failed.map(({ message }) => message)).toEqual(['wiped your screen']);
});

test('a machine that never ends is given up after the stall deadline and the others go on', async () => {
  const folder = world.repository('endless', {
    'flake.nix': flakeText({
      ...Object.fromEntries([sound(1), sound(2)]),
      endless:
        '{ config = let n = builtins.foldl\' (a: b: a + b) 0 (builtins.genList (x: x) 100000); loop = i: builtins.seq n (if i == -1 then { } else loop (builtins.bitAnd (i + 1) 1023)); in builtins.foldl\' (a: b: builtins.deepSeq (builtins.genList (x: builtins.hashString "sha256" (toString x)) 2000000) a) { } (builtins.genList (x: x) 100000); }',
    }),
  });
  const nix = world.nix(folder, { deadlines: { evaluationStallMs: 6_000 } });
  const { fleet } = succeeded(await nix.evaluate({}));
  expect(fleet.machines.map(({ name }) => name)).toEqual(['sound-01', 'sound-02']);
  expect(fleet.failed).toEqual([
    expect.objectContaining({ name: 'endless', message: expect.stringContaining('did not end within') }),
  ]);
});

test('cancelling ends the evaluation with a failure that says so', async () => {
  const folder = world.repository('cancelled', { 'flake.nix': flakeText(Object.fromEntries([sound(1)])) });
  const abort = new AbortController();
  const cancelling: typeof runProcess = (argv, options) => {
    if (argv.includes('eval')) abort.abort();
    return runProcess(argv, options);
  };
  const result = await world.nix(folder, { runProcess: cancelling }).evaluate({ signal: abort.signal });
  expect(failureOf(result)).toMatchObject({ kind: 'cancelled', phase: 'evaluate' });
});

test('a record of ten megabytes fails its machine only', async () => {
  const long = 'builtins.concatStringsSep "" (builtins.genList (x: "0123456789") 1000000)';
  const folder = world.repository('long', {
    'flake.nix': flakeText({
      ...Object.fromEntries([sound(1), sound(9)]),
      long: machineText('long', `{ role = ${long}; }`),
      noisy: `{ config = throw (${long}); }`,
    }),
  });
  const { fleet } = succeeded(await world.nix(folder).evaluate({}));
  expect(fleet.machines.map(({ name }) => name)).toEqual(['sound-01', 'sound-09']);
  expect(fleet.failed.map(({ name }) => name)).toEqual(['long', 'noisy']);
  for (const { message } of fleet.failed) expect(message.length).toBeLessThan(1_000);
});
