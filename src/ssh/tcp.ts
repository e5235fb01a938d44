import { connect, type Socket } from 'node:net';
import { fail, ok, type Result } from '../failure.ts';

export type TcpTarget = {
  readonly host: string;
  readonly port: number;
  readonly family?: 0 | 4 | 6;
  readonly localAddress?: string | null;
};

/** Node's own 250 ms would give up on addresses that are merely far away. */
const attemptTimeoutMs = 2_000;

/**
 * Opens a TCP connection without Nagle's delay. Fails with the socket's error, or null when the signal aborted.
 * The socket keeps an error listener for life: errors may come after anyone has stopped to listen.
 */
export const connectTcp = (target: TcpTarget, signal: AbortSignal): Promise<Result<Socket, unknown>> =>
  new Promise((resolve) => {
    if (signal.aborted) {
      resolve(fail(null));
      return;
    }
    const socket = connect({
      host: target.host,
      port: target.port,
      autoSelectFamily: true,
      autoSelectFamilyAttemptTimeout: attemptTimeoutMs,
      noDelay: true,
      ...(target.family === undefined || target.family === 0 ? {} : { family: target.family }),
      ...(typeof target.localAddress === 'string' ? { localAddress: target.localAddress } : {}),
    });
    const settle = (result: Result<Socket, unknown>): void => {
      signal.removeEventListener('abort', abandon);
      if (!result.ok) socket.destroy();
      resolve(result);
    };
    const abandon = (): void => settle(fail(null));
    signal.addEventListener('abort', abandon, { once: true });
    socket.on('error', (error) => settle(fail(error)));
    socket.once('connect', () => {
      socket.setNoDelay(true);
      settle(ok(socket));
    });
  });
