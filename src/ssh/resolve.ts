import { fail, ok, type Result } from '../failure.ts';
import type { Clock, SshError } from '../ports.ts';
import type { ProcessResult, RunProcess } from '../process/run.ts';
import { sanitiseLines } from '../text/sanitise.ts';
import { type LocalUser, parseSshConfig, type SshConfig } from './config.ts';
import { createConfigSharing } from './config-sharing.ts';
import type { Endpoint } from './endpoint.ts';
import { cancelled, seconds, sshError } from './errors.ts';
import { isHost, isUser } from './jump.ts';
import type { SshLimits } from './limits.ts';
import { createSlots } from './slots.ts';

/** Asks `ssh -G` what the ssh configuration says of an endpoint. */
export type ResolveConfig = (
  endpoint: Endpoint,
  signal: AbortSignal | undefined,
) => Promise<Result<SshConfig, SshError>>;

const outputCharsMax = 256 * 1024;

/** `-v` makes ssh name, on stderr, the files it reads. */
const argvFor = (endpoint: Endpoint, configPath: string | null): readonly string[] => [
  'ssh',
  '-G',
  '-v',
  ...(configPath === null ? [] : ['-F', configPath]),
  ...(endpoint.port === null ? [] : ['-p', String(endpoint.port)]),
  ...(endpoint.user === null ? [] : ['-l', endpoint.user]),
  '--',
  endpoint.alias,
];

const whyNot = (result: ProcessResult, limits: SshLimits): string | null => {
  if (result.startError !== null) return `ssh could not be started: ${result.startError}`;
  if (result.timedOut) return `ssh -G did not end within ${seconds(limits.configDeadlineMs)}`;
  if (result.truncated) return `ssh -G printed more than ${outputCharsMax} characters`;
  if (result.code === 0) return null;
  const said = sanitiseLines(result.stderr, 200).filter(
    (line) => !/^(?:debug\d:|OpenSSH_|Pseudo-terminal )/u.test(line),
  );
  return said.slice(-2).join(' ') || `ssh -G ended with ${result.code ?? result.signal}`;
};

/** What the endpoint itself says stands above the configuration, or fills what it leaves open. */
const amended = (config: SshConfig, { hostname, jumps }: Endpoint): SshConfig => {
  const open = config.hostname.toLowerCase() === config.alias.toLowerCase();
  const replaced = hostname !== null && (hostname.when === 'always' || open);
  return {
    ...config,
    ...(replaced ? { hostname: hostname.value } : {}),
    ...(jumps === null ? {} : { proxyJump: jumps }),
  };
};

/** Whether ssh fell short for a lack of something (memory, processes, time) and not for its configuration: the next may not. */
const mayPass = ({ startError, timedOut, signal }: ProcessResult): boolean =>
  timedOut || signal !== null || /E(?:AGAIN|NOMEM|MFILE|NFILE)\b/u.test(startError ?? '');

export const createResolveConfig = (deps: {
  readonly runProcess: RunProcess;
  /** The file for `-F`, or null for ssh's own choice. */
  readonly configPath: string | null;
  readonly local: LocalUser;
  readonly clock: Clock;
  readonly limits: SshLimits;
  readonly closing: AbortSignal;
}): ResolveConfig => {
  const { runProcess, configPath, limits, clock } = deps;
  const slots = createSlots(limits.configResolversMax);

  const problem = (endpoint: Endpoint, why: string, retryable = false): SshError =>
    sshError({
      kind: 'config',
      retryable,
      host: endpoint.label,
      phase: 'config',
      message: `the ssh configuration of ${endpoint.label} (${endpoint.alias}) cannot be used: ${why}`,
      remedy: `See what this prints: ssh -G ${configPath === null ? '' : `-F ${configPath} `}${endpoint.alias}`,
    });

  const ask = async (
    endpoint: Endpoint,
    signal: AbortSignal | undefined,
  ): Promise<Result<ProcessResult, SshError>> => {
    const done = await slots.take(signal);
    if (done === null) return fail(cancelled(endpoint.label, 'config'));
    try {
      const result = await runProcess(argvFor(endpoint, configPath), {
        deadlineMs: limits.configDeadlineMs,
        outputCharsMax,
        // What a `Match exec` has started would outlive an ssh that is given up.
        group: true,
        ...(signal === undefined ? {} : { signal }),
      });
      if (result.cancelled) return fail(cancelled(endpoint.label, 'config'));
      if (result.startError?.includes('ENOENT') === true)
        return fail(
          sshError({
            kind: 'config',
            host: endpoint.label,
            phase: 'config',
            message: 'ssh is not installed here, or not in PATH',
            remedy: 'Install the client of OpenSSH, which Nix copies with as well, or add it to PATH.',
          }),
        );
      const why = whyNot(result, limits);
      return why === null ? ok(result) : fail(problem(endpoint, why, mayPass(result)));
    } finally {
      done();
    }
  };
  const sharing = createConfigSharing({ ask, clock, limits, closing: deps.closing });

  return async (endpoint, signal) => {
    if (!isHost(endpoint.alias) || (endpoint.hostname !== null && !isHost(endpoint.hostname.value)))
      return fail(
        sshError({
          kind: 'config',
          host: endpoint.label,
          phase: 'config',
          message: `${endpoint.label} has no usable ssh address: "${endpoint.hostname?.value ?? endpoint.alias}"`,
          remedy: 'Set lab.machine.ssh.host to a host name, an address, or a Host of your ssh configuration.',
        }),
      );
    if (endpoint.user !== null && !isUser(endpoint.user))
      return fail(problem(endpoint, `"${endpoint.user}" is no user name`));
    const printed = await sharing.output(endpoint, signal);
    if (!printed.ok) return printed;
    const config = parseSshConfig(endpoint.alias, printed.value, deps.local);
    if (!config.ok) return fail(problem(endpoint, config.failure));
    return ok(amended(config.value, endpoint));
  };
};
