import { isAbsolute, join, resolve } from 'node:path';
import { systemClock } from '../clock.ts';
import { fail, ok, type Result } from '../failure.ts';
import { type Journal, JournalFailure } from '../journal/journal.ts';
import { openJournal, openJournalToRead } from '../journal/sqlite.ts';
import { failureOfOpening } from '../journal/state-directory.ts';
import { account } from '../process/account.ts';
import type { RunId } from '../run/event.ts';

/** What `main.ts` hands to the rest of the composition root, and where state lives. */

export type Surroundings = {
  /** The environment itself, not a copy: the screen writes its colour level into it. */
  readonly env: Record<string, string | undefined>;
  readonly cwd: string;
  readonly version: string;
  /** The folder that holds `nix/fleet.nix`. */
  readonly installation: string;
  /** argv that runs this program as the engine of one run. */
  readonly engineArgv: readonly string[];
  readonly signals: { readonly stop: AbortSignal; readonly abort: AbortSignal };
};

/**
 * A directory of the XDG specification: a relative one counts for nothing, as it says. It would be another one in each
 * folder that lab is started in, and two runs would not know of each other.
 */
const baseDirectory = (given: string | undefined, env: Surroundings['env'], otherwise: string): string =>
  given !== undefined && isAbsolute(given) ? given : join(env.HOME || account().homedir, otherwise);

/** Where the journal, the lock and generated files live. */
export const stateDirectoryOf = (env: Surroundings['env']): string => {
  // systemd gives several directories with colons between; the first is ours.
  const given = env.LAB_STATE_DIR ?? env.STATE_DIRECTORY?.split(':')[0];
  if (given !== undefined && given !== '') return resolve(given);
  return join(baseDirectory(env.XDG_STATE_HOME, env, '.local/state'), 'lab');
};

export const cacheDirectoryOf = (env: Surroundings['env']): string => {
  const given = env.CACHE_DIRECTORY?.split(':')[0];
  if (given !== undefined && given !== '') return resolve(given);
  return join(baseDirectory(env.XDG_CACHE_HOME, env, '.cache'), 'lab');
};

/** `use`: what is opened to read is opened also where nothing can be written. */
export const openJournalIn = (
  env: Surroundings['env'],
  use: 'to write' | 'to read' = 'to write',
): Result<Journal> => {
  try {
    const open = use === 'to write' ? openJournal : openJournalToRead;
    return ok(open(stateDirectoryOf(env), () => systemClock.now()));
  } catch (error) {
    if (!(error instanceof JournalFailure)) throw error;
    return fail(failureOfOpening(error));
  }
};

/** Where the engine of a run writes what nobody hears: bugs. Removed at its end when nothing is in it. */
export const engineLogOf = (env: Surroundings['env'], run: RunId): string =>
  join(stateDirectoryOf(env), 'engines', `${run}.log`);

/** Where the engine of a run leaves why it gave the run up. */
export const lastWordsOf = (env: Surroundings['env'], run: RunId): string =>
  join(stateDirectoryOf(env), 'engines', `${run}.last-words`);
