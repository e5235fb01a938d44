import type { Duplex } from 'node:stream';
import ssh2, { type AnyAuthMethod, type Client } from 'ssh2';
import { fail, ok, type Result } from '../failure.ts';
import type { Clock, SshError } from '../ports.ts';
import { sanitiseLine } from '../text/sanitise.ts';
import type { AuthPlan } from './auth.ts';
import type { SshConfig } from './config.ts';
import { cancelled, codeOf, messageOf, socketProblem, sshError, timedOut } from './errors.ts';
import type { HostKeyCheck } from './host-keys.ts';
import type { SshLimits } from './limits.ts';

export type Handshake = {
  /** What the machine or jump host is called in messages. */
  readonly label: string;
  readonly config: SshConfig;
  readonly hostKeys: HostKeyCheck;
  readonly auth: AuthPlan;
  readonly clock: Clock;
  readonly limits: SshLimits;
  readonly signal: AbortSignal;
};

const greetingLengthMax = 200;
/** Of what comes before it, more is not kept: what is not meant for people does not count as said. */
const heardLengthMax = 4 * greetingLengthMax;
/** SSH_DISCONNECT_TOO_MANY_CONNECTIONS, RFC 4253 section 11.1. */
const tooManyConnections = 12;

const placeOf = ({ hostname, port }: SshConfig): string => `${hostname} port ${port}`;

const authRefused = (
  { label, config, auth }: Handshake,
  tried: readonly string[],
  methods: readonly string[],
  notes: readonly string[],
): SshError => {
  const offered = tried.length === 0 ? 'no key was there to offer' : `it took none of: ${tried.join(', ')}`;
  const wants = methods.length === 0 ? '' : `; it offers ${methods.join(', ')}`;
  const aside = [...auth.notes, ...notes];
  return sshError({
    kind: 'auth',
    host: label,
    phase: 'auth',
    message: `${label} does not let ${config.user} in (${placeOf(config)}): ${offered}${wants}${aside.length === 0 ? '' : `; ${aside.join('; ')}`}`,
    remedy: `Put a public key of yours into users.users.${config.user}.openssh.authorizedKeys.keys of the machine, and load its private key with ssh-add or name it with IdentityFile.`,
  });
};

/** Up to the line that names the server's software: what comes after it are keys, and no words. */
const identification = /^SSH-[^\r\n]*/mu;
const greetingIn = (heard: string): string => {
  const named = identification.exec(heard);
  const words = named === null ? heard : heard.slice(0, named.index + named[0].length);
  return sanitiseLine(words, greetingLengthMax).trim();
};

const brokenHandshake = ({ label, config }: Handshake, error: unknown, heard: string): SshError => {
  const greeting = greetingIn(heard);
  const said = greeting === '' ? '' : ` (it said: ${greeting})`;
  const early = error === null || /before handshake/u.test(messageOf(error));
  const reset = codeOf(error) !== null;
  const full =
    typeof error === 'object' && error !== null && 'code' in error && error.code === tooManyConnections;
  if (early || reset || full) {
    const what =
      early || full ? 'closed the connection' : `broke the connection (${socketProblem(error).what})`;
    return sshError({
      kind: 'unreachable',
      host: label,
      phase: 'handshake',
      message: `${label}: ${placeOf(config)} ${what} before ssh was agreed on${said}`,
      remedy:
        'The machine may be going down or coming up; otherwise look at sshd there (MaxStartups, PerSourcePenalties) and at fail2ban.',
    });
  }
  return sshError({
    kind: 'protocol',
    host: label,
    phase: 'handshake',
    message: `${label}: no ssh connection could be agreed on with ${placeOf(config)}: ${messageOf(error)}${said}`,
    remedy: /no matching/u.test(messageOf(error))
      ? 'The server allows none of the algorithms lab has: allow curve25519-sha256, aes256-ctr or ssh-ed25519 in its sshd.'
      : 'See whether it is sshd that listens on this port.',
  });
};

const brokenAuth = (
  shake: Handshake,
  error: unknown,
  tried: readonly string[],
  methods: readonly string[],
): SshError => {
  const { label, config } = shake;
  // ssh2 gives the reason of a server's DISCONNECT as a number: too many failures, an account that is locked …
  const told =
    typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'number';
  if (told) return authRefused(shake, tried, methods, [`it ended the connection: ${messageOf(error)}`]);
  return sshError({
    kind: 'disconnected',
    host: label,
    phase: 'auth',
    message: `${label}: ${placeOf(config)} ${error === null ? 'closed' : 'broke'} the connection while ${config.user} logged in`,
    remedy: 'The machine may be going down or coming up; otherwise look at the log of sshd there.',
  });
};

