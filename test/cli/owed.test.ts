import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Machine } from '../../src/fleet/machine.ts';
import { JournalFailure } from '../../src/journal/journal.ts';
import type { RunReport } from '../../src/run/report.ts';
import type { Fault } from '../../src/sim/fault.ts';
import { createMemoryJournal } from '../../src/sim/memory-journal.ts';
import { machineNamed } from '../simulation/fleet.ts';
import { createStage, exampleMachines } from './stage.ts';

/** Machines that were away when a run would have changed them: remembered, shown, and brought up later. */

process.env.TZ = 'UTC';

const hourMs = 3_600_000;
const awayFor = (forMs: number): Fault => ({ kind: 'away', atMs: 0, forMs });
const newKernel = { 'sleeper-service': '6.12.11', 'grey-area': '6.12.11', 'congenital-optimist': '6.12.11' };
const noUpdate = ['run', '--yes', '--no-update'] as const;

type Stage = ReturnType<typeof createStage>;
const owedOn = (stage: Stage): readonly string[] => {
  const past = stage.past();
  if (!past.ok) throw new Error(past.failure.message);
  return [...past.value.debts.keys()];
};
const reportOf = async (stage: Stage, ...argv: readonly string[]): Promise<RunReport> =>
  (JSON.parse((await stage.run(...argv, '--json')).out) as { report: RunReport }).report;
const deeds = (stage: Stage): readonly string[] =>
  stage.world.effects.flatMap((effect) =>
    effect.kind === 'settle' ? [] : [`${effect.machine} ${effect.kind}`],
  );

describe('a machine that is away when it is to be changed', () => {
  test('is owed what was planned, with those that need it; status says so, and catching up pays', async () => {
    const stage = createStage({
      machines: exampleMachines,
      wants: newKernel,
      faults: { 'sleeper-service': [awayFor(hourMs)] },
    });
    const first = await stage.run(...noUpdate);
    const away = await stage.run('status');
    await stage.pass(2 * hourMs);
    const back = await stage.run('status');
    const before = deeds(stage).length;
    const caught = await stage.run('run', '--catch-up', '--yes');
    const after = await stage.run('status');
    const nothing = await stage.run('run', '--catch-up', '--yes');
    const session = [first, away, back, caught, after, nothing].map(({ shown }) => shown).join('\n');
    await expect(session).toMatchFileSnapshot('./golden/catch-up.txt');
    expect([first, away, back, caught, after, nothing].map(({ exitCode }) => exitCode)).toEqual([
      3, 3, 0, 0, 0, 0,
    ]);
    // Only what was owed, and the machine that the others need before them.
    const { out: plan } = await stage.run('reboot', 'sleeper-service', '--dry-run');
    expect(plan).toContain('expected: about 40 s, as past runs took');
    expect(deeds(stage).slice(before)).toEqual([
      'sleeper-service activate',
      'sleeper-service reboot',
      'grey-area activate',
      'grey-area activate',
      'grey-area reboot',
    ]);
  });

  test('is brought up by the next ordinary run too', async () => {
    const stage = createStage({
      machines: [machineNamed('box', { delay: 0 }), machineNamed('other', { delay: 0 })],
      wants: { box: '6.12.11' },
      faults: { box: [awayFor(hourMs)] },
    });
    await stage.run(...noUpdate);
    expect(owedOn(stage)).toEqual(['box']);
    await stage.pass(hourMs);
    const report = await reportOf(stage, ...noUpdate);
    expect([report.exitCode, owedOn(stage), deeds(stage)]).toEqual([0, [], ['box activate', 'box reboot']]);
  });

  test('stays owed while it is away, since the first time; JSON has it all', async () => {
    const stage = createStage({
      machines: [machineNamed('box', { delay: 0, criticality: 'low' }), machineNamed('other')],
      wants: { box: '6.12.11' },
      faults: { box: [{ kind: 'offline' }] },
    });
    const first = await reportOf(stage, ...noUpdate);
    // Low criticality: the run is done, and still names what it left.
    expect([first.exitCode, first.owed.map(({ machine }) => machine)]).toEqual([0, ['box']]);
    await stage.pass(hourMs);
    const second = await reportOf(stage, 'run', '--catch-up', '--yes');
    expect([second.exitCode, second.result]).toEqual([1, 'failed']);
    const status = JSON.parse((await stage.run('status', '--json')).out);
    const owed = status.machines.find(
      ({ observation }: { observation: { machine: string } }) => observation.machine === 'box',
    ).owed;
    expect(owed).toMatchObject({
      run: 'RUN',
      runs: 2,
      at: first.owed[0]?.at,
      deploy: { toplevel: first.machines.find(({ machine }) => machine === 'box')?.to },
      reboot: { kind: 'by-policy' },
    });
    expect(status.owedUnknown).toBeNull();
  });

  test('is not known to be owed anything where the journal cannot be read, and status says so', async () => {
    const stage = createStage({
      machines: [machineNamed('box')],
      journal: (now) => ({
        ...createMemoryJournal(now),
        runs: () => {
          throw new JournalFailure('the journal is damaged', 'move it away');
        },
      }),
    });
    const { out, exitCode } = await stage.run('status');
    expect(exitCode).toBe(0);
    expect(out).toContain(
      '! what past runs left owed is not known: the journal is damaged\n      → move it away\n',
    );
    expect(JSON.parse((await stage.run('status', '--json')).out)).toMatchObject({
      machines: [{ owed: null }],
      owedUnknown: { kind: 'journal' },
    });
    // Whom to catch up with is not guessed.
    expect((await stage.run('run', '--catch-up', '--yes')).exitCode).not.toBe(0);
  });

  test('is owed nothing by a trial, by a plan nobody approved, or by a run that only looked', async () => {
    const stage = createStage({
      machines: [machineNamed('box'), machineNamed('other')],
      wants: { box: '6.12.11', other: '6.12.11' },
      faults: { box: [{ kind: 'offline' }] },
      interactive: true,
      answers: ['n'],
    });
    await stage.run('deploy', 'box', 'other', '--mode', 'test', '--yes');
    await stage.run('deploy', 'box', 'other', '--mode', 'dry-activate', '--yes');
    await stage.run('run', '--no-update', '--dry-run');
    await stage.run('run', '--no-update');
    expect(owedOn(stage)).toEqual([]);
  });
});

