import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { type Journal, JournalFailure } from '../../src/journal/journal.ts';
import { acquireRunLock, isExecuting, journalUnder, lookAtRunLock } from '../../src/journal/lock.ts';

let directory = '';
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'lab-lock-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const holder = { pid: 42, run: '20261120-234101-3fa9', host: 'desk', since: Date.UTC(2026, 10, 20) };

test('a second run is refused and told who holds the lock, until it is released', () => {
  const first = acquireRunLock(directory, holder);
  if (!first.ok) throw new Error(first.failure.message);
  expect(acquireRunLock(directory, { ...holder, pid: 43 })).toMatchObject({
    ok: false,
    failure: { kind: 'locked', message: expect.stringContaining('pid 42 on desk') },
  });
  first.value.release();
  const second = acquireRunLock(directory, { ...holder, pid: 43 });
  expect(second.ok).toBe(true);
  if (second.ok) second.value.release();
});

test('the lock of a process that is killed is free at once', async () => {
  const module = fileURLToPath(new URL('../../src/journal/lock.ts', import.meta.url));
  const script = `
    const { acquireRunLock } = await import(${JSON.stringify(module)});
    const lock = acquireRunLock(${JSON.stringify(directory)}, ${JSON.stringify(holder)});
    console.log(lock.ok ? 'held' : 'refused');
    setInterval(() => {}, 1000);
  `;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [said] = await once(child.stdout, 'data');
  expect(String(said).trim()).toBe('held');
  expect(acquireRunLock(directory, holder)).toMatchObject({ ok: false, failure: { kind: 'locked' } });
  expect(lookAtRunLock(directory)).toMatchObject({ held: true, holder });
  child.kill('SIGKILL');
  await once(child, 'exit');
  expect(lookAtRunLock(directory)).toEqual({ held: false });
  const free = acquireRunLock(directory, holder);
  expect(free.ok).toBe(true);
  if (free.ok) free.value.release();
});

describe('whether a run is executed', () => {
  const { run } = holder;
  const alive = (host: string): boolean => isExecuting(directory, run, host);
  const held = () => {
    const lock = acquireRunLock(directory, holder);
    if (!lock.ok) throw new Error(lock.failure.message);
    return lock.value;
  };
  /** As its process left it when it was killed. */
  const named = (): string => {
    const lock = held();
    const text = readFileSync(join(directory, 'lock-holder.json'), 'utf8');
    lock.release();
    return text;
  };

  test('is told by the lock while it is held, and not of another run', () => {
    const lock = held();
    expect([alive('desk'), alive('renamed')]).toEqual([true, true]);
    expect(isExecuting(directory, '20260101-000000-0000', 'desk')).toBe(false);
    lock.release();
    expect([alive('desk'), alive('renamed')]).toEqual([false, false]);
  });

  test('is not for one that was killed here, though the host has another name since', () => {
    writeFileSync(join(directory, 'lock-holder.json'), named());
    expect([alive('desk'), alive('renamed')]).toEqual([false, false]);
  });

  test('cannot be told of one on another machine, which counts as alive, whatever that is called', () => {
    const elsewhere = { ...JSON.parse(named()), machine: 'of another one' };
    writeFileSync(join(directory, 'lock-holder.json'), JSON.stringify(elsewhere));
    const aliveOnNfs = (host: string): boolean => isExecuting(directory, run, host, () => true);
    expect([aliveOnNfs('desk'), aliveOnNfs('other'), alive('other')]).toEqual([true, true, true]);
    expect(isExecuting(directory, '20260101-000000-0000', 'other')).toBe(false);
  });

  test('is not for one that was killed here, though the machine-id was made anew since, as at each boot without an /etc', () => {
    const before = { ...JSON.parse(named()), machine: 'as it was called in the boot before' };
    writeFileSync(join(directory, 'lock-holder.json'), JSON.stringify(before));
    expect(alive('desk')).toBe(false);
  });

  test('goes by the name of the host where nothing else is known', () => {
    writeFileSync(join(directory, 'lock-holder.json'), JSON.stringify(holder));
    expect([alive('desk'), alive('other')]).toEqual([false, true]);
  });
});

test('a state directory that cannot be made is an error that names it', () => {
  const file = join(directory, 'a-file');
  writeFileSync(file, '');
  const got = acquireRunLock(join(file, 'state'), holder);
  expect(got).toMatchObject({
    ok: false,
    failure: { kind: 'state-directory', message: expect.stringContaining(file) },
  });
});

test('looking whether it is held takes nothing, writes nothing, and disturbs nobody', () => {
  expect(lookAtRunLock(directory)).toEqual({ held: false });
  expect(readdirSync(directory)).toEqual([]);
  const lock = acquireRunLock(directory, holder);
  if (!lock.ok) throw new Error(lock.failure.message);
  expect(lookAtRunLock(directory)).toMatchObject({ held: true, holder });
  expect(acquireRunLock(directory, { ...holder, pid: 43 }).ok).toBe(false);
  lock.value.release();
  expect(lookAtRunLock(directory)).toEqual({ held: false });
});

