import { cp, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Machine } from '../../src/fleet/machine.ts';
import { validateFleet } from '../../src/fleet/validate.ts';
import { checkout, nix, standIn } from './nix.ts';

/** The parts of the checkout that the flake is made of, as a flake that git knows nothing of. */
const partsOfFlake = ['flake.nix', 'flake.lock', 'hosts', 'nix', 'package.json', 'package-lock.json'];
const exampleHosts = ['congenital-optimist', 'grey-area', 'reverse-proxy', 'sleeper-service'];
const overStandIn = ['--no-write-lock-file', '--override-input', 'nixpkgs', `path:${standIn}`];

let folder: string;
let machines: readonly Machine[];
beforeAll(async () => {
  folder = await mkdtemp(`${tmpdir()}/lab-example-`);
  for (const part of partsOfFlake) await cp(`${checkout}/${part}`, `${folder}/${part}`, { recursive: true });
  const fleet = await readFile(`${checkout}/nix/fleet.nix`, 'utf8');
  const result = await nix(
    'eval',
    '--json',
    ...overStandIn,
    `path:${folder}#nixosConfigurations`,
    '--apply',
    `configurations: (${fleet}) (builtins.attrNames configurations) configurations`,
  );
  if (result.code !== 0) throw new Error(result.stderr);
  machines = (JSON.parse(result.stdout) as unknown[]).map((record) => Machine.parse(record));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const distinct = (values: readonly unknown[]): number => new Set(values).size;

describe('the machines of hosts/', () => {
  test('are the four of the example, and nothing is wrong with the fleet', () => {
    expect(machines.map(({ name }) => name)).toEqual(exampleHosts);
    expect(machines.map(({ hostName }) => hostName)).toEqual(exampleHosts);
    expect(validateFleet({ machines, failed: [] })).toEqual([]);
  });

  test('depend on each other from the NAS to the edge, and the workstation is the orchestrator', () => {
    const edges = machines.flatMap(({ name, dependencies }) =>
      dependencies.map((on) => `${name} needs ${on}`),
    );
    expect(edges).toEqual(['grey-area needs sleeper-service', 'reverse-proxy needs grey-area']);
    expect(machines.filter(({ orchestrator }) => orchestrator).map(({ name }) => name)).toEqual([
      'congenital-optimist',
    ]);
  });

  test('differ, so that every feature has something to show', () => {
    expect(distinct(machines.map(({ orchestration }) => orchestration.deployStrategy))).toBe(3);
    expect(distinct(machines.map(({ orchestration }) => orchestration.criticalityLevel))).toBe(4);
    expect(distinct(machines.map(({ orchestration }) => orchestration.rebootDelay))).toBeGreaterThan(2);
    expect(distinct(machines.map(({ role }) => role))).toBe(4);
    const checks = machines.flatMap(({ healthChecks }) => healthChecks);
    expect(distinct(checks.map(({ type }) => type))).toBe(4);
    expect(distinct(checks.map(({ from }) => from))).toBe(2);
  });
});

describe('the flake', () => {
  test('passes nix flake check over the stand-in, builds included, and its lock stays as it is', async () => {
    const lock = await readFile(`${folder}/flake.lock`, 'utf8');
    const result = await nix('flake', 'check', ...overStandIn, `path:${folder}`);
    expect(result.stderr).not.toMatch(/^error/m);
    expect(result.code).toBe(0);
    expect(await readFile(`${folder}/flake.lock`, 'utf8')).toBe(lock);
  });

  test('locks the nixpkgs it names', async () => {
    const { nodes } = JSON.parse(await readFile(`${folder}/flake.lock`, 'utf8')) as {
      nodes: { nixpkgs: { original: { owner: string; repo: string; ref: string } } };
    };
    const { owner, repo, ref } = nodes.nixpkgs.original;
    expect(await readFile(`${folder}/flake.nix`, 'utf8')).toContain(`"github:${owner}/${repo}/${ref}"`);
  });
});
