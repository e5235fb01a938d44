import { fail, ok, type Result } from '../failure.ts';
import type { Clock } from '../ports.ts';
import type { RunProcess } from '../process/run.ts';
import { withoutPasswords } from '../text/passwords.ts';
import { sanitiseLine } from '../text/sanitise.ts';
import { copyArgv, type NixSetting } from './argv.ts';
import { causeOf, failureOf, processCause } from './causes.ts';
import { nixDeadlines } from './deadlines.ts';
import { runNix } from './nix-process.ts';
import { createProgress } from './progress.ts';
import { watchStall } from './stall.ts';
import { storePathPattern } from './store.ts';

export type CopyRequest = {
  /** Name of the machine, for failures. */
  readonly machine: string;
  readonly toplevel: string;
  /** What ssh is asked to connect to: a `Host` of the configuration file, with `user@` before it if need be. */
  readonly destination: string;
  /** Read by ssh in place of the user's own configuration. */
  readonly sshConfigPath: string;
  readonly deadlineMs: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (line: string) => void;
};

export type CopyContext = {
  readonly runProcess: RunProcess;
  readonly clock: Clock;
  readonly settings?: readonly NixSetting[];
  readonly env?: Readonly<Record<string, string>>;
};

const phase = 'copy';
const destinationPattern = /^(?:[A-Za-z0-9_][\w.-]*@)?[A-Za-z0-9_][\w.:-]*$/u;

/** What ssh says when a copy fails for its sake. The first that matches counts. */
const sshTroubles: readonly { readonly kind: string; readonly pattern: RegExp; readonly remedy: string }[] = [
  {
    kind: 'hostkey',
    pattern: /Host key verification failed|REMOTE HOST IDENTIFICATION HAS CHANGED/u,
    remedy: 'Find out why the host key is another one, then correct known_hosts.',
  },
  {
    kind: 'auth',
    pattern: /Permission denied \(/u,
    remedy: 'Check the ssh user and that its key is accepted by the machine.',
  },
  {
    kind: 'nix-missing-there',
    pattern: /nix-daemon: (?:command )?not found|nix-store: (?:command )?not found/u,
    remedy: 'The login user of the machine needs nix-daemon in its PATH.',
  },
  {
    kind: 'login-noise',
    pattern: /protocol mismatch, got/u,
    remedy:
      'What its login shell prints comes before what Nix says: let its start-up files (.bashrc, .profile) print nothing where the shell is not interactive.',
  },
  {
    // It says “Connection reset” too, of its own daemon.
    kind: 'connection-lost',
    pattern: /daemon socket/u,
    remedy: 'nix-daemon on the machine ends the connection: see `journalctl --unit nix-daemon` there.',
  },
  {
    kind: 'unreachable',
    pattern:
      /Connection (?:refused|timed out|reset|closed)|No route to host|Could not resolve hostname|Timeout, server .* not responding/u,
    remedy: 'Check that the machine is up and reachable by ssh.',
  },
  {
    kind: 'connection-lost',
    pattern: /Broken pipe|unexpected end-of-file/u,
    remedy: 'Check that the machine is up, and that nix-daemon works there.',
  },
];

/**
 * Copies a built closure to a machine with `nix copy` over ssh; the machine fetches from its own substituters what
 * they have. Failure kinds: `hostkey`, `auth`, `login-noise`, `unreachable`, `connection-lost` (the other side ended it, and nothing says
 * why), `nix-missing-there`, `signature`, `disk-full`, `timeout`, `cancelled` and those of Nix itself.
 */
export const copyClosure = async (context: CopyContext, request: CopyRequest): Promise<Result<void>> => {
  const { machine, toplevel, destination, sshConfigPath } = request;
  if (!storePathPattern.test(toplevel)) throw new TypeError('not a store path');
  const refuse = (kind: string, message: string, remedy: string) =>
    fail({ kind, machine, phase, message, remedy });
  if (!destinationPattern.test(destination)) {
    return refuse(
      'ssh-host',
      `"${sanitiseLine(destination, 80)}" cannot be an ssh host.`,
      'Correct lab.machine.ssh.',
    );
  }
  // Nix splits NIX_SSHOPTS at white space, and only newer versions know quotes.
  if (/\s/u.test(sshConfigPath)) {
    return refuse(
      'ssh-config',
      `The path of the ssh configuration has a space: ${sanitiseLine(sshConfigPath)}.`,
      'Use a state directory without spaces in its path.',
    );
  }
  const argv = copyArgv(context.settings ?? [], destination, [toplevel]);
  const stall = watchStall(context.clock, nixDeadlines.copyStallMs);
  const tell = createProgress(request.onProgress, context.clock.elapsed);
  const copied = runNix({ runProcess: context.runProcess, env: context.env ?? {} }, argv, {
    deadlineMs: request.deadlineMs,
    signal: request.signal === undefined ? stall.signal : AbortSignal.any([stall.signal, request.signal]),
    env: { NIX_SSHOPTS: `-F ${sshConfigPath}` },
    onEvent: (event) => {
      stall.touch();
      tell(event);
    },
  });
  const { result, said } = await copied.finally(stall.end);
  if (result.code === 0) return ok(undefined);
  if (stall.signal.aborted && request.signal?.aborted !== true)
    return refuse(
      'timeout',
      `nothing of the copy has moved for ${Math.round(nixDeadlines.copyStallMs / 60_000)} min`,
      `See whether nix-daemon answers on ${machine}, and whether a collection of garbage holds its store; then run again.`,
    );
  const own = processCause(result, 'copy');
  if (own !== null) return fail(failureOf(own, phase, machine));
  const cause = await causeOf(said, { kind: 'remote', url: '' }, async (text) => text);
  const spoken = said.flatMap((event) =>
    event.kind === 'plain' || event.kind === 'message' ? [sanitiseLine(withoutPasswords(event.text))] : [],
  );
  const trouble = sshTroubles.find(({ pattern }) => spoken.some((line) => pattern.test(line)));
  // A machine that gives up because of these ends the connection as well.
  const toldWhy = cause.kind === 'disk-full' || cause.kind === 'signature';
  if (trouble === undefined || (trouble.kind === 'connection-lost' && toldWhy)) {
    const failure = failureOf(cause, phase, machine);
    return fail(
      cause.kind === 'disk-full'
        ? { ...failure, remedy: `Free space in the Nix store of ${machine}: nix-collect-garbage there.` }
        : failure,
    );
  }
  const line = spoken.find((text) => trouble.pattern.test(text)) ?? cause.message;
  return fail({
    kind: trouble.kind,
    machine,
    phase,
    message: `ssh to ${destination} failed: ${line}`,
    remedy: trouble.remedy,
    ...(spoken.length === 0 ? {} : { detail: spoken.slice(-10) }),
  });
};
