import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { acquireRunLock, lookAtRunLock } from '../../src/journal/lock.ts';

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
  expect(lookAtRunLock(directory)).toEqual({ held: true, holder });
  child.kill('SIGKILL');
  await once(child, 'exit');
  expect(lookAtRunLock(directory)).toEqual({ held: false });
  const free = acquireRunLock(directory, holder);
  expect(free.ok).toBe(true);
  if (free.ok) free.value.release();
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
  expect(lookAtRunLock(directory)).toEqual({ held: true, holder });
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
});
