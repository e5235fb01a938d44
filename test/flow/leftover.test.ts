import { expect, test } from 'vitest';
import { fail, ok } from '../../src/failure.ts';
import type { Journal } from '../../src/journal/journal.ts';
import type { LockMove, Nix } from '../../src/ports.ts';
import { type RunState, replay } from '../../src/run/state.ts';
import { createMemoryJournal } from '../../src/sim/memory-journal.ts';
import { createStage, exampleMachines } from '../cli/stage.ts';

/**
 * The process dies after each single effect, be it on the journal or on flake.lock. Whatever it had come to, flake.lock is
 * never something that the journal does not know, and whoever comes next sets it right.
 */

class Killed extends Error {}

/** A disk with flake.lock on it and a journal, which outlive the process. `diesAfter`: how many effects it lives. */
const createDisk = () => {
  const memory = createMemoryJournal(() => 0);
  let text: string | null = 'old';
  let left = Number.POSITIVE_INFINITY;
  const effect = <T>(act: () => T): T => {
    if (left <= 0) throw new Killed();
    const result = act();
    left -= 1;
    if (left <= 0) throw new Killed();
    return result;
  };
  const holds = ({ previous, movedHash }: LockMove) =>
    text === previous ? 'previous' : `hash of ${text}` === movedHash ? 'moved' : 'other';
  const nix: Partial<Nix> = {
    proposeUpdate: async () =>
      ok({
        changes: [{ input: 'nixpkgs', kind: 'added', from: null, to: null }],
        notAsked: [],
        remark: null,
        write:
          text === 'new'
            ? null
            : { path: '/lab/flake.lock', previous: text, text: 'new', movedHash: 'hash of new' },
      }),
    writeLock: async (write) => {
      effect(() => {
        text = write.text;
      });
      return ok(undefined);
    },
    restoreLock: async (move) => {
      if (holds(move) === 'moved')
        effect(() => {
          text = move.previous;
        });
      return ok(undefined);
    },
    lockHolds: async (move) => ok(holds(move)),
  };
  const journal: Journal = {
    ...memory,
    append: (run, body) => effect(() => memory.append(run, body)),
    close: () => {},
  };
  const stage = (more: Partial<Nix>, interactive: boolean) =>
    createStage({
      machines: exampleMachines,
      wants: { 'grey-area': '6.12.11' },
      interactive,
      answers: ['no'],
      nix: { ...nix, ...more },
      journal: () => journal,
    });
  return {
    text: () => text,
    write: (other: string | null): void => {
      text = other;
    },
    /** All that is known of the run that was begun first. */
    first: (): RunState | null => {
      const run = memory.runs(10).at(-1)?.run;
      return run === undefined ? null : replay(memory.eventsOf(run));
    },
    /** One command, whose process lives for so many effects. */
    run: async (
      words: readonly string[],
      {
        effects = Number.POSITIVE_INFINITY,
        nix: more = {},
        interactive = true,
      }: { effects?: number; nix?: Partial<Nix>; interactive?: boolean } = {},
    ) => {
      left = effects;
      const said = await stage(more, interactive)
        .run(...words)
        .catch((error: unknown) => {
          if (!(error instanceof Killed)) throw error;
          return { shown: '', exitCode: null };
        });
      const died = left <= 0;
      left = Number.POSITIVE_INFINITY;
      return { ...said, died };
    },
  };
};

const pointsMax = 200;

/** Every way in which the command can die, each on a disk of its own, from its first effect to its last. */
const everyDeath = async (
  words: readonly string[],
  see: (disk: ReturnType<typeof createDisk>, point: string) => Promise<void>,
): Promise<number> => {
  for (let effects = 1; effects < pointsMax; effects += 1) {
    const disk = createDisk();
    const { died } = await disk.run(words, { effects });
    const known = disk.first()?.lock?.move;
    // Never moved without a record of what it was.
    if (disk.text() === 'new') expect(known, `after effect ${effects}`).toMatchObject({ previous: 'old' });
    await see(disk, `\`lab ${words.join(' ')}\` killed after effect ${effects}`);
    if (!died) return effects;
  }
  throw new Error('it does not come to an end');
};

test.for([
  ['declined', ['run'], ['run', '--yes', '--no-update']],
  ['declined', ['run'], ['resume']],
  ['approved', ['run', '--yes'], ['run', '--yes', '--no-update']],
  ['approved', ['run', '--yes'], ['resume']],
] as const)(
  'a run whose plan would be %s dies anywhere in `lab %s`: after `lab %s` flake.lock is what was approved',
  async ([, words, next]) => {
    let kept = 0;
    let undone = 0;
    const points = await everyDeath(words, async (disk, point) => {
      const wasMoved = disk.text() === 'new';
      await disk.run(next);
      const state = disk.first();
      expect(state?.ended, point).not.toBeNull();
      expect(disk.text(), point).toBe(state?.approvedAt == null ? 'old' : 'new');
      // What was put back is no longer told as moved.
      expect(state?.lock === null, point).toBe(disk.text() === 'old');
      if (disk.text() === 'new') kept += 1;
      else if (wasMoved) undone += 1;
    });
    // It died before the update, between its intent and the plan, and, where it was approved, beyond.
    expect(points).toBeGreaterThan(8);
    expect(undone).toBeGreaterThan(3);
    expect(kept > 0).toBe(words.includes('--yes' as never));
  },
);

