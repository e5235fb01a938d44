import { expect, test } from 'vitest';
import { withoutPasswords } from '../../src/text/passwords.ts';

test.each([
  ['git+https://me:s3cret@git.lan/lab.git?ref=main', 'git+https://me:...@git.lan/lab.git?ref=main'],
  [
    "fatal: unable to access 'https://me:s3cret@git.lan/': no",
    "fatal: unable to access 'https://me:...@git.lan/': no",
  ],
  ['https://ghp_0123456789@github.com/a/b', 'https://...@github.com/a/b'],
  ['git+https://oauth2:a:b@x and http://u:p@y', 'git+https://oauth2:...@x and http://u:...@y'],
])('%s is shown as %s', (text, shown) => {
  expect(withoutPasswords(text)).toBe(shown);
});

test.each([
  'ssh://git@git.lan:2222/lab.git',
  'git+ssh://git@git.lan/lab',
  'https://git.lan:8443/a@b',
  'github:me/lab',
  '/etc/nixos',
  'a.service: failed at 12:30:00, mail root@localhost',
  'http://[fe80::1]:8080/',
])('%s is shown as it is', (text) => {
  expect(withoutPasswords(text)).toBe(text);
});
