import type { Duplex } from 'node:stream';
import { fail, ok, type Result } from '../../src/failure.ts';
import type { Machine } from '../../src/fleet/machine.ts';
import type { ExecOptions, ExecResult, Remote, SshError } from '../../src/ports.ts';

export type Call = {
  readonly machine: string;
  readonly argv: readonly string[];
  readonly options: ExecOptions;
};
type Answer = Result<ExecResult, SshError>;

export const sshError = (set: Partial<SshError> = {}): SshError => ({
  kind: 'unreachable',
  host: 'host.example',
  phase: 'tcp',
  retryable: true,
  dispatched: false,
  message: 'connection refused by host.example',
  remedy: 'see whether it is on',
  ...set,
});
export const lost = (set: Partial<SshError> = {}): Answer => fail(sshError(set));
/** The connection broke after the command was sent. */
export const lostMidway = (): Answer =>
  lost({ kind: 'disconnected', phase: 'exec', dispatched: true, message: 'the connection was lost' });
export const exited = (code: number | null, stdout = '', stderr = ''): Answer =>
  ok({ code, signal: code === null ? 'KILL' : null, stdout, stderr, truncated: false });
/** The answer of one of the scripts: `lab-NAME`, lines, `lab-end`. */
export const answered = (name: string, ...lines: readonly string[]): Answer =>
  exited(0, [`lab-${name}`, ...lines, 'lab-end', ''].join('\n'));

export type FakeRemote = Remote & { readonly calls: Call[]; readonly forgotten: string[] };

/** A `Remote` whose answers a test gives: `exec` sees every call, `dial` opens what it is told. */
export const fakeRemote = (
  exec: (call: Call, count: number) => Answer | Promise<Answer>,
  dial: (machine: Machine, host: string, port: number) => Promise<Result<Duplex, SshError>> = async () =>
    fail(sshError({ phase: 'dial' })),
): FakeRemote => {
  const calls: Call[] = [];
  const forgotten: string[] = [];
  return {
    calls,
    forgotten,
    exec: async (machine, argv, options) => {
      const call = { machine: machine.name, argv, options };
      calls.push(call);
      return exec(call, calls.length);
    },
    dial,
    forget: (machine) => {
      forgotten.push(machine.name);
    },
    close: async () => {},
  };
};

/** A story told in answers: each is given once, in order. */
export const answersInTurn = (...answers: readonly (Answer | ((call: Call) => Answer))[]) => {
  const left = [...answers];
  return (call: Call): Answer => {
    const next = left.shift();
    if (next === undefined) throw new Error(`an unexpected command: ${call.argv.slice(3).join(' ')}`);
    return typeof next === 'function' ? next(call) : next;
  };
};
