import { expect, test } from 'vitest';
import { returnsLeft } from '../../src/run/closure-gone.ts';
import { toplevelOf } from '../simulation/fleet.ts';

/** Where what was to be returned to is gone, whoever comes to help is told what is still there. */

const [gone, now] = [toplevelOf('box', 'gone'), toplevelOf('box', 'now')];
const at = (number: number, toplevel = toplevelOf('box', `g${number}`)) => ({
  number,
  toplevel,
  isCurrent: toplevel === now,
});

test('the generations that are left are named, the newest first, and the way to it', () => {
  expect(returnsLeft('box', gone, [at(9, now), at(8), at(7, gone), at(3)])).toBe(
    'generations that are still on it: 8, 3; `lab rollback box --to 8`',
  );
  const many = Array.from({ length: 40 }, (_, index) => at(50 - index));
  expect(returnsLeft('box', gone, many)).toContain('50, 49, 48, 47, 46 and 35 more');
});

test('where none is left, or none could be read, that is said', () => {
  expect(returnsLeft('box', gone, [at(9, now)])).toContain('no other generation is left on it');
  expect(returnsLeft('box', gone, null)).toContain('`lab generations box`');
});
