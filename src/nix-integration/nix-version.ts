import { fail, ok, type Result } from '../failure.ts';
import { sanitiseLine } from '../text/sanitise.ts';
import { versionArgv } from './argv.ts';
import { causeOf, failureOf, processCause } from './causes.ts';
import { type NixProcesses, runNix } from './nix-process.ts';
import { isSupported, type NixVersion, oldestNix, parseNixVersion } from './version.ts';

const phase = 'prerequisites';

/** Asks Nix for its version. Failure kinds: `nix-missing`, `nix-start`, `nix-version`, `timeout`, `cancelled`. */
export const askNixVersion = async (
  nix: NixProcesses,
  deadlineMs: number,
  signal: AbortSignal | undefined,
): Promise<Result<NixVersion>> => {
  const { result, said } = await runNix(nix, versionArgv, { deadlineMs, signal });
  if (result.code !== 0) {
    const none = { kind: 'remote', url: '' } as const;
    const cause = processCause(result, phase) ?? (await causeOf(said, none, async (text) => text));
    return fail(failureOf(cause, phase, null));
  }
  const version = parseNixVersion(result.stdout);
  if (version !== null && isSupported(version)) return ok(version);
  return fail({
    kind: 'nix-version',
    machine: null,
    phase,
    message:
      version === null
        ? `nix --version says "${sanitiseLine(result.stdout, 80)}", which is no version.`
        : `Nix ${version.text} is too old.`,
    remedy: `Install Nix ${oldestNix.major}.${oldestNix.minor} or later.`,
  });
};
