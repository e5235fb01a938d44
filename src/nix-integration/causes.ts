import { stat } from 'node:fs/promises';
import type { Failure } from '../failure.ts';
import type { ProcessResult } from '../process/run.ts';
import { sanitiseLine, sanitiseLines } from '../text/sanitise.ts';
import { type FlakeRef, rootOf } from './flake-ref.ts';
import { type NixEvent, withoutColours } from './internal-json.ts';
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

/** Known troubles: what Nix says, and what helps. The first that matches counts. */
const known: readonly {
  readonly kind: string;
  readonly pattern: RegExp;
  readonly message?: string;
  readonly remedy: string;
}[] = [
  {
    kind: 'nix-experimental',
    pattern: /experimental Nix feature/u,
    remedy: 'The flake uses a feature that is off: add it to experimental-features in nix.conf.',
  },
  {
    kind: 'foreign-repository',
    pattern: /not owned by current user|dubious ownership|safe\.directory/u,
    remedy: 'Run lab as the owner of the repository, or: git config --global --add safe.directory REPOSITORY',
  },
  {
    kind: 'untracked',
    pattern: /is not tracked by Git|does not contain a '\/?[^']*flake\.nix' file/u,
    remedy: 'Git does not track the file, so Nix does not see it: git add -N FILE',
  },
  {
    kind: 'not-a-flake',
    pattern: /could not find a flake\.nix|is not a flake|does not contain a 'flake\.nix'/u,
    remedy: 'Give --flake the folder that holds flake.nix.',
  },
  {
    kind: 'no-configurations',
    pattern: /does not provide attribute .*nixosConfigurations/su,
    message: 'The flake has no nixosConfigurations.',
    remedy: 'Declare the machines in the flake output nixosConfigurations.',
  },
  {
    kind: 'flake-reference',
    pattern: /is not a valid URL|is not an absolute path/u,
    remedy: 'This Nix reads only plain characters in paths: rename the folder or reach it through a link.',
  },
  {
    kind: 'import-from-derivation',
    pattern: /import-from-derivation|allow-import-from-derivation/u,
    remedy: 'The configuration builds something while it is evaluated: allow-import-from-derivation is off.',
  },
  {
    kind: 'build-users',
    pattern: /build-users-group|the group '[^']*' specified/u,
    remedy:
      'Create the group nixbld with its users, as the Nix installer does, or set build-users-group to nothing in nix.conf.',
  },
  {
    kind: 'nix-store',
    pattern:
      /(?:opening lock file|creating directory|cannot open|cannot connect to).*(?:\/nix\/|daemon-socket|big-lock)/su,
    remedy: 'This user may not use the Nix store: start nix-daemon, or run as a user it serves.',
  },
  {
    kind: 'signature',
    pattern: /lacks a (?:valid )?signature|lacks a signature by a trusted key/u,
    remedy: 'The machine does not trust this sender: deploy as root, or name the user in its trusted-users.',
  },
  {
    kind: 'network',
    pattern: /unable to download|Could(?:n't| not) resolve host|Connection timed out|Network is unreachable/u,
    remedy: 'Check the network of this machine, then try again.',
  },
  {
    kind: 'disk-full',
    pattern: /No space left on device|disk full/u,
    remedy: 'Free space in the Nix store: nix-collect-garbage',
  },
  {
    kind: 'hash-mismatch',
    pattern: /hash mismatch/u,
    remedy: 'An input is not what the lock file says: update that input, or restore it.',
  },
  {
    kind: 'infinite-recursion',
    pattern: /infinite recursion|stack overflow|max-call-depth/u,
    remedy: 'A value of the configuration depends on itself: look at what was changed last.',
  },
];

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

/** The error among the events: the last that tells its root cause, else the last of level 0, else the last plain text. */
export const errorAmong = (
  events: readonly NixEvent[],
): Extract<NixEvent, { kind: 'message' }> | Extract<NixEvent, { kind: 'plain' }> | null => {
  const messages = events.filter((event) => event.kind === 'message' && event.level === 0);
  const errors = messages.filter((event) => event.kind === 'message' && event.raw !== null);
  const plain = events.filter((event) => event.kind === 'plain' && event.text.trim() !== '');
  const spoken = messages.filter(
    (event) => event.kind === 'message' && /^\s*error:/u.test(withoutColours(event.text)),
  );
  const found = errors.at(-1) ?? spoken.at(-1) ?? plain.at(-1) ?? null;
  return found?.kind === 'message' || found?.kind === 'plain' ? found : null;
};

