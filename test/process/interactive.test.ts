import { expect, test } from 'vitest';
import { runInteractive } from '../../src/process/interactive.ts';

test('an interactive program gives its exit code as a shell would', async () => {
  expect(await runInteractive(['sh', '-c', 'exit 9'])).toBe(9);
  expect(await runInteractive(['sh', '-c', 'kill -TERM $$'])).toBe(143);
  expect(await runInteractive(['no-such-program-of-ours'])).toBe(127);
});
