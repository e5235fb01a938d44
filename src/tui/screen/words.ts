import type { LabSnapshot } from '../../flow/session.ts';
import type { Step } from '../../plan/plan.ts';
import type { SshError } from '../../ports.ts';
import type { RunResult } from '../../run/event.ts';
import { resultWords } from '../../run/telling.ts';
import { shortPath } from '../../text/words.ts';
import type { Tone } from '../draw/theme.ts';

/** Short words for things that every screen names. */

/** `4 s`, `1:05`, `1:02:33`: a span that is being watched. */
export const stopwatch = (ms: number): string => {
  const seconds = Math.max(0, Math.floor(ms / 1_000));
  if (seconds < 60) return `${seconds} s`;
  const two = (value: number): string => String(value).padStart(2, '0');
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes}:${two(seconds % 60)}`;
  return `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${two(seconds % 60)}`;
};

/** Age in few cells: `now`, `20s`, `5m`, `3h`, `2d`. Below a minute in steps of ten seconds, so that idle screens rest. */
export const shortAge = (ms: number): string => {
  const seconds = Math.max(0, Math.floor(ms / 1_000));
  if (seconds < 10) return 'now';
  if (seconds < 60) return `${Math.floor(seconds / 10) * 10}s`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)}m`;
  return seconds < 86_400 ? `${Math.floor(seconds / 3_600)}h` : `${Math.floor(seconds / 86_400)}d`;
};

export const ageWords = (ms: number): string => {
  const short = shortAge(ms);
  return short === 'now' ? 'just now' : `${short} ago`;
};

/** Time of day, local. */
export const clockTime = (at: number): string => {
  const date = new Date(at);
  return [date.getHours(), date.getMinutes(), date.getSeconds()]
    .map((value) => String(value).padStart(2, '0'))
    .join(':');
};

/** `/nix/store/<hash>-nixos-system-nas-26.11` of the machine `nas` → `abcdefgh 26.11`: what tells two of them apart. */
export const closureWords = (path: string | null, machine: string): string => {
  const short = shortPath(path);
  const marker = `…-nixos-system-${machine}-`;
  return short.includes(marker) ? short.replace(marker, ' ') : short;
};

const activationWords = {
  switch: 'activating',
  test: 'activating (test)',
  boot: 'activating (boot)',
  'dry-activate': 'dry activation',
} as const satisfies Record<Extract<Step, { kind: 'activate' }>['mode'], string>;

/** What a machine is doing while this step is under way: at most eighteen cells. */
export const stepWords = (step: Step): string => {
  switch (step.kind) {
    case 'preflight':
      return 'preflight';
    case 'copy':
      return 'copying';
    case 'dependencies':
      return 'checking its needs';
    case 'activate':
      return activationWords[step.mode];
    case 'gate':
      return step.after === 'reboot' ? 'proving the reboot' : 'proving health';
    case 'confirm':
      return 'confirming';
    case 'delay':
      return 'reboot delay';
    case 'reboot':
      return 'rebooting';
    case 'await-boot':
      return 'awaiting the boot';
    case 'restore':
      return 'returning';
    default:
      return step satisfies never;
  }
};

/** The state of a machine in the fleet table while a run works on it. */
export const busyWord = (step: Step): string => {
  switch (step.kind) {
    case 'preflight':
    case 'dependencies':
      return 'checking';
    case 'copy':
      return 'copying';
    case 'activate':
      return 'activating';
    case 'gate':
    case 'confirm':
      return 'proving';
    case 'delay':
      return 'delaying';
    case 'reboot':
    case 'await-boot':
      return 'rebooting';
    case 'restore':
      return 'returning';
    default:
      return step satisfies never;
  }
};

export const sshWords = (kind: SshError['kind']): string => {
  switch (kind) {
    case 'unreachable':
      return 'no answer';
    case 'timeout':
      return 'timeout';
    case 'hostkey-mismatch':
      return 'host key changed';
    case 'hostkey-unknown':
      return 'host key unknown';
    case 'hostkey-revoked':
      return 'host key revoked';
    case 'hostkey-ca-only':
      return 'host key from a CA';
    case 'auth':
      return 'login refused';
    case 'config':
      return 'ssh config';
    case 'protocol':
      return 'no ssh there';
    case 'disconnected':
      return 'connection lost';
    case 'cancelled':
      return 'cancelled';
    case 'channel':
    case 'output-limit':
      return 'ssh failed';
    default:
      return kind satisfies never;
  }
};

/** `held: needs you`, and how it is drawn. */
export const endWords = (result: RunResult): { readonly text: string; readonly tone: Tone } => {
  const { text, next, mark } = resultWords[result];
  return { text: next === null ? text : `${text}: ${next}`, tone: mark };
};

/** True from the moment a run is asked for until it has ended: what may not be begun twice. */
export const underWay = (snapshot: LabSnapshot): boolean =>
  snapshot.phase.kind === 'preparing' ||
  snapshot.phase.kind === 'awaiting-approval' ||
  snapshot.phase.kind === 'running';
