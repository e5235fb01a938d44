import { expect, test } from 'vitest';
import { isRootRefused } from '../../src/remote/no-root.ts';

const result = (code: number | null, stderr: string, stdout = '') => ({
  code,
  signal: code === null ? 'KILL' : null,
  stdout,
  stderr,
  truncated: false,
});

test.each([
  [1, 'sudo: a password is required'],
  [1, 'sudo: Ein Passwort ist notwendig'],
  [1, 'sudo: no valid sudoers sources found, quitting'],
  [1, 'sudo: /usr/bin/sudo must be owned by uid 0 and have the setuid bit set'],
  [1, 'lab is not in the sudoers file.'],
  [1, "Sorry, user lab is not allowed to execute '/bin/sh -c …' as root on nas."],
  [127, 'bash: line 1: sudo: command not found'],
])('root is refused: exit %i, %s', (code, stderr) => {
  expect(isRootRefused('settle', result(code, stderr))).toBe(true);
});

test.each([
  ['a script that began, and named sudo in what it did', result(1, 'sudo: oh', 'lab-settle\n')],
  ['a script that ended well, with a remark of sudo', result(0, 'sudo: unable to resolve host nas')],
  ['one that a signal ended', result(null, 'sudo: killed')],
  ['a shell without memory', result(254, 'sh: fork: Cannot allocate memory')],
])('it is not by %s', (_what, given) => {
  expect(isRootRefused('settle', given)).toBe(false);
});
