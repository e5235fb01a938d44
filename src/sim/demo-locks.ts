import type { LockedRef } from '../ports.ts';
import { revOf } from './random.ts';

/** What the demo's flake.lock holds, and the names of the systems made from it. */

const day = 86_400_000;

type Lock = ReadonlyMap<string, LockedRef>;

/** The inputs of the demo's flake: two months ago, before its update and after it, dated from `now`. */
export const demoLocks = (
  now: number,
): { readonly older: Lock; readonly before: Lock; readonly after: Lock } => {
  const locked = (url: string, content: string, daysAgo: number): LockedRef => ({
    url,
    rev: revOf(content),
    lastModified: now - daysAgo * day,
  });
  const nixpkgs = `github:NixOS/nixpkgs/nixos-${releaseAt(now)}`;
  const home = 'github:nix-community/home-manager';
  const hardware = 'github:NixOS/nixos-hardware';
  const secrets = 'github:ryantm/agenix';
  return {
    older: new Map([['nixpkgs', locked(nixpkgs, 'nixpkgs of two months ago', 66)]]),
    before: new Map([
      ['nixpkgs', locked(nixpkgs, 'nixpkgs of last month', 24)],
      ['home-manager', locked(home, 'home-manager of last month', 26)],
      ['nixos-hardware', locked(hardware, 'hardware', 61)],
      ['agenix', locked(secrets, 'agenix', 190)],
    ]),
    after: new Map([
      ['nixpkgs', locked(nixpkgs, 'nixpkgs of this week', 2)],
      ['home-manager', locked(home, 'home-manager of this week', 5)],
      ['nixos-hardware', locked(hardware, 'hardware of this week', 4)],
      ['agenix', locked(secrets, 'agenix', 190)],
    ]),
  };
};

/** The NixOS release of the day: one at the end of May, one at the end of November, each a month old at least. */
const releaseAt = (now: number): string => {
  const date = new Date(now);
  const month = date.getUTCMonth();
  const year = date.getUTCFullYear() % 100;
  return month >= 6 ? `${year}.05` : `${year - 1}.11`;
};

/** `26.05.20261119.5e1ca00`: release, date and revision of the nixpkgs that a system is made of. */
export const nixosVersionOf = (now: number, lock: Lock): string => {
  const nixpkgs = lock.get('nixpkgs');
  const date = new Date(nixpkgs?.lastModified ?? now).toISOString().slice(0, 10).replaceAll('-', '');
  return `${releaseAt(now)}.${date}.${nixpkgs?.rev?.slice(0, 7) ?? 'dirty'}`;
};
