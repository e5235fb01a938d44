import { join } from 'node:path';
import { z } from 'zod';
import { fail, ok, type Result } from '../failure.ts';
import { declaredInputsArgv } from './argv.ts';
import { causeOf, failureOf, processCause, wholeFlake } from './causes.ts';
import type { FlakeRef } from './flake-ref.ts';
import { lockFailure } from './lock-file.ts';
import { type NixProcesses, runNix } from './nix-process.ts';
import type { MapSourcePaths } from './source-paths.ts';

const inputsMax = 1_000;
const Names = z.array(z.string().max(256)).max(inputsMax);

/**
 * The inputs that flake.nix itself declares, or takes as arguments of its outputs; sorted. Reads that one file: no
 * input is fetched, nothing is asked of the network.
 */
export const declaredInputs = async (
  context: {
    readonly nix: NixProcesses;
    readonly flake: FlakeRef;
    readonly mapPaths: MapSourcePaths;
    readonly signal: AbortSignal | undefined;
  },
  directory: string,
  deadlineMs: number,
): Promise<Result<readonly string[]>> => {
  const { result, said } = await runNix(context.nix, declaredInputsArgv(join(directory, 'flake.nix')), {
    deadlineMs,
    signal: context.signal,
  });
  if (result.code !== 0) {
    const cause =
      processCause(result, 'reading of flake.nix') ?? (await causeOf(said, context.flake, context.mapPaths));
    return fail(failureOf(wholeFlake(cause), 'update', null));
  }
  try {
    return ok(Names.parse(JSON.parse(result.stdout)));
  } catch {
    return lockFailure('nix-output', 'The inputs of flake.nix cannot be read.', 'Look at its inputs.');
  }
};
