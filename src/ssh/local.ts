import type { Socket } from 'node:net';
import { fail, ok } from '../failure.ts';
import type { Machine } from '../fleet/machine.ts';
import type { Clock, ExecOptions, Remote, SshError } from '../ports.ts';
import type { RunProcess } from '../process/run.ts';
import { cancelled, socketProblem, sshError, timedOut } from './errors.ts';
import { startLimit } from './limit.ts';
import { sshLimitsDefault } from './limits.ts';
import { asRootArgv } from './remote-shell.ts';
import { connectTcp } from './tcp.ts';

export type LocalRemoteOptions = {
  readonly runProcess: RunProcess;
  readonly clock: Clock;
  /** Effective user id of this process. */
  readonly uid: number;
};

/** What a shell gives for a program that is not there. */
const commandNotFound = 127;

/**
 * What is root's is not ours to end: not every sudo takes a signal from here, and what it runs it hands none on for. So
 * root's own timeout(1) ends it, with all that it has started.
 */
const commandOf = (
  argv: readonly string[],
  { asRoot, deadlineMs }: ExecOptions,
  uid: number,
): readonly string[] => {
  if (asRoot !== true || uid === 0) return argv;
  const seconds = String(Math.max(1, Math.ceil(deadlineMs / 1_000)));
  return asRootArgv(['timeout', '-k', '5', seconds, ...argv], '');
};

/**
 * The `Remote` for the machine that `lab` itself runs on: commands are processes, `dial` is a connection from here.
 * Output is bounded as over ssh (in characters); there is no connection, so nothing to forget.
 */
export const createLocalRemote = ({ runProcess, clock, uid }: LocalRemoteOptions): Remote => {
  const closing = new AbortController();
  const dialled = new Set<Socket>();
  const underWay = new Set<Promise<unknown>>();
  const track = <T>(work: Promise<T>): Promise<T> => {
    const tracked: Promise<unknown> = work.catch(() => undefined).finally(() => underWay.delete(tracked));
    underWay.add(tracked);
    return work;
  };
  const anySignal = (signal: AbortSignal | undefined): AbortSignal =>
    signal === undefined ? closing.signal : AbortSignal.any([signal, closing.signal]);

  const exec: Remote['exec'] = async (machine, argv, options) => {
    if (argv.length === 0) throw new TypeError('argv is empty');
    const { name } = machine;
    const result = await runProcess(commandOf(argv, options, uid), {
      deadlineMs: options.deadlineMs,
      // As over ssh, what it has started is stopped with it.
      group: true,
      signal: anySignal(options.signal),
      outputCharsMax: options.outputBytesMax ?? sshLimitsDefault.outputBytesDefault,
      ...(options.stdin === undefined ? {} : { stdin: options.stdin }),
    });
    if (result.cancelled) return fail(cancelled(name, 'exec', true));
    if (result.timedOut)
      return fail(timedOut(name, 'exec', options.deadlineMs, `\`${argv[0]}\` on ${name} did not end`, true));
    const { code, signal, stdout, stderr, truncated } = result;
    return result.startError === null
      ? ok({ code, signal, stdout, stderr, truncated })
      : ok({ code: commandNotFound, signal: null, stdout: '', stderr: result.startError, truncated: false });
  };

  const dial: Remote['dial'] = async ({ name }: Machine, host, port, options) => {
    const limit = startLimit(clock, options.deadlineMs, anySignal(options.signal));
    const aim = `${host.includes(':') ? `[${host}]` : host}:${port}`;
    const connected = await connectTcp({ host, port }, limit.signal);
    limit.end();
    if (connected.ok) {
      const socket = connected.value;
      dialled.add(socket);
      socket.once('close', () => dialled.delete(socket));
      return connected;
    }
    return fail(dialError(name, aim, connected.failure, limit.why(), options.deadlineMs));
  };

  return {
    exec: (machine, argv, options) => track(exec(machine, argv, options)),
    dial: (machine, host, port, options) => track(dial(machine, host, port, options)),
    forget: () => undefined,
    close: async () => {
      closing.abort();
      while (underWay.size > 0) await Promise.all(underWay);
      for (const socket of dialled) socket.destroy();
    },
  };
};

const dialError = (
  name: string,
  aim: string,
  cause: unknown,
  why: 'deadline' | 'cancelled' | null,
  deadlineMs: number,
): SshError => {
  if (why === 'cancelled') return cancelled(name, 'dial');
  if (why === 'deadline') return timedOut(name, 'dial', deadlineMs, `${aim} did not answer ${name}`);
  return sshError({
    kind: 'unreachable',
    host: name,
    phase: 'dial',
    message: `${aim} cannot be reached from ${name}: ${socketProblem(cause).what}`,
    remedy: 'See whether something listens there.',
  });
};
