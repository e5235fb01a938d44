import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { fail, ok, type Result } from '../failure.ts';
import { nearest } from '../fleet/selector.ts';
import type { LockProposal, LockUpdate, LockWrite, OnProgress } from '../ports.ts';
import { quoteForRemoteShell } from '../ssh/quote.ts';
import { sanitiseLine } from '../text/sanitise.ts';
import { commandShown, lockPreviewArgv, type NixCall, updateIntoArgv } from './argv.ts';
import { withTrace } from './by-hand.ts';
import { causeOf, failureOf, processCause, wholeFlake } from './causes.ts';
import { declaredInputs } from './declared-inputs.ts';
import type { FlakeRef } from './flake-ref.ts';
import { type Lock, parseLock, rootInputs } from './lock.ts';
import { diffLocks } from './lock-diff.ts';
import { codeOf, lockFailure, lockHash, lockPathOf, readLock } from './lock-file.ts';
import { type NixProcesses, runNix } from './nix-process.ts';
import { createProgress } from './progress.ts';
import type { MapSourcePaths } from './source-paths.ts';
import { isUnseen } from './write-lock.ts';

export type UpdateContext = {
  readonly nix: NixProcesses;
  readonly flake: FlakeRef;
  readonly call: NixCall;
  readonly mapPaths: MapSourcePaths;
  readonly now: () => number;
  readonly deadlineMs: number;
  readonly questionMs: number;
  readonly signal: AbortSignal | undefined;
  readonly onProgress: OnProgress | undefined;
};

const phase = 'update';
const inputName = /^[A-Za-z_][A-Za-z0-9_'-]*(?:\/[A-Za-z_][A-Za-z0-9_'-]*)*$/u;

const readable = (text: string | null): Result<Lock> => {
  const parsed = parseLock(text);
  return parsed.lock === null
    ? lockFailure(
        'lock-file',
        `flake.lock cannot be read: ${sanitiseLine(parsed.problem)}.`,
        'Restore it from git, or remove it and run nix flake lock.',
      )
    : ok(parsed.lock);
};

/** What an update starts from. `inputs` empty means all; null means that there is nothing to ask. */
type Start = {
  readonly path: string;
  readonly previous: string | null;
  readonly before: Lock;
  readonly asked: readonly string[];
  readonly inputs: readonly string[] | null;
  readonly notAsked: readonly string[];
};

/** What the changes alone do not say, in words. */
const remarkOf = (start: Start, after: Lock, moves: boolean): string | null => {
  const { previous, before, asked, inputs, notAsked } = start;
  const names = notAsked.join(', ');
  if (inputs === null) {
    const missing = previous === null ? 'there is no flake.lock, and ' : '';
    return `nothing was asked: ${missing}every input is overridden (${names})`;
  }
  if (!moves) {
    if (rootInputs(before).length + rootInputs(after).length === 0) return 'the flake has no inputs';
    if (asked.length > 0) return `already the newest: ${asked.join(', ')}; the other inputs were not asked`;
    return notAsked.length === 0
      ? null
      : `already the newest, except what was not asked because it is overridden: ${names}`;
  }
  if (previous === null) return 'flake.lock is new';
  return notAsked.length === 0 ? null : `not asked, because overridden: ${names}`;
};

const unknownInput = (name: string, known: readonly string[]): ReturnType<typeof lockFailure> => {
  const near = nearest(name, known);
  const word = (input: string) => sanitiseLine(input, 80);
  return lockFailure(
    'unknown-input',
    `The flake has no input ${word(name)}.`,
    `${near === null ? '' : `Did you mean ${word(near)}? `}Its inputs are: ${known.map(word).join(', ') || 'none'}.`,
  );
};

/**
 * Reads the lock and settles which inputs to move: those asked for, or all but the overridden ones, which no run
 * takes from the lock. Failure kinds `not-local`, `lock-file`, `unknown-input`, `no-lock-file`, and those of a
 * flake.nix that cannot be read.
 */
