import { spawn } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, expect, onTestFinished, test } from 'vitest';
import { lockHash } from '../../src/nix-integration/lock-file.ts';
import { lockHolds, restoreLock, writeLock } from '../../src/nix-integration/write-lock.ts';
import type { LockWrite } from '../../src/ports.ts';
import { runProcess } from '../../src/process/run.ts';
import { noSmallDisks, smallDisk } from '../journal/small-disk.ts';
import { failureOf, makeWorld, succeeded } from './world.ts';
import { textsOf } from './write-locks.ts';

/** flake.lock is written wholly or not at all, and comes back as it was. */

const world = makeWorld();
afterAll(world.remove);

const write = (path: string, previous: string | null, text: string): LockWrite => ({
  path,
  previous,
  text,
  movedHash: lockHash(text),
});

test('the new file has mode and owner of the old one, and so has the old one put back', async () => {
  const path = join(world.tree('plain', { 'flake.lock': 'old' }), 'flake.lock');
  chmodSync(path, 0o664);
  const move = write(path, 'old', 'new');
  expect(await lockHolds(path, move)).toEqual({ ok: true, value: 'previous' });
  succeeded(await writeLock(runProcess, move));
  expect([readFileSync(path, 'utf8'), statSync(path).mode & 0o777]).toEqual(['new', 0o664]);
  expect(await lockHolds(path, move)).toEqual({ ok: true, value: 'moved' });
  succeeded(await restoreLock(runProcess, path, move));
  succeeded(await restoreLock(runProcess, path, move));
  expect([readFileSync(path, 'utf8'), statSync(path).mode & 0o777]).toEqual(['old', 0o664]);
});

test('a symbolic link stays one; one that leads nowhere is refused', async () => {
  const folder = world.tree('linked', { 'shared/lab.lock': 'old', 'lab/flake.nix': '' });
  const path = join(folder, 'lab', 'flake.lock');
  symlinkSync('../shared/lab.lock', path);
  const move = write(path, 'old', 'new');
  succeeded(await writeLock(runProcess, move));
  expect(lstatSync(path).isSymbolicLink()).toBe(true);
  expect(readFileSync(join(folder, 'shared', 'lab.lock'), 'utf8')).toBe('new');
  succeeded(await restoreLock(runProcess, path, move));
  expect(readFileSync(join(folder, 'shared', 'lab.lock'), 'utf8')).toBe('old');
  rmSync(join(folder, 'shared'), { recursive: true });
  expect(failureOf(await writeLock(runProcess, write(path, null, 'new')))).toMatchObject({
    kind: 'lock-file',
    message: expect.stringContaining('a symbolic link that leads nowhere'),
  });
});

test('a file that somebody changed since is left alone', async () => {
  const path = join(world.tree('changed', { 'flake.lock': 'of somebody' }), 'flake.lock');
  const move = write(path, 'old', 'new');
  expect(failureOf(await writeLock(runProcess, move)).kind).toBe('lock-changed');
  expect(failureOf(await restoreLock(runProcess, path, move)).kind).toBe('lock-changed');
  expect(await lockHolds(path, move)).toEqual({ ok: true, value: 'other' });
  expect(readFileSync(path, 'utf8')).toBe('of somebody');
});

test('git holds the name of a new lock file, as with Nix, and none after it is taken back; what is ignored stays so', async () => {
  const folder = world.repository('tracked', { 'flake.nix': '' });
  const path = join(folder, 'flake.lock');
  const status = () => world.git(folder, 'status', '--porcelain', '--ignored');
  const move = write(path, null, '{}');
  succeeded(await writeLock(runProcess, move));
  expect(status()).toBe(' A flake.lock\n');
  succeeded(await restoreLock(runProcess, path, move));
  expect([status(), existsSync(path)]).toEqual(['', false]);
  // Killed between writing it and telling git: it is told the next time.
  writeFileSync(path, '{}');
  succeeded(await writeLock(runProcess, move));
  expect(status()).toBe(' A flake.lock\n');
  // What is staged or committed is not touched.
  world.git(folder, 'add', 'flake.lock');
  writeFileSync(path, 'new');
  succeeded(await restoreLock(runProcess, path, write(path, null, 'new')));
  expect(status()).toBe('AD flake.lock\n');
  world.git(folder, 'rm', '-q', '--cached', 'flake.lock');
  writeFileSync(join(folder, '.git', 'info', 'exclude'), 'flake.lock\n');
  succeeded(await writeLock(runProcess, move));
  expect(status()).toBe('!! flake.lock\n');
});

const script = new URL('write-locks.ts', import.meta.url).pathname;

test('killed at any moment, the file is one of the texts, whole; what the killed left is removed', async () => {
  const sizes = fc.array(fc.integer({ min: 1, max: 400_000 }), { minLength: 2, maxLength: 4 });
  const left: string[] = [];
  await fc.assert(
    fc.asyncProperty(sizes, fc.integer({ min: 0, max: 60 }), async (lengths, delayMs) => {
      const folder = world.tree('killed', {});
      rmSync(folder, { recursive: true, force: true });
      mkdirSync(folder);
      const path = join(folder, 'flake.lock');
      const texts = textsOf(lengths);
      const [first = ''] = texts;
      writeFileSync(path, first);
      const child = spawn(process.execPath, [script, path, JSON.stringify(lengths)], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const gone = new Promise((resolve) => child.once('exit', resolve));
      // From its first write on, it is killed as chance will have it.
      await new Promise((resolve) => child.stdout.once('data', resolve));
      await new Promise((resolve) => setTimeout(resolve, delayMs));
      child.kill('SIGKILL');
      await gone;
      const now = readFileSync(path, 'utf8');
      expect(texts.indexOf(now)).not.toBe(-1);
      left.push(...readdirSync(folder));
      succeeded(await restoreLock(runProcess, path, write(path, first, now)));
      expect(readFileSync(path, 'utf8') === first).toBe(true);
      expect(readdirSync(folder)).toEqual(['flake.lock']);
    }),
    { numRuns: 25 },
  );
  // Some were killed in the middle of a write, else this has shown nothing.
  expect(left).toContain('flake.lock.lab-new');
});

test.skipIf(noSmallDisks !== null)(
  'a full disk, and one that takes no writes, are named, and the old text stays',
  async () => {
    const disk = smallDisk(1024 * 1024);
    onTestFinished(disk.remove);
    const path = join(disk.path, 'flake.lock');
    writeFileSync(path, 'old');
    const move = write(path, 'old', 'new'.repeat(10_000));
    disk.fill();
    expect(failureOf(await writeLock(runProcess, move))).toMatchObject({
      kind: 'lock-no-room',
      message: `${path} cannot be written: the disk is full (ENOSPC).`,
    });
    disk.makeRoom();
    disk.remount('ro');
    expect(failureOf(await writeLock(runProcess, move))).toMatchObject({
      kind: 'lock-read-only',
      message: `${path} cannot be written: it, or its folder, is read-only (EROFS).`,
    });
    expect([readFileSync(path, 'utf8'), readdirSync(disk.path)]).toEqual(['old', ['flake.lock']]);
    disk.remount('rw');
    succeeded(await writeLock(runProcess, move));
    disk.remount('ro');
    expect(failureOf(await restoreLock(runProcess, path, move))).toMatchObject({
      kind: 'lock-read-only',
      message: `${path} cannot be put back: it, or its folder, is read-only (EROFS).`,
    });
    disk.remount('rw');
  },
);
