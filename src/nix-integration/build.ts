import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Failure, ok } from '../failure.ts';
import type { BuildReport, Toplevel } from '../ports.ts';
import { realiseArgv, requisitesArgv, rootsArgv } from './argv.ts';
import { createBuildLog, type FailedBuild } from './build-log.ts';
import { buildByHand } from './by-hand.ts';
import { type Cause, causeOf, failureOf, processCause } from './causes.ts';
import { createHowFar } from './how-far.ts';
import { runNix } from './nix-process.ts';
import { createProgress, nameOfStorePath } from './progress.ts';
import { evaluateToplevels, missingPaths, type ToplevelContext, withParts } from './toplevels.ts';

export type BuildContext = ToplevelContext & {
  readonly now: () => number;
  readonly buildMs: number;
  /** Where links keep what was built from the garbage collector; null keeps nothing. */
  readonly rootsDir: string | null;
  /** Whether the flake is still what the machines themselves were evaluated from. */
  readonly isAsEvaluated: () => Promise<boolean>;
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

const silent: Cause = { kind: 'build', message: 'It was not built.', remedy: '', detail: [] };

/** Where no derivation is to blame: what ended the build, and how to see it by hand if Nix said nothing of use. */
const unexplained = (context: BuildContext, cause: Cause, machine: string): Failure =>
  failureOf(
    cause === silent || cause.kind === 'nix-error'
      ? { ...cause, remedy: `Build it by hand to see why: ${buildByHand(context.call, machine)}` }
      : cause,
    phase,
    machine,
  );

/** Why each of the toplevels is not there: the derivation to blame, or else what ended the build. */
const failuresOf = async (
  context: BuildContext,
  unbuilt: readonly Toplevel[],
  general: Cause,
  blamed: ReadonlyMap<string, FailedBuild>,
): Promise<readonly Failure[]> => {
  const failures: Failure[] = [];
  for (const toplevel of unbuilt) {
    const culprit = general.kind === 'cancelled' ? null : await culpritOf(context, toplevel, blamed);
    failures.push(
      culprit === null
        ? unexplained(context, general, toplevel.machine)
        : buildFailure(toplevel.machine, culprit),
    );
  }
  return failures;
};

/** Order, checks and addresses of one state of the flake, and systems of another: nobody has seen them together. */
const changedMeanwhile = (machine: string): Failure => ({
  kind: 'flake-changed',
  machine,
  phase: 'evaluate',
  message: 'The flake was changed while it was being evaluated.',
  remedy: 'Run again once nobody works on it.',
});

/**
 * Evaluates all toplevels, then builds them in one go, each as far as it goes. What succeeded is learnt from the
 * store, not from what Nix said.
 */
export const buildToplevels = async (
  context: BuildContext,
  machines: readonly string[],
): Promise<BuildReport> => {
  const { toplevels, failed } = await evaluateToplevels(context, machines);
  if (!(await context.isAsEvaluated())) return { built: [], failed: machines.map(changedMeanwhile) };
  if (toplevels.length === 0) return { built: [], failed };
  const log = createBuildLog();
  // Only for the numbers: what is built is asked again at the end.
  const absent = await missingPaths(
    context,
    toplevels.map(({ outPath }) => outPath),
  );
  const there = toplevels.filter(({ outPath }) => absent.ok && !absent.value.has(outPath));
  const howFar = createHowFar(toplevels, new Set(there.map(({ machine }) => machine)));
  const progress = createProgress(context.onProgress, context.now, howFar);
  const drvPaths = [...new Set(toplevels.map(({ drvPath }) => drvPath))];
  const { result, said } = await runNix(context.nix, realiseArgv(context.call.settings, drvPaths), {
    deadlineMs: context.buildMs,
    signal: context.signal,
    onEvent: (event) => {
      log.onEvent(event);
      progress(event);
    },
  });
  const general =
    processCause(result, 'build') ??
    (result.code === 0 ? silent : await causeOf(said, context.flake, context.mapPaths));
  // After a cancelled build the store is not asked: the same signal would end the question.
  const missing =
    general.kind === 'cancelled'
      ? ok(new Set(toplevels.map(({ outPath }) => outPath)))
      : await missingPaths(
          context,
          toplevels.map(({ outPath }) => outPath),
        );
  if (!missing.ok) {
    const unknown = toplevels.map(({ machine }) => ({ ...missing.failure, machine }));
    return { built: [], failed: [...failed, ...unknown] };
  }
  const built = (await withParts(toplevels, missing.value)).filter(({ parts }) => parts !== null);
  await keepFromCollector(context, built);
  const unbuilt = toplevels.filter(({ outPath }) => missing.value.has(outPath));
  const unbuiltFailures = await failuresOf(context, unbuilt, general, log.failed());
  return { built, failed: [...failed, ...unbuiltFailures] };
};
