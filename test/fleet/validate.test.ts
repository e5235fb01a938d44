import { describe, expect, test } from 'vitest';
import type { Fleet, Machine } from '../../src/fleet/machine.ts';
import { blockedBy, type Problem, validateFleet } from '../../src/fleet/validate.ts';
import { machineNamed } from '../simulation/fleet.ts';

const problemsOf = (machines: readonly Machine[], failed: Fleet['failed'] = []): readonly Problem[] =>
  validateFleet({ machines, failed });
const told = (problems: readonly Problem[]): readonly string[] =>
  problems.map(({ kind, message }) => `${kind}: ${message}`);

test('a sound fleet has no problems', () => {
  expect(
    problemsOf([
      machineNamed('nas', { rebootOrder: 1, addresses: ['10.0.0.1'] }),
      machineNamed('app', { rebootOrder: 1, dependencies: ['nas'], addresses: ['10.0.0.2'] }),
      machineNamed('desk', { orchestrator: true, rebootOrder: 0, dependencies: ['app'] }),
    ]),
  ).toEqual([]);
});

test('all problems come at once, errors first', () => {
  const problems = problemsOf(
    [
      machineNamed('a', { dependencies: ['b'] }),
      machineNamed('b', { dependencies: ['a'] }),
      machineNamed('c', { dependencies: ['c', 'nowhere', 'broken'] }),
      machineNamed('d', { rebootOrder: 1, dependencies: ['e'], addresses: ['10.0.0.1'] }),
      machineNamed('e', { rebootOrder: 2, addresses: ['10.0.0.1'], hostName: 'd' }),
      machineNamed('f', { strategy: 'recreate', policy: 'never' }),
    ],
    [{ name: 'broken', message: 'undefined variable', remedy: 'repair it' }],
  );
  expect(problems.map(({ kind, severity }) => `${severity} ${kind}`).sort()).toEqual([
    'error cycle',
    'error dependency-not-evaluated',
    'error duplicate-address',
    'error duplicate-hostname',
    'error missing-dependency',
    'error not-evaluated',
    'error order-contradiction',
    'error self-dependency',
    'warning reboot-never-taken',
  ]);
  expect(problems.at(-1)?.severity).toBe('warning');
  for (const { remedy } of problems) expect(remedy).not.toBe('');
});

describe('each problem names machines, path and option', () => {
  test('a cycle tells its path', () => {
    const problems = problemsOf([
      machineNamed('a', { dependencies: ['b'] }),
      machineNamed('b', { dependencies: ['c'] }),
      machineNamed('c', { dependencies: ['a'] }),
    ]);
    expect(told(problems)).toEqual(['cycle: dependency cycle: a → b → c → a']);
    expect(problems[0]?.machines).toEqual(['a', 'b', 'c']);
  });

  test('a missing dependency guesses what was meant', () => {
    const [problem] = problemsOf([machineNamed('nas'), machineNamed('app', { dependencies: ['nsa'] })]);
    expect(problem?.message).toBe('app depends on "nsa", which is no machine of this flake');
    expect(problem?.remedy).toBe('did you mean "nas"? Correct lab.machine.dependencies of app');
  });

  test('a contradiction of rebootOrder names both machines and numbers', () => {
    const [problem] = problemsOf([
      machineNamed('nas', { rebootOrder: 5 }),
      machineNamed('app', { rebootOrder: 2, dependencies: ['nas'] }),
    ]);
    expect(problem).toMatchObject({ kind: 'order-contradiction', machines: ['app', 'nas'] });
    expect(problem?.message).toContain('app (rebootOrder 2)');
    expect(problem?.message).toContain('nas (rebootOrder 5)');
  });

  test('nobody can depend on the orchestrator, which goes last', () => {
    const problems = problemsOf([
      machineNamed('desk', { orchestrator: true }),
      machineNamed('app', { dependencies: ['desk'] }),
    ]);
    expect(problems.map(({ kind }) => kind)).toEqual(['orchestrator-dependency']);
  });

  test('two orchestrators, two machines at one ssh address', () => {
    const problems = problemsOf([
      machineNamed('a', { orchestrator: true, ssh: { host: 'box', port: null, user: null } }),
      machineNamed('b', { orchestrator: true, ssh: { host: 'box', port: 22, user: null } }),
      machineNamed('c', { ssh: { host: 'box', port: 2222, user: null } }),
    ]);
    expect(told(problems)).toEqual([
      'duplicate-ssh-address: a and b would be reached at the same ssh address box:22',
      'several-orchestrators: a and b are all marked as the orchestrator',
    ]);
  });

  test('more machines than lab takes', () => {
    const many = Array.from({ length: 501 }, (_, index) => machineNamed(`m${index}`));
    expect(told(problemsOf(many))).toEqual(['too-many-machines: 501 machines; lab takes at most 500']);
  });
});

test('an error blocks the machines it names, a warning none', () => {
  const problems = problemsOf([
    machineNamed('app', { dependencies: ['nowhere'] }),
    machineNamed('f', { strategy: 'recreate', policy: 'never' }),
    machineNamed('free'),
  ]);
  expect([...blockedBy(problems).keys()]).toEqual(['app']);
});
