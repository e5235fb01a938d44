import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { signOfLife, startDetached } from '../../src/process/detached.ts';

/** What a program that is to outlive its starter says first, and how long that may take. */

let place = '';
beforeEach(() => {
  place = mkdtempSync(join(tmpdir(), 'lab-detached-'));
});
afterEach(() => rmSync(place, { recursive: true, force: true }));

const started = (script: string, deadlineMs: number, stdin = '') =>
  startDetached(['sh', '-c', script, 'sh', join(place, 'went-on')], {
    stdin,
    logPath: join(place, 'log'),
    deadlineMs,
  });

test('one that shows that it lives gets its time for each sign, and its answer is heard', async () => {
  const busy = `for i in 1 2 3 4 5 6 7 8 9 10; do echo '${signOfLife}'; sleep 0.5; done; echo begun; echo more`;
  expect(await started(busy, 3_000)).toEqual({ ok: true, value: 'begun' });
});

test('one that shows nothing is ended, and told as not started', async () => {
  const silent = `echo '${signOfLife}'; sleep 30; touch "$1"`;
  expect(await started(silent, 1_000)).toEqual({ ok: false, failure: 'it did not answer in time' });
  expect(existsSync(join(place, 'went-on'))).toBe(false);
});

test('one that ends with nothing but signs has said nothing', async () => {
  expect(await started(`echo '${signOfLife}'`, 20_000)).toEqual({ ok: false, failure: 'it ended at once' });
});

test('one that does not read what it is told is heard all the same, and so is its end', async () => {
  const long = 'x'.repeat(1_000_000);
  expect(await started('exec <&-; sleep 0.5; echo begun', 20_000, long)).toEqual({
    ok: true,
    value: 'begun',
  });
  expect(await started('exec <&-; sleep 0.5', 20_000, long)).toEqual({
    ok: false,
    failure: 'it ended at once',
  });
});

test('one that has answered goes on, though its starter was stopped (Ctrl-Z) until long after its time', async () => {
  const deadlineMs = 8_000;
  const module = fileURLToPath(new URL('../../src/process/detached.ts', import.meta.url));
  const program =
    'touch "$1.runs"; until [ -e "$1.go" ]; do sleep 0.1; done; echo begun; until [ -e "$1.end" ]; do sleep 0.1; done; touch "$1"';
  const wentOn = join(place, 'went-on');
  const script = `
    const { startDetached } = await import(${JSON.stringify(module)});
    const argv = ['sh', '-c', ${JSON.stringify(program)}, 'sh', ${JSON.stringify(wentOn)}];
    const log = ${JSON.stringify(join(place, 'log'))};
    console.log(JSON.stringify(await startDetached(argv, { stdin: '', logPath: log, deadlineMs: ${deadlineMs} })));
  `;
  const starter = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void starter.kill('SIGKILL'));
  const said = once(starter.stdout, 'data');
  await vi.waitFor(() => expect(existsSync(`${wentOn}.runs`)).toBe(true), { timeout: 30_000 });
  starter.kill('SIGSTOP');
  writeFileSync(`${wentOn}.go`, '');
  await setTimeout(deadlineMs + 500);
  starter.kill('SIGCONT');
  expect(JSON.parse(String((await said)[0]))).toEqual({ ok: true, value: 'begun' });
  writeFileSync(`${wentOn}.end`, '');
  await vi.waitFor(() => expect(existsSync(wentOn)).toBe(true), { timeout: 30_000 });
});
