import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';

/** The whole program with its output on a file that has no room left, which /dev/full always is. */
test('an output that cannot be written is said, and is no success; nothing crashes over it', async () => {
  const full = openSync('/dev/full', 'w');
  onTestFinished(() => closeSync(full));
  const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
  const program = spawn(process.execPath, [main, 'config', '--example'], { stdio: ['ignore', full, 'pipe'] });
  let said = '';
  program.stderr?.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  const [code] = await once(program, 'close');
  expect(said).toMatch(/^lab: the output could not be written: ENOSPC[^\n]*\n$/u);
  expect(code).toBe(1);
});
