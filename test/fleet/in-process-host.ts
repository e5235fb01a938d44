import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { createServer, type Server } from 'node:net';
import ssh2 from 'ssh2';

/** What a host that is only played answers to a command. */
export type PlayedAnswer = { readonly code: number; readonly stdout?: string; readonly stderr?: string };
export type Answer = (host: string, command: string) => PlayedAnswer | null;

/** An ssh server that plays a host: it knows the handful of commands below and refuses all others. */
export type PlayedHost = {
  readonly port: number;
  bootId: string;
  /** Names of units that "failed". */
  readonly failedUnits: Set<string>;
  /** The key it shows to connections from now on, in OpenSSH's private format. */
  key: string;
  /** Off: connections are refused. Cut: they are accepted and dropped. */
  power(on: boolean): Promise<void>;
  answer(command: string): PlayedAnswer;
  close(): Promise<void>;
};

const listen = async (server: Server, address: string, port: number): Promise<number> => {
  server.listen(port, address);
  await once(server, 'listening');
  const bound = server.address();
  if (bound === null || typeof bound === 'string') throw new Error('the played host has no port');
  return bound.port;
};

export const playHost = async (
  name: string,
  address: string,
  key: string,
  letIn: string,
  onReboot: () => void,
  more: Answer,
): Promise<PlayedHost> => {
  const allowed = ssh2.utils.parseKey(letIn);
  if (allowed instanceof Error) throw allowed;
  const sockets = new Set<Socket>();

  const serve = (socket: Socket): void => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    const server = new ssh2.Server({ hostKeys: [host.key] });
    server.on('connection', (client) => {
      client.on('error', () => socket.destroy());
      client.on('authentication', (context) => {
        if (context.method !== 'publickey' || !context.key.data.equals(allowed.getPublicSSH()))
          return context.reject(['publickey']);
        if (context.signature === undefined || context.blob === undefined) return context.accept();
        if (allowed.verify(context.blob, context.signature, context.hashAlgo) === true)
          return context.accept();
        return context.reject();
      });
      client.on('session', (accept) => {
        accept().on('exec', (acceptExec, _reject, info) => {
          const channel = acceptExec();
          const { code, stdout = '', stderr = '' } = host.answer(info.command);
          channel.stderr.write(stderr);
          channel.write(stdout);
          channel.exit(code);
          channel.end();
        });
      });
    });
    server.injectSocket(socket);
  };

  let listener = createServer(serve);
  const port = await listen(listener, address, 0);
  const stop = async (): Promise<void> => {
    if (!listener.listening) return;
    const closed = once(listener, 'close');
    listener.close();
    for (const socket of sockets) socket.destroy();
    await closed;
  };

  const host: PlayedHost = {
    port,
    bootId: randomUUID(),
    failedUnits: new Set(),
    key,
    power: async (on) => {
      await stop();
      if (!on) return;
      host.bootId = randomUUID();
      listener = createServer(serve);
      await listen(listener, address, port);
    },
    answer: (command) => {
      switch (command) {
        case 'true':
          return { code: 0 };
        case 'hostname':
          return { code: 0, stdout: `${name}\n` };
        case 'cat /proc/sys/kernel/random/boot_id':
          return { code: 0, stdout: `${host.bootId}\n` };
        case 'systemctl is-system-running':
          return host.failedUnits.size === 0
            ? { code: 0, stdout: 'running\n' }
            : { code: 1, stdout: 'degraded\n' };
        case 'systemctl reboot':
          setImmediate(onReboot);
          return { code: 0 };
        default:
          return (
            more(name, command) ?? {
              code: 127,
              stderr: `${name} is only played by the test process and does not know: ${command}\n`,
            }
          );
      }
    },
    close: stop,
  };
  return host;
};
