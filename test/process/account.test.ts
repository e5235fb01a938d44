import { expect, test } from 'vitest';
import { account } from '../../src/process/account.ts';

/** Users without a name: a container started for a number, a system that has lost its name service. */

test('a user without a name is called by its number, and has no home', () => {
  const nameless = account(() => {
    throw new Error('ENOENT: no such file or directory, uv_os_get_passwd');
  });
  expect(nameless).toEqual({
    username: `uid-${process.getuid?.()}`,
    homedir: '/',
    uid: process.getuid?.(),
  });
});
