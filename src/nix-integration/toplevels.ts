import { z } from 'zod';
import { type Failure, fail, ok, type Result } from '../failure.ts';
import type { OnProgress, Toplevel } from '../ports.ts';
import { toplevelOf } from './apply.ts';
import { evalArgv, invalidPathsArgv, type NixCall } from './argv.ts';
import { withTrace } from './by-hand.ts';
import { causeOf, failureOf, processCause } from './causes.ts';
import type { FlakeRef } from './flake-ref.ts';
import { type NixProcesses, runNix } from './nix-process.ts';
import type { MapSourcePaths } from './source-paths.ts';
import { readBootParts, storePathPattern } from './store.ts';
import { createPool } from './workers.ts';

export type ToplevelContext = {
  readonly nix: NixProcesses;
  readonly flake: FlakeRef;
  readonly call: NixCall;
  readonly mapPaths: MapSourcePaths;
  readonly workers: number;
  /** Environment of an evaluating process. */
  readonly env: Readonly<Record<string, string>>;
  readonly evaluationMs: number;
  readonly questionMs: number;
  readonly signal: AbortSignal | undefined;
  readonly onProgress: OnProgress | undefined;
};

const Printed = z.object({
  drv: z.string().regex(storePathPattern).endsWith('.drv'),
  out: z.string().regex(storePathPattern),
});

const phase = 'evaluate';

const readPrinted = (text: string): z.infer<typeof Printed> | null => {
  try {
    return Printed.parse(JSON.parse(text));
  } catch {
    return null;
  }
};

/** Evaluates the toplevel of one machine to a derivation, without building it. */
const evaluateToplevel = async (context: ToplevelContext, machine: string): Promise<Result<Toplevel>> => {
  const { result, said } = await runNix(context.nix, evalArgv(context.call, toplevelOf(machine)), {
    deadlineMs: context.evaluationMs,
    signal: context.signal,
    env: context.env,
  });
  if (result.code !== 0) {
    const cause =
      processCause(result, 'evaluation') ?? (await causeOf(said, context.flake, context.mapPaths));
    return fail(failureOf(withTrace(cause, context.call, machine), phase, machine));
  }
  const printed = readPrinted(result.stdout);
  if (printed === null) {
    return fail({
      kind: 'nix-output',
      machine,
      phase,
      message: 'config.system.build.toplevel is not a derivation.',
      remedy: 'Make it with nixpkgs.lib.nixosSystem.',
    });
  }
  return ok({ machine, drvPath: printed.drv, outPath: printed.out, parts: null });
};

export type EvaluatedToplevels = {
  readonly toplevels: readonly Toplevel[];
  readonly failed: readonly Failure[];
};

/**
 * Evaluates toplevels, one process a machine: a process that evaluates several keeps the memory of all and is no
 * faster. Both lists are in the order of `machines`.
 */
export const evaluateToplevels = async (
  context: ToplevelContext,
  machines: readonly string[],
): Promise<EvaluatedToplevels> => {
  const found = new Map<string, Result<Toplevel>>();
  const pool = createPool(context.workers);
  pool.add(
    machines.map((machine) => async () => {
      found.set(machine, await evaluateToplevel(context, machine));
      context.onProgress?.(`evaluated ${found.size} of ${machines.length} systems`);
    }),
  );
  await pool.idle();
  const all = machines.flatMap((machine) => found.get(machine) ?? []);
  return {
    toplevels: all.flatMap((one) => (one.ok ? [one.value] : [])),
    failed: all.flatMap((one) => (one.ok ? [] : [one.failure])),
  };
};

/** Those of the paths that the local store does not hold. Failure: the store cannot be asked. */
export const missingPaths = async (
  context: ToplevelContext,
  paths: readonly string[],
): Promise<Result<ReadonlySet<string>>> => {
  if (paths.length === 0) return ok(new Set());
  const { result, said } = await runNix(context.nix, invalidPathsArgv(paths), {
    deadlineMs: context.questionMs,
    signal: context.signal,
  });
  if (result.code !== 0) {
    const cause =
      processCause(result, 'store query') ?? (await causeOf(said, context.flake, context.mapPaths));
    return fail(failureOf(cause, 'build', null));
  }
  return ok(new Set(result.stdout.split('\n').filter((line) => line !== '')));
};

/** Reads the boot parts of those toplevels that are built. */
export const withParts = (
  toplevels: readonly Toplevel[],
  missing: ReadonlySet<string>,
): Promise<readonly Toplevel[]> =>
  Promise.all(
    toplevels.map(async (toplevel) =>
      missing.has(toplevel.outPath)
        ? toplevel
        : { ...toplevel, parts: await readBootParts(toplevel.outPath) },
    ),
  );
