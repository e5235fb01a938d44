import type { Result } from '../failure.ts';
import { ok } from '../failure.ts';
import type { LockedRef } from '../ports.ts';
import { locateFlake } from './flake-ref.ts';
import { parseLock } from './lock.ts';
import { diffLocks } from './lock-diff.ts';
import { lockFailure, lockPathOf, readLock } from './lock-file.ts';

/** Every input that flake.lock pins, by its path from the root; reads the file and asks Nix nothing. */
export const lockedInputs = async (
  flake: string,
  cwd: string,
): Promise<Result<readonly { readonly input: string; readonly locked: LockedRef }[]>> => {
  const located = await locateFlake(flake, cwd);
  if (!located.ok) return located;
  const path = lockPathOf(located.value);
  if (!path.ok) return path;
  const text = await readLock(path.value);
  if (!text.ok) return text;
  const [none, now] = [parseLock(null), parseLock(text.value)];
  if (none.lock === null || now.lock === null)
    return lockFailure(
      'lock-file',
      `flake.lock cannot be read: ${now.lock === null ? now.problem : 'it is none'}.`,
      'Put it back with git, or let `lab update` write a new one.',
    );
  // Seen from an empty lock, everything is new.
  return ok(
    diffLocks(none.lock, now.lock).flatMap(({ input, to }) => (to === null ? [] : [{ input, locked: to }])),
  );
};
