import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test, vi } from 'vitest';
import { tellCrash } from '../../src/compose/crash.ts';
import { fakeSession } from '../tui/fixtures/fake-session.ts';
import { liveSnapshot, runId } from '../tui/fixtures/runs.ts';

const signals = { stop: new AbortController().signal, abort: new AbortController().signal };

test('a screen that broke leaves a report, says where it is, and that the run goes on', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'lab-crash-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const told: string[] = [];
  const stderr = vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    told.push(String(text));
    return true;
  });
  onTestFinished(() => stderr.mockRestore());
  const around = {
    env: { LAB_STATE_DIR: folder, TERM: 'xterm' },
    cwd: '/',
    version: '1.2.3',
    installation: '/',
    engineArgv: [],
    signals,
  };
  const answer = await tellCrash(new RangeError('a defect'), fakeSession(liveSnapshot).session, around);
  // Nobody can be asked here: the tests have no terminal.
  expect(answer).toBe('leave');
  const [name = ''] = readdirSync(join(folder, 'reports'));
  const path = join(folder, 'reports', name);
  const report = readFileSync(path, 'utf8');
  expect(report).toContain('lab 1.2.3');
  expect(report).toContain('RangeError: a defect');
  expect(report).toContain(`run ${runId}`);
  expect(report, 'what machines said stays out of it').not.toContain('sleeper-service');
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(told.join('')).toContain(path);
  expect(told.join('')).toContain('The run goes on in its own process');
});

test('where no report can be written it still says what happened', async () => {
  const told: string[] = [];
  const stderr = vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    told.push(String(text));
    return true;
  });
  onTestFinished(() => stderr.mockRestore());
  const around = {
    // A file, where a folder is wanted.
    env: { LAB_STATE_DIR: fileURLToPath(import.meta.url) },
    cwd: '/',
    version: '1',
    installation: '/',
    engineArgv: [],
    signals,
  };
  await tellCrash(new Error('a defect'), fakeSession(liveSnapshot).session, around);
  expect(told.join('')).toContain('a defect');
  expect(told.join('')).toContain('No report could be written');
});