test('a lock that cannot be looked at is not taken for free', () => {
  writeFileSync(
    join(directory, 'lock.db'),
    'no database at all, and long enough to tell it from one\n'.repeat(20),
  );
  expect(lookAtRunLock(directory)).toEqual({ held: true, holder: null });
  // Nor is anybody left to guess what to do about it: more room would not help.
  expect(acquireRunLock(directory, holder)).toMatchObject({
    ok: false,
    failure: {
      kind: 'state-directory',
      message: expect.stringContaining(`${join(directory, 'lock.db')} is damaged`),
      remedy: expect.stringMatching(/remove it/u),
    },
  });
});

describe('the file of a lock that somebody removes while it is held', () => {
  /** A process that holds the lock and says, asked for it, whether it still does. */
  const holderProcess = async () => {
    const module = fileURLToPath(new URL('../../src/journal/lock.ts', import.meta.url));
    const script = `
      const { acquireRunLock } = await import(${JSON.stringify(module)});
      const lock = acquireRunLock(${JSON.stringify(directory)}, { ...${JSON.stringify(holder)}, pid: process.pid });
      console.log(lock.ok);
      process.stdin.on('data', (asked) => {
        if (String(asked) === 'release') lock.value.release();
        console.log(lock.value.keep());
      });
    `;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    onTestFinished(() => void child.kill('SIGKILL'));
    const answer = async (): Promise<string> => String((await once(child.stdout, 'data'))[0]).trim();
    expect(await answer()).toBe('true');
    return {
      child,
      ask: (what: 'keep' | 'release'): Promise<string> => {
        child.stdin.write(what);
        return answer();
      },
    };
  };
  const path = (): string => join(directory, 'lock.db');

  test('lets nobody else in while its holder runs, and is free once that has ended', async () => {
    const { child, ask } = await holderProcess();
    rmSync(path());
    expect(lookAtRunLock(directory)).toMatchObject({ held: true, holder: { pid: child.pid } });
    expect(acquireRunLock(directory, { ...holder, pid: 43 })).toMatchObject({
      ok: false,
      failure: { kind: 'locked', message: expect.stringContaining(`pid ${child.pid} on desk`) },
    });
    // It takes it again, and nothing is left of what was done to it.
    expect(await ask('keep')).toBe('true');
    rmSync(join(directory, 'lock-holder.json'));
    expect(acquireRunLock(directory, { ...holder, pid: 43 }).ok).toBe(false);
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(lookAtRunLock(directory)).toEqual({ held: false });
    const free = acquireRunLock(directory, holder);
    expect(free.ok).toBe(true);
    if (free.ok) free.value.release();
  });

  test('and what says who holds it: whoever holds it learns that it is lost, and takes nothing from who comes next', async () => {
    const { ask } = await holderProcess();
    for (const file of readdirSync(directory)) rmSync(join(directory, file));
    const next = acquireRunLock(directory, { ...holder, run: '20261120-234102-0000' });
    expect(next.ok).toBe(true);
    expect(await ask('keep')).toBe('false');
    await ask('release');
    expect(lookAtRunLock(directory)).toMatchObject({ held: true, holder: { run: '20261120-234102-0000' } });
    if (next.ok) next.value.release();
  });

  test('a lock that was given back names nobody, though its process goes on', async () => {
    const { ask } = await holderProcess();
    expect(await ask('keep')).toBe('true');
    await ask('release');
    expect(lookAtRunLock(directory)).toEqual({ held: false });
    const next = acquireRunLock(directory, holder);
    expect(next.ok).toBe(true);
    if (next.ok) next.value.release();
  });

  test('a run whose lock is lost writes no more, and hears nothing', () => {
    const written: string[] = [];
    const journal = {
      append: () => void written.push('appended'),
      asked: () => [],
      eventsOf: () => [],
    } as unknown as Journal;
    const got = acquireRunLock(directory, holder);
    if (!got.ok) throw new Error(got.failure.message);
    const under = journalUnder(journal, () => got.value);
    under.append('20261120-234101-3fa9', { kind: 'look-begun', moment: 'end' });
    rmSync(directory, { recursive: true });
    expect(() => under.append('20261120-234101-3fa9', { kind: 'look-begun', moment: 'end' })).toThrow(
      /lock of the run was removed/u,
    );
    expect(() => under.asked('20261120-234101-3fa9', 0)).toThrow(JournalFailure);
    expect(under.eventsOf('20261120-234101-3fa9')).toEqual([]);
    expect(written).toEqual(['appended']);
    got.value.release();
  });
});