const begin = async (context: UpdateContext, asked: readonly string[]): Promise<Result<Start>> => {
  const path = lockPathOf(context.flake);
  if (!path.ok) return path;
  const previous = await readLock(path.value);
  if (!previous.ok) return previous;
  const before = readable(previous.value);
  if (!before.ok) return before;
  const rootOfInput = (input: string): string => input.split('/')[0] ?? '';
  const locked = rootInputs(before.value);

  // flake.nix is read only where the lock file does not answer by itself: that takes a process.
  const { overrides } = context.call;
  const settled = overrides.length === 0 && asked.every((input) => locked.includes(rootOfInput(input)));
  const declared = settled ? ok([]) : await declaredInputs(context, dirname(path.value), context.questionMs);
  if (!declared.ok) return declared;
  const known = [...new Set([...locked, ...declared.value])].sort();
  const unknown = asked.find((input) => !inputName.test(input) || !known.includes(rootOfInput(input)));
  if (unknown !== undefined) return unknownInput(unknown, known);

  const overridden = known.filter((name) => overrides.some(({ input }) => input === name));
  const free = known.filter((name) => !overridden.includes(name));
  const start = { path: path.value, previous: previous.value, before: before.value, asked };
  if (overridden.length === 0) return ok({ ...start, inputs: asked, notAsked: [] });
  const nothingFree = asked.length === 0 && free.length === 0;
  if (previous.value === null && !nothingFree) {
    return lockFailure(
      'no-lock-file',
      `There is no flake.lock yet, and Nix writes one only for all inputs together, of which ${overridden.map((name) => sanitiseLine(name, 80)).join(', ')} (overridden) must be left alone.`,
      `Write it once without overrides (${quoteForRemoteShell(commandShown({ ...context.call, overrides: [] }, ['flake', 'lock', context.call.url]))}), or run with --no-update.`,
    );
  }
  if (asked.length > 0) return ok({ ...start, inputs: asked, notAsked: [] });
  context.onProgress?.(`left as they are, because overridden: ${overridden.join(', ')}`);
  return ok({ ...start, inputs: nothingFree ? null : free, notAsked: overridden });
};

const run = async (context: UpdateContext, argv: readonly string[]): Promise<Result<string>> => {
  const { result, said } = await runNix(context.nix, argv, {
    deadlineMs: context.deadlineMs,
    signal: context.signal,
    onEvent: createProgress(context.onProgress, context.now),
  });
  if (result.code === 0) return ok(result.stdout);
  const cause = processCause(result, phase) ?? (await causeOf(said, context.flake, context.mapPaths));
  return fail(failureOf(wholeFlake(withTrace(cause, context.call, null)), phase, null));
};

const Metadata = z.object({ locks: z.unknown() });

/** Before Nix 2.19: metadata shows the lock that an update would write, and this is how Nix writes it. */
const proposalFromMetadata = async (
  context: UpdateContext,
  inputs: readonly string[],
): Promise<Result<string>> => {
  const printed = await run(context, lockPreviewArgv(context.call, inputs));
  if (!printed.ok) return printed;
  try {
    return ok(`${JSON.stringify(Metadata.parse(JSON.parse(printed.value)).locks, null, 2)}\n`);
  } catch {
    return lockFailure(
      'nix-output',
      'nix flake metadata printed no locks.',
      'Report it, with what nix --version says.',
    );
  }
};

const scratchFolder = async (): Promise<Result<string>> => {
  try {
    return ok(await mkdtemp(join(tmpdir(), 'lab-lock-')));
  } catch (error) {
    return lockFailure(
      'scratch-folder',
      `No folder can be made in ${sanitiseLine(tmpdir())}, where the new lock is computed (${codeOf(error)}).`,
      'Make room there, or set TMPDIR to a folder that can be written.',
    );
  }
};

/** From Nix 2.19 on: the new lock is written elsewhere; null where nothing would move. */
const proposalFromFile = async (
  context: UpdateContext,
  inputs: readonly string[],
): Promise<Result<string | null>> => {
  const made = await scratchFolder();
  if (!made.ok) return made;
  const scratch = made.value;
  try {
    const lockPath = join(scratch, 'flake.lock');
    const written = await run(context, updateIntoArgv(context.call, inputs, lockPath));
    return written.ok ? await readLock(lockPath) : written;
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
};

const sameLock = (one: string | null, other: string): boolean => {
  if (one === null) return false;
  try {
    return isDeepStrictEqual(JSON.parse(one), JSON.parse(other));
  } catch {
    return false;
  }
};

/** The lock that an update gives. Nothing is written. */
export const proposeUpdate = async (
  context: UpdateContext,
  asked: readonly string[],
): Promise<Result<LockProposal>> => {
  const start = await begin(context, asked);
  if (!start.ok) return start;
  const { path, previous, before, inputs, notAsked } = start.value;
  const tell = (changes: LockUpdate['changes'], after: Lock, write: LockWrite | null): LockProposal => ({
    changes,
    notAsked,
    remark: remarkOf(start.value, after, changes.length > 0),
    write,
  });
  if (inputs === null) return ok(tell([], before, null));
  const proposed = context.call.features.updateNamesInputs
    ? await proposalFromFile(context, inputs)
    : await proposalFromMetadata(context, inputs);
  if (!proposed.ok) return proposed;
  const text = proposed.value;
  if (text === null) return ok(tell([], before, null));
  const after = readable(text);
  if (!after.ok) return after;
  const changes = diffLocks(before, after.value);
  // Of a flake without inputs Nix writes none either.
  const nothing = previous === null ? changes.length === 0 : sameLock(previous, text);
  const seen =
    context.flake.kind !== 'git' || previous === null || !(await isUnseen(context.nix.runProcess, path));
  if (nothing && seen) return ok(tell(changes, after.value, null));
  return ok(tell(changes, after.value, { path, previous, text, movedHash: lockHash(text) }));
};