/** Verifies the server, logs in, and gives the client; on failure `sock` is destroyed. */
export const shakeHands = (sock: Duplex, shake: Handshake): Promise<Result<Client, SshError>> =>
  new Promise((resolve) => {
    const { label, config, hostKeys, auth, clock, limits, signal } = shake;
    const client = new ssh2.Client();
    const over = new AbortController();
    let phase: 'handshake' | 'auth' = 'handshake';
    let settled = false;
    let denied: SshError | null = null;
    let heard = '';
    const tried: string[] = [];
    const agentTroubles: string[] = [];
    let methods: readonly string[] = [];

    const settle = (result: Result<Client, SshError>): void => {
      if (settled) return;
      settled = true;
      over.abort('settled');
      signal.removeEventListener('abort', abandon);
      sock.removeListener('data', overhear);
      if (!result.ok) sock.destroy();
      auth.hangUp();
      resolve(result);
    };
    const abandon = (): void => settle(fail(cancelled(label, phase)));
    const startClock = (ms: number, what: string): void => {
      const at = phase;
      void clock.sleep(ms, over.signal).then(() => {
        if (!over.signal.aborted && phase === at) settle(fail(timedOut(label, at, ms, what)));
      });
    };
    const broke = (error: unknown): void => {
      if (denied !== null) settle(fail(denied));
      else if (phase === 'handshake') settle(fail(brokenHandshake(shake, error, heard)));
      else settle(fail(brokenAuth(shake, error, tried, methods)));
    };
    // What a server says before its banner, such as “Exceeded MaxStartups”, explains an early end.
    const overhear = (chunk: Buffer): void => {
      heard += chunk.subarray(0, heardLengthMax - heard.length).toString('latin1');
      if (heard.length >= heardLengthMax || identification.test(heard)) sock.removeListener('data', overhear);
    };

    signal.addEventListener('abort', abandon, { once: true });
    if (signal.aborted) {
      abandon();
      return;
    }
    // For life: ssh2 may emit errors twice, and after the end.
    client.on('error', (error: Error & { level?: string }) => {
      if (error.level === 'agent' || /^Error sign/u.test(error.message)) agentTroubles.push(error.message);
      else broke(error);
    });
    client.on('close', () => broke(null));
    client.on('handshake', () => {
      if (phase === 'auth') return;
      phase = 'auth';
      // Otherwise ssh2 has the server prove every host key it owns, and throws the proofs away: a quarter of all cost.
      Object.assign(client, { _remoteVer: '' });
      sock.removeListener('data', overhear);
      startClock(limits.authDeadlineMs, `${label} did not finish the login of ${config.user}`);
    });
    client.on('ready', () => settle(ok(client)));
    sock.on('data', overhear);
    startClock(
      limits.handshakeDeadlineMs,
      `${label} (${placeOf(config)}) accepted the connection and did not finish the ssh handshake`,
    );

    const next = (left: readonly string[] | null, partial: boolean | null): AnyAuthMethod | null => {
      if (left === null) return { type: 'none', username: config.user };
      methods = left;
      if (partial === true) agentTroubles.push('it wants more than a key');
      const attempt = auth.tries[tried.length];
      if (attempt === undefined || !left.includes('publickey')) return null;
      tried.push(attempt.label);
      return attempt.method;
    };
    client.connect({
      sock,
      username: config.user,
      readyTimeout: 0,
      keepaliveInterval: limits.keepaliveIntervalMs,
      keepaliveCountMax: limits.keepaliveMissedMax,
      algorithms: { serverHostKey: [...hostKeys.algorithms] },
      // ssh2 takes any answer but `false` for yes, a promise too: so nothing is returned, and the verdict is exact.
      hostVerifier: (key: Buffer, verify: (accepted: boolean) => void): void => {
        const answer = (problem: SshError | null): void => {
          denied = problem;
          verify(problem === null);
        };
        const rekeyed = hostKeys.again(key);
        if (rekeyed !== null) {
          answer(rekeyed.problem);
          return;
        }
        hostKeys.verify(key).then(answer, (error: unknown) =>
          answer(
            sshError({
              kind: 'config',
              host: label,
              phase: 'handshake',
              message: `the host key of ${label} could not be checked: ${messageOf(error)}`,
              remedy: 'This is a defect of lab: please report it.',
            }),
          ),
        );
      },
      authHandler: (left, partial, give) => {
        const method = next(left, partial);
        if (method === null) settle(fail(authRefused(shake, tried, methods, agentTroubles)));
        else give(method);
      },
    });
  });
