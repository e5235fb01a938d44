import type { SshError } from '../ports.ts';
import { sanitiseLine } from '../text/sanitise.ts';

export type SshErrorKind = SshError['kind'];
export type SshPhase = SshError['phase'];

const messageLengthMax = 600;

/** Whether the same attempt, later and with nothing changed by a person, may succeed. */
const retryableOf = (kind: SshErrorKind): boolean => {
  switch (kind) {
    case 'unreachable':
    case 'timeout':
    case 'channel':
    case 'disconnected':
      return true;
    case 'protocol':
    case 'hostkey-mismatch':
    case 'hostkey-unknown':
    case 'hostkey-revoked':
    case 'hostkey-ca-only':
    case 'auth':
    case 'config':
    case 'cancelled':
    case 'output-limit':
      return false;
  }
};

export type SshErrorParts = {
  readonly kind: SshErrorKind;
  readonly host: string;
  readonly phase: SshPhase;
  readonly message: string;
  readonly remedy: string;
  readonly dispatched?: boolean;
  readonly retryable?: boolean;
};

/** The one place where an SshError is made: sanitised, bounded, with the kind's own answer to “try again?”. */
export const sshError = (parts: SshErrorParts): SshError => ({
  kind: parts.kind,
  host: sanitiseLine(parts.host, 255),
  phase: parts.phase,
  retryable: parts.retryable ?? retryableOf(parts.kind),
  dispatched: parts.dispatched ?? false,
  message: sanitiseLine(parts.message, messageLengthMax),
  remedy: sanitiseLine(parts.remedy, messageLengthMax),
});

export const seconds = (ms: number): string => `${Math.max(0.1, Math.round(ms / 100) / 10)} s`;

export const cancelled = (host: string, phase: SshPhase, dispatched = false): SshError =>
  sshError({
    kind: 'cancelled',
    host,
    phase,
    dispatched,
    message: `the work on ${host} was cancelled`,
    remedy: 'Nothing is wrong with the machine; start it again when you like.',
  });

const slowRemedy: Record<SshPhase, string> = {
  config: 'Look for `Match exec` commands or a slow name service in the ssh configuration.',
  tcp: 'See whether the machine is powered on and no firewall drops its ssh port.',
  handshake: 'The port answers and sshd does not: the machine may be overloaded, frozen or half way down.',
  auth: 'Look at sshd on the machine: a slow PAM module, a slow name service, or an ssh agent that waits for a person.',
  channel: 'The machine is connected and starts nothing: look at its load and at sshd.',
  exec: 'Give the command more time, or see on the machine why it does not end.',
  dial: 'See whether something listens there and no firewall on the machine drops it.',
};

/** `what` completes “… within 10 s”: “192.0.2.1 port 22 did not answer”. */
export const timedOut = (
  host: string,
  phase: SshPhase,
  ms: number,
  what: string,
  dispatched = false,
): SshError =>
  sshError({
    kind: 'timeout',
    host,
    phase,
    dispatched,
    message: `${what} within ${seconds(ms)}`,
    remedy: slowRemedy[phase],
  });

/** `code` of a Node error, or of the first error inside an AggregateError. */
export const codeOf = (error: unknown): string | null => {
  if (typeof error !== 'object' || error === null) return null;
  if ('code' in error && typeof error.code === 'string') return error.code;
  if ('errors' in error && Array.isArray(error.errors)) return codeOf(error.errors[0]);
  return null;
};

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** Why a TCP connection could not be made or broke, in words and with what to do. */
export const socketProblem = (error: unknown): { readonly what: string; readonly remedy: string } => {
  const code = codeOf(error);
  switch (code) {
    case 'ECONNREFUSED':
      return { what: 'connection refused', remedy: 'See whether sshd runs there and the port is right.' };
    case 'ECONNRESET':
    case 'EPIPE':
      return {
        what: 'connection reset',
        remedy: 'The machine may be going down or coming up; otherwise look at sshd and firewalls.',
      };
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
    case 'EHOSTDOWN':
    case 'EADDRNOTAVAIL':
      return {
        what: 'no route to it',
        remedy: 'See whether the machine is powered on and this network reaches it.',
      };
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
    case 'EAI_FAIL':
    case 'EAI_NODATA':
      return {
        what: 'name not found',
        remedy:
          'Set lab.machine.ssh.host or lab.machine.addresses of the machine, or HostName in the ssh configuration.',
      };
    case 'ETIMEDOUT':
      return {
        what: 'no answer (the system gave up waiting)',
        remedy: 'See whether the machine is powered on and no firewall drops its ssh port.',
      };
    default:
      return {
        what: code ?? messageOf(error),
        remedy: 'See whether the machine is powered on and reachable from here.',
      };
  }
};
