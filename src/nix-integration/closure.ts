import { fail, ok, type Result } from '../failure.ts';
import type { ClosurePath } from '../ports.ts';
import { closureCharsMax, pathInfoArgv, readPathInfo } from '../text/path-info.ts';
import { invalidPathsArgv, type NixSetting, settingWords } from './argv.ts';
import { causeOf, failureOf, processCause } from './causes.ts';
import { type NixProcesses, runNix } from './nix-process.ts';
import { storePathPattern } from './store.ts';

export type ClosureContext = {
  readonly nix: NixProcesses;
  readonly settings: readonly NixSetting[];
  readonly deadlineMs: number;
};

const phase = 'closure';

/** The closure of a toplevel in the local store. Failure kind `not-here`: it is not in it. */
export const readClosure = async (
  { nix, settings, deadlineMs }: ClosureContext,
  toplevel: string,
  signal: AbortSignal | undefined,
): Promise<Result<readonly ClosurePath[]>> => {
  if (!storePathPattern.test(toplevel)) throw new TypeError('not a store path');
  const ask = (argv: readonly string[]) =>
    runNix(nix, argv, { deadlineMs, signal, outputCharsMax: closureCharsMax });
  const asked = await ask(invalidPathsArgv([toplevel]));
  const absent = asked.result.code === 0 && asked.result.stdout.includes(toplevel);
  if (absent)
    return fail({
      kind: 'not-here',
      machine: null,
      phase,
      message: `${toplevel} is not in the store of this machine`,
      remedy: 'build it: preparing a run does',
    });
  const { result, said } =
    asked.result.code === 0 ? await ask([...pathInfoArgv, ...settingWords(settings), toplevel]) : asked;
  if (result.code !== 0) {
    const cause =
      processCause(result, 'store query') ??
      (await causeOf(said, { kind: 'remote', url: '' }, async (text) => text));
    return fail(failureOf(cause, phase, null));
  }
  const paths = result.truncated ? null : readPathInfo(result.stdout);
  return paths === null
    ? fail({
        kind: 'nix-output',
        machine: null,
        phase,
        message: `\`nix path-info\` listed the closure of ${toplevel} in a form that is not known`,
        remedy: `see what it prints: nix path-info --recursive --size ${toplevel}`,
      })
    : ok(paths);
};