const ownedByAnother = async (flake: FlakeRef): Promise<boolean> => {
  const root = rootOf(flake);
  const uid = process.getuid?.();
  if (flake.kind !== 'git' || root === null || uid === undefined) return false;
  try {
    return (await stat(root)).uid !== uid;
  } catch {
    return false;
  }
};

/** Puts words to what Nix printed before it failed. */
export const causeOf = async (
  events: readonly NixEvent[],
  flake: FlakeRef,
  mapPaths: MapSourcePaths,
): Promise<Cause> => {
  const error = errorAmong(events);
  if (error === null) {
    return {
      kind: 'nix-silent',
      message: 'Nix failed and did not say why.',
      remedy: 'Run the same with nix by hand.',
      detail: [],
    };
  }
  const raw = (error.kind === 'message' ? (error.raw ?? error.text) : error.text).slice(0, rawCharsMax);
  const text = await mapPaths(withoutColours(raw).replace(/^\s*error:\s*/u, ''));
  const place = error.kind === 'message' && error.at !== null ? await placeOf(error.at, mapPaths) : '';
  const whole = await mapPaths(
    withoutColours((error.kind === 'message' ? error.text : error.text).slice(0, rawCharsMax)),
  );
  const detail = sanitiseLines(whole, detailLinesMax);

  // Nix 2.8 lets git say that the repository belongs to somebody else, and passes on only its exit code.
  if (/program 'git' failed/u.test(text) && (await ownedByAnother(flake))) {
    return {
      kind: 'foreign-repository',
      message: `The repository ${sanitiseLine(rootOf(flake) ?? '')} belongs to another user, and git refuses to read it.`,
      remedy: `Run lab as its owner, or: git config --global --add safe.directory ${sanitiseLine(rootOf(flake) ?? '')}`,
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
  const match = known.find(({ pattern }) => pattern.test(text));
  return {
    kind: match?.kind ?? 'nix-error',
    message: match?.message ?? oneLine(`${text}${place}`),
    remedy: match?.remedy ?? 'Correct the configuration; nix eval --show-trace says more.',
    detail,
  };
};

const placeOf = async (
  at: { readonly file: string; readonly line: number; readonly column: number | null },
  mapPaths: MapSourcePaths,
): Promise<string> => {
  const file = await mapPaths(at.file);
  return ` (${file}:${at.line}${at.column === null ? '' : `:${at.column}`})`;
};

/** What the process itself says about its failure before its output is looked at; null when it simply exited. */
export const processCause = (result: ProcessResult, phase: string): Cause | null => {
  const detail: readonly string[] = [];
  if (result.startError !== null) {
    return /ENOENT/u.test(result.startError)
      ? {
          kind: 'nix-missing',
          message: 'Nix is not installed here, or not in PATH.',
          remedy: 'Install Nix (on Debian: apt install nix-bin), or add it to PATH.',
          detail,
        }
      : {
          kind: 'nix-start',
          message: `Nix could not be started: ${sanitiseLine(result.startError, messageCharsMax)}.`,
          remedy: 'Check that nix runs by hand.',
          detail,
        };
  }
  if (result.cancelled) {
    return { kind: 'cancelled', message: `Cancelled during ${phase}.`, remedy: 'Start it again.', detail };
  }
  if (result.timedOut) {
    return {
      kind: 'timeout',
      message: `Nix did not finish the ${phase} in time.`,
      remedy: 'See what it waits for: network, another Nix process holding a lock, a very large build.',
      detail,
    };
  }
  if (result.signal !== null) {
    return {
      kind: 'nix-killed',
      message: `Nix was ended by ${sanitiseLine(result.signal, 20)}${result.signal === 'SIGKILL' ? ', most likely for want of memory' : ''}.`,
      remedy: 'Look at the kernel log of this machine (dmesg), and free memory.',
      detail,
    };
  }
  return null;
};

export const failureOf = (cause: Cause, phase: string, machine: string | null): Failure => ({
  kind: cause.kind,
  machine,
  phase,
  message: cause.message,
  remedy: cause.remedy,
  ...(cause.detail.length === 0 ? {} : { detail: cause.detail }),
});
