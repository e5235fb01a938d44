import { stat } from 'node:fs/promises';
import type { Failure } from '../failure.ts';
import type { ProcessResult } from '../process/run.ts';
import { withoutPasswords } from '../text/passwords.ts';
import { sanitiseLine, sanitiseLines } from '../text/sanitise.ts';
import { type FlakeRef, rootOf } from './flake-ref.ts';
import { type NixEvent, withoutColours } from './internal-json.ts';
import { troubleIn } from './known-troubles.ts';
import { liesInRepository, type MapSourcePaths } from './source-paths.ts';

/** Why a Nix command failed, in words: sanitised, bounded, with paths of the repository. */
export type Cause = {
  readonly kind: string;
  readonly message: string;
  readonly remedy: string;
  readonly detail: readonly string[];
};

const messageCharsMax = 600;
const detailLinesMax = 20;
/** Text that is searched for causes; Nix can print megabytes. */
const rawCharsMax = 64 * 1024;

const missingPath = /getting status of '([^']+)'|path '([^']+)' does not exist|access to .* path '([^']+)'/u;

const oneLine = (text: string): string =>
  sanitiseLine(
    withoutColours(text)
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => line !== '')
      .join(' '),
    messageCharsMax,
  );

type Spoken = Extract<NixEvent, { kind: 'message' | 'plain' }>;

/** The error among the events: the last that tells its root cause, else the last called one, else the last plain text. */
const errorAmong = (events: readonly NixEvent[]): Spoken | null => {
  const spoken = events.filter((event) => event.kind === 'message' || event.kind === 'plain');
  return (
    spoken.findLast((event) => event.kind === 'message' && event.level === 0 && event.raw !== null) ??
    spoken.findLast((event) => event.kind === 'message' && /^\s*error:/u.test(withoutColours(event.text))) ??
    spoken.findLast((event) => event.kind === 'plain' && event.text.trim() !== '') ??
    null
  );
};

const ownedByAnother = async (root: string): Promise<boolean> => {
  const uid = process.getuid?.();
  if (uid === undefined) return false;
  try {
    return (await stat(root)).uid !== uid;
  } catch {
    return false;
  }
};

/** Where an error lies, for people; nothing for a place in the text that `lab` itself gave to Nix. */
const placeOf = async (error: NixEvent, mapPaths: MapSourcePaths): Promise<string> => {
  if (error.kind !== 'message' || error.at?.file.startsWith('/') !== true) return '';
  const { line, column } = error.at;
  // Newer versions have line and column in the file as well.
  const file = error.at.file.replace(/:\d+:\d+$/u, '');
  return ` (${await mapPaths(file)}:${line}${column === null ? '' : `:${column}`})`;
};

/** Whether the error points at a place in an expression: then it is about the configuration, not about the world. */
const placedIn = (error: Spoken, text: string): boolean =>
  error.kind === 'message' && (error.at !== null || /\bat \S+:\d+:\d+/u.test(text));

/** Puts words to what Nix printed before it failed. */
export const causeOf = async (
  events: readonly NixEvent[],
  flake: FlakeRef,
  mapPaths: MapSourcePaths,
): Promise<Cause> => {
  const error = errorAmong(events);
  if (error === null) {
    return cause('nix-silent', 'Nix failed and did not say why.', 'Run the same with nix by hand.');
  }
  const raw = (error.kind === 'message' ? (error.raw ?? error.text) : error.text).slice(0, rawCharsMax);
  const text = withoutPasswords(await mapPaths(withoutColours(raw).replace(/^\s*error:\s*/u, '')));
  const place = await placeOf(error, mapPaths);
  const whole = withoutPasswords(await mapPaths(withoutColours(error.text.slice(0, rawCharsMax))));
  const detail = sanitiseLines(whole, detailLinesMax);

  const match = troubleIn(text);
  const root = rootOf(flake);
  // Nix 2.8 lets git say that the repository belongs to somebody else, and passes on only its exit code.
  const gitFailed = /program 'git' failed/u.test(text);
  if (
    root !== null &&
    (match?.kind === 'foreign-repository' || (gitFailed && (await ownedByAnother(root))))
  ) {
    return {
      kind: 'foreign-repository',
      message: `The repository ${sanitiseLine(root)} belongs to another user, and git refuses to read it.`,
      remedy: `Run lab as its owner, or: git config --global --add safe.directory ${sanitiseLine(root)}`,
      detail,
    };
  }
  const missing = missingPath.exec(text);
  const missingFile = missing?.[1] ?? missing?.[2] ?? missing?.[3];
  if (missingFile !== undefined && (await liesInRepository(flake, missingFile))) {
    return {
      kind: 'untracked',
      message: `Git does not track ${sanitiseLine(missingFile)}, so Nix does not see it.`,
      remedy: `git add -N ${sanitiseLine(missingFile)}`,
      detail,
    };
  }
  return {
    kind: match?.kind ?? (placedIn(error, text) ? 'evaluation' : 'nix-error'),
    message: match?.message ?? oneLine(`${text}${place}`),
    remedy: match?.remedy ?? 'Correct the configuration.',
    detail,
  };
};

const cause = (kind: string, message: string, remedy: string): Cause => ({
  kind,
  message,
  remedy,
  detail: [],
});

/** What the process itself says about its failure before its output is looked at; null when it simply exited. */
export const processCause = (result: ProcessResult, phase: string): Cause | null => {
  if (result.startError?.includes('ENOENT') === true) {
    return cause(
      'nix-missing',
      'Nix is not installed here, or not in PATH.',
      'Install Nix (on Debian: apt install nix-bin), or add it to PATH.',
    );
  }
  if (result.startError !== null) {
    const why = sanitiseLine(result.startError, messageCharsMax);
    return cause('nix-start', `Nix could not be started: ${why}.`, 'Check that nix runs by hand.');
  }
  if (result.cancelled) return cause('cancelled', `Cancelled during ${phase}.`, 'Start it again.');
  if (result.timedOut) {
    return cause(
      'timeout',
      `Nix did not finish the ${phase} in time.`,
      'See what it waits for: network, another Nix process holding a lock, a very large build.',
    );
  }
  if (result.signal !== null) {
    const why = result.signal === 'SIGKILL' ? ', most likely for want of memory' : '';
    return cause(
      'nix-killed',
      `Nix was ended by ${sanitiseLine(result.signal, 20)}${why}.`,
      'Look at the kernel log of this machine (dmesg), and free memory.',
    );
  }
  return null;
};

/** Kinds of what makes one machine fail, for when the flake as a whole does: that is an error of configuration. */
const wholeFlakeKinds: ReadonlyMap<string, string> = new Map([
  ['syntax', 'flake-syntax'],
  ['evaluation', 'flake-evaluation'],
  ['infinite-recursion', 'flake-evaluation'],
]);

/** The cause as that of the whole flake, which cannot be listed. */
export const wholeFlake = (cause: Cause): Cause => ({
  ...cause,
  kind: wholeFlakeKinds.get(cause.kind) ?? cause.kind,
});

export const failureOf = (cause: Cause, phase: string, machine: string | null): Failure => ({
  kind: cause.kind,
  machine,
  phase,
  message: cause.message,
  remedy: cause.remedy,
  ...(cause.detail.length === 0 ? {} : { detail: cause.detail }),
});
