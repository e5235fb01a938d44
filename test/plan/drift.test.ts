import { describe, expect, test } from 'vitest';
import { driftOf, rebootNeed } from '../../src/plan/drift.ts';
import { partsWith, toplevelOf } from '../simulation/fleet.ts';
import { kernels, notSeen, seen } from './input.ts';

describe('what only a reboot would change', () => {
  const old = partsWith(kernels.old);

  test('nothing, between equal parts', () => {
    expect(rebootNeed(old, { ...old })).toEqual({ reasons: [], unknown: [] });
  });

  test.each<[string, Partial<typeof old>, readonly string[]]>([
    ['kernel', { kernel: partsWith('6.12.11').kernel }, ['kernel 6.12.10 → 6.12.11']],
    [
      'a rebuilt kernel of the same version',
      { kernel: '/nix/store/00000000000000000000000000000000-linux-6.12.10/bzImage' },
      ['kernel changed'],
    ],
    [
      'initrd',
      { initrd: '/nix/store/00000000000000000000000000000000-initrd-linux/initrd' },
      ['initrd changed'],
    ],
    ['modules', { modules: partsWith('6.12.11').modules }, ['kernel modules 6.12.10 → 6.12.11']],
    ['parameters', { params: 'quiet' }, ['kernel parameters changed']],
    [
      'systemd',
      { systemd: '/nix/store/00000000000000000000000000000000-systemd-258.1' },
      ['systemd 257 → 258.1'],
    ],
  ])('%s', (_name, change, reasons) => {
    expect(rebootNeed(old, { ...old, ...change })).toEqual({ reasons, unknown: [] });
  });

  test('the kernel comes first, and what cannot be compared is no reason but is said', () => {
    const next = { ...partsWith('6.12.11'), initrd: null, params: null };
    expect(rebootNeed(old, next)).toEqual({
      reasons: ['kernel 6.12.10 → 6.12.11', 'kernel modules 6.12.10 → 6.12.11'],
      unknown: ['initrd', 'kernel parameters'],
    });
  });

  test('two parts that are both unknown are not different', () => {
    const blind = { kernel: null, initrd: null, modules: null, params: null, systemd: null };
    expect(rebootNeed(blind, blind)).toEqual({ reasons: [], unknown: [] });
  });
});

describe('drift', () => {
  const wanted = toplevelOf('box', 'new');
  const words = (runs: Parameters<typeof seen>[1], flake: string | null = wanted) =>
    driftOf(seen('box', runs), flake)?.words;

  test.each<[string, Parameters<typeof seen>[1], string | null, readonly string[]]>([
    ['none', { booted: 'new', current: 'new', profile: 'new' }, wanted, []],
    ['behind', {}, wanted, ['flake ≠ running']],
    ['set for the next boot', { profile: 'new' }, wanted, ['flake = profile ≠ running']],
    ['only live', { booted: 'new', current: 'new' }, wanted, ['running = flake, not the boot default']],
    ['not booted', { current: 'new', profile: 'new' }, wanted, ['running ≠ booted']],
    ['flake not asked', { profile: 'new' }, null, ['profile ≠ running']],
    ['flake not asked, nothing to say', {}, null, []],
  ])('%s', (_name, runs, flake, expected) => {
    expect(words(runs, flake)).toEqual(expected);
  });

  test('of a machine that does not answer is not known', () => {
    expect(driftOf(notSeen('box'), wanted)).toBeNull();
  });

  test('tells what the next boot would change', () => {
    expect(driftOf(seen('box', { profile: 'new' }), wanted)?.rebootNeeded[0]).toBe(
      'kernel 6.12.10 → 6.12.11',
    );
    expect(driftOf(seen('box'), wanted)?.rebootNeeded).toEqual([]);
  });

  test('what is not known is said, and is no sameness', () => {
    const blind = seen('box', {}, { booted: null, current: null, profile: null });
    expect(driftOf(blind, wanted)?.words).toEqual([
      'not known: what runs, the boot default, what was booted',
    ]);
  });
});