describe('a reboot asked for while the machine was away', () => {
  const stageWith = (machine: Machine) =>
    createStage({
      machines: [machine, machineNamed('other')],
      faults: { [machine.name]: [awayFor(hourMs)] },
    });

  test('is taken by the next run, though nothing else asks for it', async () => {
    const stage = stageWith(machineNamed('box', { delay: 0 }));
    await stage.run('reboot', 'box', '--yes');
    await stage.pass(hourMs);
    // A deployment reboots nothing, so it pays nothing of it.
    await stage.run('deploy-all', '--yes');
    expect([owedOn(stage), deeds(stage)]).toEqual([['box'], []]);
    await stage.run(...noUpdate);
    expect([owedOn(stage), deeds(stage)]).toEqual([[], ['box reboot']]);
  });

  test('of a critical machine is not: its name has to be given for that', async () => {
    const stage = stageWith(machineNamed('vault', { delay: 0, criticality: 'critical' }));
    await stage.run('reboot', 'vault', '--yes', '--confirm', 'vault');
    await stage.pass(hourMs);
    const { out } = await stage.run(...noUpdate);
    expect(out).toContain('and it is critical: `lab reboot vault` does it');
    expect([owedOn(stage), deeds(stage)]).toEqual([['vault'], []]);
    await stage.run('reboot', 'vault', '--yes', '--confirm', 'vault');
    expect([owedOn(stage), deeds(stage)]).toEqual([[], ['vault reboot']]);
  });
});

test('property: whoever was away when, once all are there one run more leaves nothing owed', async () => {
  const names = ['nas', 'app', 'web', 'box'];
  const needs: Record<string, string[]> = { app: ['nas'], web: ['app'] };
  await fc.assert(
    fc.asyncProperty(
      fc.record({
        away: fc.array(
          fc.record({
            name: fc.constantFrom(...names),
            at: fc.nat(3),
            hours: fc.integer({ min: 1, max: 3 }),
          }),
          { maxLength: 5 },
        ),
        catchUps: fc.array(fc.boolean(), { minLength: 3, maxLength: 3 }),
      }),
      async ({ away, catchUps }) => {
        const faults: Record<string, Fault[]> = {};
        for (const { name, at, hours } of away) {
          faults[name] ??= [];
          faults[name].push({ kind: 'away', atMs: at * 2 * hourMs, forMs: hours * hourMs });
        }
        const stage = createStage({
          machines: names.map((name) => machineNamed(name, { delay: 0, dependencies: needs[name] ?? [] })),
          wants: Object.fromEntries(names.map((name) => [name, '6.12.11'])),
          faults,
        });
        for (const catchUp of [false, ...catchUps]) {
          const owedBefore = new Set(owedOn(stage));
          const deedsBefore = deeds(stage).length;
          await stage.run('run', ...(catchUp ? ['--catch-up'] : ['--no-update']), '--yes');
          // Catching up touches nobody else.
          const touched = new Set(
            deeds(stage)
              .slice(deedsBefore)
              .map((deed) => deed.split(' ')[0] ?? ''),
          );
          if (catchUp) expect([...touched].filter((name) => !owedBefore.has(name))).toEqual([]);
          // Whoever has it not is owed it. Who has it may be owed it too: a machine that is away shows nothing.
          const behind = names.filter((name) => stage.world.look(name).booted.includes('old'));
          expect(owedOn(stage)).toEqual(expect.arrayContaining(behind));
          await stage.pass(2 * hourMs);
        }
        await stage.pass(6 * hourMs);
        await stage.run('run', '--catch-up', '--yes');
        expect(owedOn(stage)).toEqual([]);
        for (const name of names) expect(stage.world.look(name).booted).not.toContain('old');
      },
    ),
    { numRuns: 25 },
  );
});
