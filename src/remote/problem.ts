import type { Failure } from '../failure.ts';
import { type Machine, sshHostOf } from '../fleet/machine.ts';
import type { ExecResult, SshError } from '../ports.ts';

/**
 * A machine that answered, with something that cannot be used; `why` completes “… gave no usable answer: ”. Only a
 * command that a signal ended is worth another try: then the machine was going down, or short of memory.
 */
export const unusableAnswer = (
  machine: Machine,
  asked: string,
  why: string,
  result: ExecResult,
): SshError => ({
  kind: 'protocol',
  host: sshHostOf(machine),
  phase: 'exec',
  retryable: result.code === null,
  dispatched: true,
  message: `${machine.name} gave no usable answer to ${asked}: ${why}`,
  remedy: `Log in with \`lab ssh ${machine.name}\` and see what its shell prints for a command that is not interactive.`,
});

/** The connection error of a machine as the failure of a larger operation. `kind` is the error's, after `ssh-`. */
export const failureOf = (machine: Machine, phase: string, error: SshError): Failure => ({
  kind: `ssh-${error.kind}`,
  machine: machine.name,
  phase,
  message: error.message,
  remedy: error.remedy,
});
