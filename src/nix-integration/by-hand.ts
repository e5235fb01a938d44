import { quoteForRemoteShell } from '../ssh/quote.ts';
import { commandShown, type NixCall } from './argv.ts';
import type { Cause } from './causes.ts';

/** Causes that only the configuration itself explains: a trace of Nix says more than one line can. */
const explainedByTrace: ReadonlySet<string> = new Set([
  'nix-error',
  'evaluation',
  'syntax',
  'infinite-recursion',
]);

const attributeName = (name: string): string =>
  /^[A-Za-z_][A-Za-z0-9_'-]*$/u.test(name) ? name : `"${name}"`;

const toplevelInstallable = (call: NixCall, machine: string): string =>
  `${call.url}#nixosConfigurations.${attributeName(machine)}.config.system.build.toplevel`;

/** The command line, quoted for a shell, that evaluates one machine (or lists the flake, for null) with a whole trace. */
export const evaluationByHand = (call: NixCall, machine: string | null): string =>
  quoteForRemoteShell(
    commandShown(call, [
      'eval',
      '--show-trace',
      '--no-write-lock-file',
      ...(machine === null
        ? [`${call.url}#nixosConfigurations`, '--apply', 'builtins.attrNames']
        : [`${toplevelInstallable(call, machine)}.drvPath`]),
    ]),
  );

/** The command line, quoted for a shell, that builds one machine and shows the logs. */
export const buildByHand = (call: NixCall, machine: string): string =>
  quoteForRemoteShell(
    commandShown(call, [
      'build',
      '--no-link',
      '--print-build-logs',
      '--no-write-lock-file',
      toplevelInstallable(call, machine),
    ]),
  );

/** Ends the remedy of a cause that lies in the configuration with the command that tells all of it. */
export const withTrace = (cause: Cause, call: NixCall, machine: string | null): Cause =>
  explainedByTrace.has(cause.kind)
    ? {
        ...cause,
        remedy: `${cause.remedy.replace(/\.$/u, '')}; the whole trace: ${evaluationByHand(call, machine)}`,
      }
    : cause;
