import { expect, test } from 'vitest';
import { outcomeOf } from '../../src/remote/activation-unit.ts';
import { tellingLine } from '../../src/remote/telling-line.ts';

test.each<[string, readonly string[], string | null]>([
  [
    'a profile that cannot be written',
    [
      "error: opening lock file '/nix/var/nix/profiles/system.lock': Read-only file system",
      'returning to /nix/store/a-nixos-system',
      'returned to /nix/store/a-nixos-system',
    ],
    "error: opening lock file '/nix/var/nix/profiles/system.lock': Read-only file system",
  ],
  [
    'a boot loader, whose cause stands before its last word',
    [
      'Traceback (most recent call last):',
      "OSError: [Errno 30] Read-only file system: '/boot/loader/entries'",
      'Failed to install bootloader',
    ],
    "OSError: [Errno 30] Read-only file system: '/boot/loader/entries'",
  ],
  [
    'a trouble of no known cause',
    ['activating the configuration...', 'Activation script snippet users failed (1)', 'setting up /etc...'],
    'Activation script snippet users failed (1)',
  ],
  [
    'what we and switch-to-configuration say in summary',
    ['could not return to /nix/store/a', 'warning: error(s) occurred while switching'],
    null,
  ],
  ['nothing', [], null],
])('of %s', (_what, log, told) => {
  expect(tellingLine(log)).toBe(told);
});

test('it stands in the reason of an activation that failed, and is not said twice', () => {
  const log = ['mkdir: cannot create directory: No space left on device'];
  expect(outcomeOf(2, 'switch', log, [], true)).toMatchObject({
    message: 'the activation script failed: mkdir: cannot create directory: No space left on device',
    log,
  });
  expect(outcomeOf(2, 'switch', [], [], true)).toMatchObject({ message: 'the activation script failed' });
});
