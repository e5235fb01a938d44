import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { leaveGitSurroundings } from '../../src/process/git-surroundings.ts';

test('what begins in a hook of one repository asks git about another as if it had begun elsewhere', () => {
  const folder = mkdtempSync(join(tmpdir(), 'lab-git-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  for (const name of ['hooked', 'flake']) execFileSync('git', ['init', '--quiet', join(folder, name)]);
  const inHook: Record<string, string | undefined> = {
    ...process.env,
    GIT_DIR: join(folder, 'hooked', '.git'),
    GIT_INDEX_FILE: join(folder, 'hooked', '.git', 'index'),
    GIT_SSH_COMMAND: 'ssh -v',
  };
  const topOf = (env: Record<string, string | undefined>): string =>
    execFileSync('git', ['-C', join(folder, 'flake'), 'rev-parse', '--absolute-git-dir'], {
      encoding: 'utf8',
      env,
    }).trim();
  expect(topOf(inHook)).toContain('hooked');
  leaveGitSurroundings(inHook);
  expect(topOf(inHook)).toContain('flake');
  expect(inHook.GIT_SSH_COMMAND).toBe('ssh -v');
});
