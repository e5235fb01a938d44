import { expect, test } from 'vitest';
import { isBootId, isToplevel } from '../../src/remote/names.ts';
import { bootIdOf, createRandom, storePath } from '../../src/sim/random.ts';

test('equal seeds give equal numbers, neighbours do not', () => {
  const draw = (seed: number): readonly number[] => {
    const random = createRandom(seed);
    return Array.from({ length: 5 }, () => random.next());
  };
  expect(draw(1)).toEqual(draw(1));
  const firsts = Array.from({ length: 1_000 }, (_, seed) => draw(seed)[0] ?? 0);
  expect(new Set(firsts).size).toBe(1_000);
  const mean = firsts.reduce((sum, number) => sum + number, 0) / firsts.length;
  expect(Math.abs(mean - 0.5)).toBeLessThan(0.03);
});

test('draws stay within what was asked for, both ends included', () => {
  const random = createRandom(5);
  const drawn = new Set(Array.from({ length: 500 }, () => random.between(3, 6)));
  expect([...drawn].sort()).toEqual([3, 4, 5, 6]);
  expect(() => random.pick([])).toThrow(RangeError);
});

test('a fork is not shifted by what its origin draws', () => {
  const [one, two] = [createRandom(9), createRandom(9)];
  two.next();
  expect(one.fork('network').next()).toBe(two.fork('network').next());
  expect(one.fork('network').next()).not.toBe(one.fork('nix').next());
});

test('simulated paths and boot ids have the form of real ones', () => {
  expect(isToplevel(storePath('box new', 'nixos-system-box-26.05'))).toBe(true);
  expect(isBootId(bootIdOf('box', 3))).toBe(true);
  expect(bootIdOf('box', 3)).not.toBe(bootIdOf('box', 4));
});
