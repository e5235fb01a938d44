import { expect, test } from 'vitest';
import { leaseScript } from '../../src/remote/lease.ts';
import { observeScript } from '../../src/remote/observe.ts';
import { preflightScript } from '../../src/remote/preflight.ts';
import { notStarted } from '../../src/ssh/exec-errors.ts';
import type { Limit } from '../../src/ssh/limit.ts';
import { sshLimitsDefault } from '../../src/ssh/limits.ts';

const limit: Limit = {
  deadlineMs: 10_000,
  signal: new AbortController().signal,
  why: () => 'deadline',
  remainingMs: () => 0,
  end: () => {},
};
const saidOf = (argv: readonly string[]): string =>
  notStarted({ label: 'nas', argv }, limit, sshLimitsDefault, false).message;

test('a script of lab is called by its name, and any other command as it is', () => {
  expect(saidOf(['sh', '-c', observeScript])).toContain('nas did not start `lab-observe` within');
  expect(saidOf(['sudo', '-n', 'sh', '-c', leaseScript, 'sh', 'take'])).toContain('`lab-lease`');
  expect(saidOf(['sh', '-c', preflightScript])).toContain('`lab-preflight`');
  expect(saidOf(['nix', 'path-info'])).toContain('`nix path-info`');
});
