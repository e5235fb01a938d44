import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { runNix } from '../../src/nix-integration/nix-process.ts';
import { runProcess } from '../../src/process/run.ts';
import { livingWith, uniqueSeconds } from '../ssh/support/processes.ts';

test('a Nix that is ended leaves no git or ssh behind which waits for an input that never comes', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'lab-nix-'));
  const input = '{ inputs.never.url = "git+ssh://nowhere.invalid/never"; outputs = inputs: { }; }';
  writeFileSync(join(folder, 'flake.nix'), input);
  const sleep = `sleep ${uniqueSeconds()}`;
  const env = { GIT_SSH_COMMAND: `${sleep}; true`, XDG_CACHE_HOME: join(folder, 'cache') };
  const abort = new AbortController();
  const features = ['--extra-experimental-features', 'nix-command flakes'];
  const running = runNix(
    { runProcess, env },
    ['nix', ...features, 'flake', 'metadata', '--no-write-lock-file', `path:${folder}`],
    { deadlineMs: 120_000, signal: abort.signal },
  );
  await vi.waitFor(async () => expect(await livingWith(sleep)).not.toEqual([]), { timeout: 60_000 });
  abort.abort();
  expect((await running).result).toMatchObject({ cancelled: true });
  await vi.waitFor(async () => expect(await livingWith(sleep)).toEqual([]), { timeout: 20_000 });
  rmSync(folder, { recursive: true });
});
