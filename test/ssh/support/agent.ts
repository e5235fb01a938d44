import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import type { TestKey } from './keys.ts';

/** Messages of the agent protocol (draft-miller-ssh-agent, 5.1). */
const requestIdentities = 11;
const identitiesAnswer = 12;
const signRequest = 13;

const text = (bytes: Buffer): Buffer => {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
};

/** An ssh agent that says which key it has, and leaves whoever asks for a signature waiting, as for a person to confirm it. */
export const startDeafAgent = async (path: string, key: TestKey) => {
  const sockets = new Set<Socket>();
  const asked: string[] = [];
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.once('close', () => sockets.delete(socket));
    socket.on('data', (message: Buffer) => {
      if (message[4] === signRequest) asked.push('sign');
      if (message[4] !== requestIdentities) return;
      asked.push('identities');
      const one = Buffer.from([0, 0, 0, 1]);
      socket.write(
        text(Buffer.concat([Buffer.from([identitiesAnswer]), one, text(key.blob), text(Buffer.from('ada'))])),
      );
    });
  }).listen(path);
  await once(server, 'listening');
  return {
    path,
    asked: (): readonly string[] => asked,
    open: (): number => sockets.size,
    close: async (): Promise<void> => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
};
