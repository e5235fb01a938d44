import { connect } from 'node:net';
import type { Duplex } from 'node:stream';
import { fail, ok, type Result } from '../failure.ts';
import type { Machine } from '../fleet/machine.ts';
import type { Remote } from '../ports.ts';
import { failed, type Probe, probeOfDialError, seconds, untold } from './reading.ts';

type DialOptions = { readonly deadlineMs: number; readonly signal?: AbortSignal };

/** Opens a TCP connection for a check, or says what its failure means for the check. */
export type Dial = (host: string, port: number, options: DialOptions) => Promise<Result<Duplex, Probe>>;

/** As seen from the machine: `localhost` is the machine's own, at the far end of the ssh connection. */
export const dialFromTarget =
  (remote: Remote, machine: Machine): Dial =>
  async (host, port, options) => {
    const dialled = await remote.dial(machine, host, port, options);
    return dialled.ok ? dialled : fail(probeOfDialError(dialled.failure));
  };

const plainWords: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection reset',
  EHOSTUNREACH: 'no route to the host',
  ENETUNREACH: 'no route to the network',
  ETIMEDOUT: 'no answer',
  ENOTFOUND: 'no such host name',
  EAI_AGAIN: 'the name server does not answer',
};

/** A socket error in words, with its code where that is all there is. */
export const wordsFor = (error: Error & { readonly code?: unknown }): string => {
  const code = typeof error.code === 'string' ? error.code : '';
  return plainWords[code] ?? (error.message === '' ? code : error.message);
};

/** As seen from where `lab` runs: `localhost` is the orchestrator's own. */
export const dialFromHere: Dial = (host, port, { deadlineMs, signal }) =>
  new Promise((resolve) => {
    if (signal?.aborted === true) {
      resolve(fail(untold('cancelled')));
      return;
    }
    const socket = connect({ host, port, noDelay: true });
    // Stays for the life of the socket: an error after it was handed over must not end the process.
    socket.on('error', (error) => settle(fail(failed(wordsFor(error)))));
    socket.once('connect', () => settle(ok(socket)));
    socket.setTimeout(deadlineMs, () => settle(fail(failed(`no connection within ${seconds(deadlineMs)}`))));
    const onAbort = (): void => settle(fail(untold('cancelled')));
    signal?.addEventListener('abort', onAbort, { once: true });
    const settle = (result: Result<Duplex, Probe>): void => {
      signal?.removeEventListener('abort', onAbort);
      socket.setTimeout(0);
      if (!result.ok) socket.destroy();
      resolve(result);
    };
  });
