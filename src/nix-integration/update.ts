import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { fail, ok, type Result } from '../failure.ts';
import type { LockChange } from '../ports.ts';
import { sanitiseLine } from '../text/sanitise.ts';
import { lockPreviewArgv, type NixCall, updateArgv, updateIntoArgv } from './argv.ts';
import { causeOf, failureOf, processCause } from './causes.ts';
import type { FlakeRef } from './flake-ref.ts';
import { type Lock, parseLock, rootInputs } from './lock.ts';
import { diffLocks } from './lock-diff.ts';
import { lockFailure, lockPathOf, readLock } from './lock-file.ts';
import { type NixProcesses, runNix } from './nix-process.ts';
import { createProgress } from './progress.ts';
import type { MapSourcePaths } from './source-paths.ts';

export type UpdateContext = {
  readonly nix: NixProcesses;
  readonly flake: FlakeRef;
  readonly call: NixCall;
  readonly mapPaths: MapSourcePaths;
  readonly now: () => number;
  readonly deadlineMs: number;
  readonly signal: AbortSignal | undefined;
  readonly onProgress: ((line: string) => void) | undefined;
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

/** What an update starts from. `inputs` empty means all; null means that there is nothing to move. */
type Start = {
  readonly path: string;
  readonly previous: string | null;
  readonly before: Lock;
  readonly inputs: readonly string[] | null;
};

/**
 * Reads the lock and settles which inputs to move: those asked for, or all but the overridden ones, which no run
 * takes from the lock. Failure kinds `not-local`, `lock-file`, `unknown-input`.
 */
const begin = async (context: UpdateContext, asked: readonly string[]): Promise<Result<Start>> => {
  const path = lockPathOf(context.flake);
  if (!path.ok) return path;
  const previous = await readLock(path.value);
  if (!previous.ok) return previous;
  const before = readable(previous.value);
  if (!before.ok) return before;
  const start = { path: path.value, previous: previous.value, before: before.value };

  const known = rootInputs(before.value);
  const isKnown = (input: string) => previous.value === null || known.includes(input.split('/')[0] ?? '');
  const unknown = asked.find((input) => !inputName.test(input) || !isKnown(input));
  if (unknown !== undefined) {
    return lockFailure(
      'unknown-input',
      `The flake has no input ${sanitiseLine(unknown, 80)}.`,
      `Its inputs are: ${known.map((name) => sanitiseLine(name, 80)).join(', ') || 'none'}.`,
    );
  }
  const overridden = new Set(context.call.overrides.map(({ input }) => input));
  if (asked.length > 0 || overridden.size === 0) return ok({ ...start, inputs: asked });
  context.onProgress?.(`left as they are, because overridden: ${[...overridden].join(', ')}`);
  const free = known.filter((input) => !overridden.has(input));
  return ok({ ...start, inputs: free.length === 0 ? null : free });
};

const run = async (context: UpdateContext, argv: readonly string[]): Promise<Result<string>> => {
  const { result, said } = await runNix(context.nix, argv, {
    deadlineMs: context.deadlineMs,
    signal: context.signal,
    onEvent: createProgress(context.onProgress, context.now),
  });
  if (result.code === 0) return ok(result.stdout);
  const cause = processCause(result, phase) ?? (await causeOf(said, context.flake, context.mapPaths));
  return fail(failureOf(cause, phase, null));
};

/** Moves flake.lock and says what moved. Nothing is written when it fails. */
export const updateLock = async (
  context: UpdateContext,
  asked: readonly string[],
): Promise<Result<{ changes: readonly LockChange[]; previous: string | null }>> => {
  const start = await begin(context, asked);
  if (!start.ok) return start;
  const { path, previous, before, inputs } = start.value;
  if (inputs === null) return ok({ changes: [], previous });
  const moved = await run(context, updateArgv(context.call, inputs));
  if (!moved.ok) return moved;
  const text = await readLock(path);
  if (!text.ok) return text;
  const after = readable(text.value);
  return after.ok ? ok({ changes: diffLocks(before, after.value), previous }) : after;
};

const Metadata = z.object({ locks: z.unknown() });

/** Before Nix 2.19: metadata shows the lock that an update would write. */
const previewFromMetadata = async (
  context: UpdateContext,
  inputs: readonly string[],
): Promise<Result<string>> => {
  const printed = await run(context, lockPreviewArgv(context.call, inputs));
  if (!printed.ok) return printed;
  try {
    return ok(JSON.stringify(Metadata.parse(JSON.parse(printed.value)).locks) ?? 'null');
  } catch {
    return lockFailure('nix-output', 'nix flake metadata printed no locks.', 'Update without a preview.');
  }
};

/** From Nix 2.19 on: the new lock is written elsewhere; null where nothing would move. */
const previewFromFile = async (
  context: UpdateContext,
  inputs: readonly string[],
): Promise<Result<string | null>> => {
  const scratch = await mkdtemp(join(tmpdir(), 'lab-lock-'));
  try {
    const lockPath = join(scratch, 'flake.lock');
    const written = await run(context, updateIntoArgv(context.call, inputs, lockPath));
    return written.ok ? await readLock(lockPath) : written;
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
};

/** What `updateLock` would move; flake.lock stays as it is. */
export const previewLock = async (
  context: UpdateContext,
  asked: readonly string[],
): Promise<Result<readonly LockChange[]>> => {
  const start = await begin(context, asked);
  if (!start.ok) return start;
  const { before, inputs } = start.value;
  if (inputs === null) return ok([]);
  const text = context.call.features.updateNamesInputs
    ? await previewFromFile(context, inputs)
    : await previewFromMetadata(context, inputs);
  if (!text.ok) return text;
  if (text.value === null) return ok([]);
  const after = readable(text.value);
  return after.ok ? ok(diffLocks(before, after.value)) : after;
};
