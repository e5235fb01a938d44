import { expect, test } from 'vitest';
import { fail } from '../../src/failure.ts';
import { createStage, exampleMachines } from './stage.ts';

/** What deploying would change, package by package, as people and scripts read it. */

const golden = (name: string): string => `./golden/${name}.txt`;
const newKernel = { 'sleeper-service': '6.12.11', 'grey-area': '6.12.11' };

const notHere = async (toplevel: string) =>
  fail({ kind: 'not-here', machine: null, phase: 'closure', message: `${toplevel} is not here`, remedy: '' });

test('diff tells packages, what is the same already, and what cannot be told and why', async () => {
  const stage = createStage({
    machines: exampleMachines,
    wants: newKernel,
    faults: { 'congenital-optimist': [{ kind: 'offline' }] },
  });
  const { shown, exitCode } = await stage.run('diff');
  await expect(shown).toMatchFileSnapshot(golden('diff'));
  expect(exitCode).toBe(3);
});

test('diff as JSON', async () => {
  const { out, exitCode } = await createStage({ machines: exampleMachines, wants: newKernel }).run(
    'diff',
    'grey-area',
    'reverse-proxy',
    '--json',
  );
  const { schema, machines } = JSON.parse(out);
  expect(schema).toBe('lab/diff/1');
  const [grey, proxy] = machines;
  expect(grey).toMatchObject({ machine: 'grey-area', same: false, failure: null });
  expect(grey.diff.changes).toEqual([
    { name: 'linux', kind: 'updated', from: ['6.12.8'], to: ['6.12.11'], kept: 0, bytes: 300_000 },
    { name: 'openssl', kind: 'updated', from: ['3.0.14'], to: ['3.0.15'], kept: 0, bytes: 0 },
  ]);
  expect(proxy).toMatchObject({ machine: 'reverse-proxy', same: true, diff: null, failure: null });
  expect(exitCode).toBe(0);
});

test('what is not built is told, with what builds it', async () => {
  const stage = createStage({
    machines: exampleMachines,
    wants: newKernel,
    closures: { here: notHere, on: (_machine, toplevel) => notHere(toplevel) },
  });
  const { out, exitCode } = await stage.run('diff', 'grey-area');
  expect(out).toBe(
    'grey-area: not known: what the flake wants of grey-area is not built yet\n      → `lab diff --build grey-area` builds it, and so does preparing a run\n',
  );
  expect(exitCode).toBe(1);
});

test('--build builds first', async () => {
  const built: (readonly string[])[] = [];
  const stage = createStage({
    machines: exampleMachines,
    wants: newKernel,
    nix: {
      build: async (names) => {
        built.push(names);
        return {
          built: [],
          failed: names.map((machine) => ({
            kind: 'build',
            machine,
            phase: 'build',
            message: 'it broke',
            remedy: 'nix log',
          })),
        };
      },
    },
  });
  const { out, exitCode } = await stage.run('diff', 'grey-area', '--build');
  expect(built).toEqual([['grey-area']]);
  expect(out).toContain('grey-area: not known: it broke\n      → nix log');
  expect(exitCode).toBe(1);
});
