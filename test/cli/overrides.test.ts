import { describe, expect, test } from 'vitest';
import 'node-cron'; // loaded here already: the virtual clock does not wait for files
import type { Fault } from '../../src/sim/fault.ts';
import { createStage, exampleMachines } from './stage.ts';

/** Blockers and overrides as people see them on the command line. */

process.env.TZ = 'UTC';

const busy: readonly Fault[] = [
  { kind: 'occupied', by: 'user', atMs: 0, forMs: null },
  { kind: 'disk-full', path: '/boot' },
];
const stageWith = (faults: Readonly<Record<string, readonly Fault[]>>) =>
  createStage({
    machines: exampleMachines,
    wants: { 'sleeper-service': '6.12.11', 'grey-area': '6.12.11' },
    faults,
  });

describe('a machine with blockers', () => {
  test('is left alone, and all of them are told with their evidence and the way past them', async () => {
    const stage = stageWith({ 'sleeper-service': busy });
    const { shown, exitCode } = await stage.run('run', '--yes', '--no-update');
    await expect(shown).toMatchFileSnapshot('./golden/blocked.txt');
    expect(exitCode).not.toBe(0);
    expect(stage.world.effects).toEqual([]);
  });

  test('is acted on where each is overridden; plan, steps and report say so', async () => {
    const stage = stageWith({ 'sleeper-service': busy });
    const words = ['--override', 'sleeper-service:users-logged-in', '--override', 'no-space-boot'];
    const { shown, exitCode } = await stage.run('run', '--yes', '--no-update', ...words);
    await expect(shown).toMatchFileSnapshot('./golden/overridden.txt');
    expect(exitCode).toBe(0);
  });

  test('is still left alone where only one of them is', async () => {
    const { shown, exitCode } = await stageWith({ 'sleeper-service': busy }).run(
      ...['run', '--yes', '--no-update', '--override', 'no-space-boot'],
    );
    expect(shown).toContain('somebody is logged in');
    expect(shown).not.toContain('MiB free');
    expect(exitCode).not.toBe(0);
  });
});

test('a report as JSON has the overrides, and who gave them', async () => {
  const { shown } = await stageWith({}).run(
    ...['reboot', 'grey-area', '--yes', '--json', '--override', 'inhibited'],
  );
  const json = shown.slice(shown.indexOf('{'), shown.lastIndexOf('}') + 1);
  expect(JSON.parse(json).report.overrides).toEqual([
    { blocker: 'inhibited', machine: null, by: expect.stringContaining('(cli)') },
  ]);
});

describe('words that are no override', () => {
  test.each([
    [['run', '--override', 'inhibitted'], 'did you mean "inhibited"'],
    [['deploy', 'grey-area', '--override', 'no-root'], '"no-root" cannot be overridden'],
    [['plan', '--override', 'everything'], 'these can be overridden: no-space-nix, no-space-boot'],
    [['run', '--dry-run', '--override', 'gray-area:inhibited'], 'did you mean "grey-area:inhibited"'],
    [['reboot', 'grey-area', '--override', 'sleeper-service:inhibited'], 'not among the machines chosen'],
  ])('%j', async (words, says) => {
    const stage = stageWith({});
    const { shown, exitCode } = await stage.run(...words, ...(words[0] === 'plan' ? [] : ['--yes']));
    expect(shown).toContain(says);
    expect(exitCode).toBe(2);
    expect(stage.world.effects).toEqual([]);
  });
});
