import { Duplex } from 'node:stream';
import type { ClientChannel } from 'ssh2';

/**
 * A forwarded connection as an ordinary stream. ssh2's channel closes only after it was read to its end, never calls
 * back for what is written to a closed one, and knows no `destroyed`; who dials expects all three.
 */
export const channelStream = (channel: ClientChannel): Duplex => {
  let pending: ((error?: Error | null) => void) | null = null;
  const stream = new Duplex({
    // As a socket: when the other side has ended, so does this one.
    allowHalfOpen: false,
    read: () => {
      channel.resume();
    },
    write: (chunk: Buffer, encoding, done) => {
      pending = done;
      channel.write(chunk, encoding, () => {
        if (pending === done) pending = null;
        done();
      });
    },
    final: (done) => {
      channel.end();
      done();
    },
    destroy: (error, done) => {
      pending = null;
      channel.destroy();
      channel.removeAllListeners('data');
      // Unread data would hold back the channel's end, and with it its place on the connection.
      channel.resume();
      done(error);
    },
  });
  channel.on('data', (chunk: Buffer) => {
    if (!stream.push(chunk)) channel.pause();
  });
  channel.pause();
  channel.stderr.resume();
  channel.once('end', () => {
    if (!stream.destroyed) stream.push(null);
  });
  channel.once('close', () => {
    if (stream.destroyed) return;
    // A write that was never taken means that the other side was cut off, not that it was done.
    if (pending !== null) stream.destroy(new Error('the forwarded connection was closed'));
    else if (!stream.writableEnded) stream.end();
  });
  // For life: the connection may be lost before anyone listens, or after.
  stream.on('error', () => undefined);
  channel.on('error', (error: Error) => stream.destroy(error));
  return stream;
};
