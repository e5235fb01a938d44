import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { type Duplex, duplexPair } from 'node:stream';
import { ok } from '../../src/failure.ts';
import type { Dial } from '../../src/health/dial.ts';

export const listening = async (server: Server): Promise<number> => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
};

/** A port of this machine that refuses connections. */
export const closedPort = async (): Promise<number> => {
  const server = createServer();
  const port = await listening(server);
  server.close();
  await once(server, 'close');
  return port;
};

/** A TCP server that treats each connection as `talk` says. */
export const tcpServer = async (
  talk: (socket: Socket) => void,
): Promise<{ port: number; close: () => void }> => {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
    talk(socket);
  });
  const port = await listening(server);
  return {
    port,
    close: () => {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
};

/** What an ssh connection gives for a port on the far side: a stream that is no socket. */
export const channelTo = (port: number): Duplex => {
  const [near, far] = duplexPair();
  const socket = connect(port, '127.0.0.1');
  for (const [from, to] of [
    [socket, far],
    [far, socket],
  ] as const) {
    from.on('error', () => to.destroy());
    from.pipe(to);
  }
  near.on('close', () => socket.destroy());
  socket.on('close', () => far.end());
  return near;
};

/** Dials `port` whatever host is asked for, and notes what was asked. */
export const dialTo = (
  port: number,
): { readonly dial: Dial; readonly asked: string[]; readonly opened: Duplex[] } => {
  const asked: string[] = [];
  const opened: Duplex[] = [];
  return {
    asked,
    opened,
    dial: async (host, at) => {
      asked.push(`${host} ${at}`);
      const channel = channelTo(port);
      opened.push(channel);
      return ok(channel);
    },
  };
};