test('`lab update` that dies anywhere: the record ends with what is, and nothing is taken back that was asked for', async () => {
  const ends = new Map<string, string>();
  await everyDeath(['update'], async (disk, point) => {
    const text = disk.text();
    await disk.run(['run', '--yes', '--no-update']);
    expect(disk.text(), point).toBe(text);
    const ended = disk.first()?.ended;
    expect(ended?.result, point).toBe(text === 'new' ? 'done' : 'interrupted');
    ends.set(ended?.reason ?? '', text ?? '');
  });
  expect(Object.fromEntries(ends)).toEqual({
    'its process died; flake.lock was not moved': 'old',
    'its process died; flake.lock had been moved': 'new',
    'no machine was touched': 'new',
  });
});

test('what somebody wrote into flake.lock after the process died stays, and the record says so', async () => {
  let seen = 0;
  await everyDeath(['run'], async (disk, point) => {
    if (disk.text() !== 'new') return;
    seen += 1;
    disk.write('of somebody else');
    await disk.run(['run', '--yes', '--no-update']);
    expect(disk.text(), point).toBe('of somebody else');
  });
  expect(seen).toBeGreaterThan(3);
});

/** A disk with a run on it that was approved, and whose process died then. */
const diskWithWork = async (effects = 1): Promise<ReturnType<typeof createDisk>> => {
  const disk = createDisk();
  await disk.run(['run', '--yes', '--no-update'], { effects });
  return disk.first()?.approvedAt == null ? diskWithWork(effects + 1) : disk;
};

test('an update leaves what was approved and not finished to who may want to go on with it', async () => {
  const disk = await diskWithWork();
  const { shown, exitCode } = await disk.run(['update']);
  expect(shown).toMatch(/run RUN was left unfinished[\s\S]*`lab resume` goes on with it/u);
  expect(exitCode).toBe(4);
  expect(disk.text()).toBe('old');
  expect(disk.first()?.ended).toBeNull();
  await disk.run(['resume']);
  expect(disk.first()?.ended?.result).toBe('done');
});

const broken = fail({
  kind: 'flake-syntax',
  machine: null,
  phase: 'evaluate',
  message: 'syntax error',
  remedy: 'repair it',
});

test('a slip of the pen closes nothing: what was left unfinished can still be gone on with', async () => {
  const disk = await diskWithWork();
  for (const [words, said] of [
    [['run', 'grey-aera', '--yes'], /grey-aera/u],
    [['deploy', '@nosuch', '--yes'], /nosuch/u],
    [['run', '--yes', '--override', 'nosuch:inhibited'], /nosuch/u],
    [['reboot', 'reverse-proxy', '--yes'], /reverse-proxy is critical[\s\S]*--confirm reverse-proxy/u],
    [['rollback', 'grey-aera', '--yes'], /grey-aera/u],
    [['rollback', '@infrastructure', '--to', '40', '--yes'], /--to means one machine/u],
  ] as const) {
    const { shown, exitCode } = await disk.run(words, { interactive: false });
    expect(shown, words.join(' ')).toMatch(said);
    expect(shown, words.join(' ')).not.toContain('begins in its place');
    expect(exitCode, words.join(' ')).toBe(2);
    expect(disk.first()?.ended, words.join(' ')).toBeNull();
  }
  expect((await disk.run(['run', '--yes'], { nix: { evaluate: async () => broken } })).exitCode).toBe(2);
  expect(disk.first()?.ended).toBeNull();
  await disk.run(['resume']);
  expect(disk.first()?.ended?.result).toBe('done');
});

test('a lock that nobody approved and that breaks the flake is put back by the run that begins next', async () => {
  const disk = createDisk();
  const breaks: Partial<Nix> = {
    evaluate: async () =>
      disk.text() === 'new'
        ? broken
        : ok({ fleet: { machines: exampleMachines, failed: [] }, discrepancies: [] }),
  };
  for (let effects = 1; disk.text() === 'old'; effects += 1)
    await disk.run(['run', '--yes'], { effects, nix: breaks });
  const { exitCode, shown } = await disk.run(['run', '--yes', '--no-update'], { nix: breaks });
  expect(exitCode, shown).toBe(0);
  expect(disk.text()).toBe('old');
});

test('a run that was stopped is resumed also after an update, which touched no machine', async () => {
  const stage = createStage({ machines: exampleMachines, wants: { 'grey-area': '6.12.11' } });
  stage.at(3_000, () => stage.askLatest('stop'));
  expect((await stage.run('run', '--yes', '--no-update')).exitCode).toBe(130);
  expect((await stage.run('update')).exitCode).toBe(0);
  const { shown, exitCode } = await stage.run('resume');
  expect(exitCode, shown).toBe(0);
  expect(shown).toContain('resumed by process');
  expect((await stage.run('journal', '--runs')).out).toMatch(/update +cli +done: nothing moved/u);
});
