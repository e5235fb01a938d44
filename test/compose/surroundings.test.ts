import { expect, test } from 'vitest';
import { cacheDirectoryOf, stateDirectoryOf } from '../../src/compose/surroundings.ts';

test('state and cache are where the environment says, and never in whatever folder lab is started in', () => {
  const at = (env: Record<string, string>) => [stateDirectoryOf(env), cacheDirectoryOf(env)];
  const home = { HOME: '/home/amy' };
  const usual = ['/home/amy/.local/state/lab', '/home/amy/.cache/lab'];
  expect(at(home)).toEqual(usual);
  expect(at({ ...home, XDG_STATE_HOME: '/state', XDG_CACHE_HOME: '/cache' })).toEqual([
    '/state/lab',
    '/cache/lab',
  ]);
  for (const none of ['', 'state', './state', '~/state'])
    expect(at({ ...home, XDG_STATE_HOME: none, XDG_CACHE_HOME: none }), none).toEqual(usual);
  expect(stateDirectoryOf({ ...home, STATE_DIRECTORY: '/var/lib/lab:/var/lib/other' })).toBe('/var/lib/lab');
  expect(stateDirectoryOf({ ...home, LAB_STATE_DIR: '/elsewhere', XDG_STATE_HOME: '/state' })).toBe(
    '/elsewhere',
  );
});
