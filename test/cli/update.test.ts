import { describe, expect, test } from 'vitest';
import { fail, ok } from '../../src/failure.ts';
import type { LockMove, LockUpdate, Nix } from '../../src/ports.ts';
import { createStage, exampleMachines } from './stage.ts';

/** What `lab` says of flake.lock, and what it does to it. */

const nothingAsked: LockUpdate = {
  changes: [],
  notAsked: ['nixpkgs'],
  remark: 'nothing was asked: every input is overridden (nixpkgs)',
};
const moved = [
  {
    input: 'nixpkgs',
    kind: 'added' as const,
    from: null,
    to: { url: 'x', rev: null, lastModified: null },
  },
];
const answering = (told: LockUpdate): Partial<Nix> => ({
  proposeUpdate: async () =>
    ok({
      ...told,
      write:
        told.changes.length === 0
          ? null
          : { path: '/flake.lock', previous: 'old', text: 'new', movedHash: 'new' },
    }),
});
const somebodyElses: Partial<Nix> = {
  restoreLock: async () =>
    fail({
      kind: 'lock-changed',
      machine: null,
      phase: 'update',
      message: 'flake.lock is no longer what lab wrote',
      remedy: 'restore it with git',
    }),
};

describe('an update that asks nothing', () => {
  test('does not claim that the inputs are the newest', async () => {
    const stage = createStage({ machines: exampleMachines, nix: answering(nothingAsked) });
    for (const words of [['update'], ['update', '--dry-run'], ['run', '--dry-run'], ['run', '--yes']]) {
      const { out } = await stage.run(...words);
      expect(out, words.join(' ')).toContain('nothing was asked: every input is overridden (nixpkgs)');
      expect(out, words.join(' ')).not.toContain('already the newest');
    }
    expect(JSON.parse((await stage.run('update', '--json')).out)).toMatchObject(nothingAsked);
  });

  test('of some inputs says which, beside what moved', async () => {
    const told = { changes: moved, notAsked: ['two'], remark: 'not asked, because overridden: two' };
    const { out } = await createStage({ machines: exampleMachines, nix: answering(told) }).run('update');
    expect(out).toContain('1 input moves');
    expect(out).toContain('not asked, because overridden: two');
  });

  test('because the input is unknown is an error of use', async () => {
    const failure = {
      kind: 'unknown-input',
      machine: null,
      phase: 'update',
      message: 'no such input',
      remedy: '',
    };
    const stage = createStage({ machines: [], nix: { proposeUpdate: async () => fail(failure) } });
    expect((await stage.run('update', 'nosuch')).exitCode).toBe(2);
  });
});

describe('a lock file that somebody changed after the update', () => {
  test('stays as it is when the plan is declined, and the report says so', async () => {
    const stage = createStage({
      machines: exampleMachines,
      wants: { 'grey-area': '6.12.11' },
      interactive: true,
      answers: ['no'],
      lockChanges: moved,
      nix: somebodyElses,
    });
    const { shown } = await stage.run('run');
    expect(shown).toContain('flake.lock could not be put back: flake.lock is no longer what lab wrote');
    expect(shown).not.toContain('was put back as it was');
  });

  test('stays as it is when the update breaks a build, and the remedy names git', async () => {
    const stage = createStage({
      machines: exampleMachines,
      lockChanges: moved,
      nix: {
        ...somebodyElses,
        build: async () => ({
          built: [],
          failed: [
            { kind: 'build', machine: 'grey-area', phase: 'build', message: 'failed', remedy: 'see the log' },
          ],
        }),
      },
    });
    const { shown } = await stage.run('run', '--yes');
    expect(shown).toContain('nothing was touched, but flake.lock could not be put back');
    expect(shown).toContain('For flake.lock: restore it with git');
    expect(shown).not.toContain('flake.lock was put back');
  });

  test('is compared with what the record says lab wrote, also by the process that resumes', async () => {
    const asked: LockMove[] = [];
    const stage = createStage({
      machines: exampleMachines,
      nix: {
        restoreLock: async (move) => {
          asked.push(move);
          return ok(undefined);
        },
      },
    });
    await stage.leaveUnfinished();
    stage.journal.append('20261119-040000-dead', {
      kind: 'lock-moved',
      path: '/lab/flake.lock',
      changes: moved,
      previous: 'the old text',
      movedHash: 'hash of the new',
    });
    await stage.run('resume');
    expect(asked).toEqual([
      { path: '/lab/flake.lock', previous: 'the old text', movedHash: 'hash of the new' },
    ]);
  });
});
