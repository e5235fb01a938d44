import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
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
