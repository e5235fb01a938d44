import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Failure } from '../failure.ts';
import type { BuildReport, Toplevel } from '../ports.ts';
import { realiseArgv, requisitesArgv, rootsArgv } from './argv.ts';
import { createBuildLog, type FailedBuild } from './build-log.ts';
import { type Cause, causeOf, failureOf, processCause } from './causes.ts';
import { runNix } from './nix-process.ts';
import { createProgress, nameOfStorePath } from './progress.ts';
import { evaluateToplevels, missingPaths, type ToplevelContext, withParts } from './toplevels.ts';

export type BuildContext = ToplevelContext & {
  readonly now: () => number;
  readonly buildMs: number;
  /** Where links keep what was built from the garbage collector; null keeps nothing. */
  readonly rootsDir: string | null;
};

const phase = 'build';

/** The failed build that kept this toplevel from being made, or null where no derivation is to blame. */
const culpritOf = async (
  context: BuildContext,
  toplevel: Toplevel,
  failed: ReadonlyMap<string, FailedBuild>,
): Promise<FailedBuild | null> => {
  const own = failed.get(toplevel.drvPath);
  if (own !== undefined || failed.size === 0) return own ?? null;
  const { result } = await runNix(context.nix, requisitesArgv(toplevel.drvPath), {
    deadlineMs: context.questionMs,
    signal: context.signal,
  });
  const needed = result.code === 0 ? result.stdout.split('\n') : [];
  return needed.map((path) => failed.get(path)).find((build) => build !== undefined) ?? null;
};

const buildFailure = (machine: string, build: FailedBuild): Failure => ({
  kind: 'build',
  machine,
  phase,
  message: `Building ${nameOfStorePath(build.drvPath)} failed: ${build.message}`,
  remedy: `See the whole log: nix log ${build.drvPath}`,
  ...(build.log.length === 0 ? {} : { detail: build.log }),
});

/** Protects what was built until the next build: copying to many machines takes longer than a collector may wait. */
const keepFromCollector = async (context: BuildContext, built: readonly Toplevel[]): Promise<void> => {
  if (context.rootsDir === null || built.length === 0) return;
  try {
    await mkdir(context.rootsDir, { recursive: true });
  } catch {
    return;
  }
  const paths = [...new Set(built.map(({ outPath }) => outPath))];
  await runNix(context.nix, rootsArgv(paths, join(context.rootsDir, 'toplevel')), {
    deadlineMs: context.questionMs,
    signal: context.signal,
  });
};

/**
 * Evaluates all toplevels, then builds them in one go, each as far as it goes. What succeeded is learnt from the
 * store, not from what Nix said.
 */
export const buildToplevels = async (
  context: BuildContext,
  machines: readonly string[],
): Promise<BuildReport> => {
  const { toplevels, failed } = await evaluateToplevels(context, machines);
  if (toplevels.length === 0) return { built: [], failed };
  const log = createBuildLog();
  const progress = createProgress(context.onProgress, context.now);
  const drvPaths = [...new Set(toplevels.map(({ drvPath }) => drvPath))];
  const { result, said } = await runNix(context.nix, realiseArgv(context.call.settings, drvPaths), {
    deadlineMs: context.buildMs,
    signal: context.signal,
    onEvent: (event) => {
      log.onEvent(event);
      progress(event);
    },
  });
  const ended = result.code === 0 ? null : processCause(result, 'build');
  const outPaths = toplevels.map(({ outPath }) => outPath);
  // After a cancelled build the store is not asked: the same signal would end the question.
  const missing = ended?.kind === 'cancelled' ? null : await missingPaths(context, outPaths);
  if (missing === null || !missing.ok) {
    const cause: Failure | null = missing === null ? null : missing.failure;
    return {
      built: [],
      failed: [
        ...failed,
        ...toplevels.map(({ machine }) =>
          cause === null ? failureOf(ended ?? silent, phase, machine) : { ...cause, machine },
        ),
      ],
    };
  }
  const built = (await withParts(toplevels, missing.value)).filter(({ parts }) => parts !== null);
  await keepFromCollector(context, built);
  const unbuilt = toplevels.filter(({ outPath }) => missing.value.has(outPath));
  const general =
    ended ?? (unbuilt.length === 0 ? silent : await causeOf(said, context.flake, context.mapPaths));
  const unbuiltFailures = await Promise.all(
    unbuilt.map(async (toplevel) => {
      const culprit = await culpritOf(context, toplevel, log.failed());
      return culprit === null
        ? failureOf(general, phase, toplevel.machine)
        : buildFailure(toplevel.machine, culprit);
    }),
  );
  return { built, failed: [...failed, ...unbuiltFailures] };
};

const silent: Cause = {
  kind: 'build',
  message: 'It was not built.',
  remedy: 'Build it by hand with nix build to see why.',
  detail: [],
};
