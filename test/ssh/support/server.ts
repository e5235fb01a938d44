import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import ssh2, { type AuthContext, type Connection, type ServerChannel } from 'ssh2';
import { newKey, type TestKey } from './keys.ts';

/** What the server does with a command. */
export type OnExec = (command: string, channel: ServerChannel, server: TestServer) => void;

export type TestServer = {
  readonly port: number;
  readonly hostKey: TestKey;
  /** Connections accepted so far. */
  accepted(): number;
  /** Connections open now. */
  open(): number;
  /** Commands asked for, as they came. */
  readonly commands: string[];
  /** Auth methods tried, in order. */
  readonly authTries: string[];
  /** Destroys every connection without a word. */
  cut(): void;
  /** The ssh side of the connections that stand. */
  readonly clients: Set<Connection>;
  /** Shows this key to connections from now on. */
  showKey(key: TestKey): void;
  close(): Promise<void>;
};

export type TestServerOptions = {
  readonly hostKey?: TestKey;
  readonly letIn?: TestKey;
  readonly onAuth?: (context: AuthContext) => void;
  readonly onExec?: OnExec;
  /** Answers to direct-tcpip: a socket to be joined, or null to refuse. */
  readonly onForward?: (host: string, port: number) => Promise<Socket | null>;
  readonly port?: number;
};

/** Runs the command in a real shell, as sshd does: in a session of its own. */
export const inShell: OnExec = (command, channel, server) => {
  const child = spawn('/bin/sh', ['-c', command], { detached: true, stdio: 'pipe' });
  children.set(child, server);
  channel.pipe(child.stdin);
  child.stdin.on('error', () => undefined);
  child.stdout.on('data', (chunk) => channel.write(chunk));
  child.stderr.on('data', (chunk) => channel.stderr.write(chunk));
  // As sshd: the exit is told at once, the channel closes when nobody holds the output open any more.
  child.on('exit', (code, signal) => {
    if (signal === null) channel.exit(code ?? 0);
    else channel.exit(signal.replace('SIG', ''), false, '');
  });
  child.on('close', () => {
    children.delete(child);
    channel.end();
  });
};
const children = new Map<ChildProcess, TestServer>();

const listen = async (server: Server, port: number): Promise<number> => {
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  return address.port;
};

/** An ssh server in this process, on 127.0.0.1. Without `letIn` it lets everyone in. */
export const startServer = async (options: TestServerOptions = {}): Promise<TestServer> => {
  let hostKey = options.hostKey ?? newKey();
  let accepted = 0;
  const sockets = new Set<Socket>();
  const clients = new Set<Connection>();
  const commands: string[] = [];
  const authTries: string[] = [];
  const allowed = options.letIn === undefined ? null : ssh2.utils.parseKey(options.letIn.public);
  if (allowed instanceof Error) throw allowed;

  const letsIn = (context: AuthContext): boolean => {
    if (allowed === null) return true;
    if (context.method !== 'publickey' || !context.key.data.equals(allowed.getPublicSSH())) return false;
    if (context.signature === undefined || context.blob === undefined) return true;
    return allowed.verify(context.blob, context.signature, context.hashAlgo) === true;
  };
  const authenticate = (context: AuthContext): void => {
    authTries.push(context.method);
    if (options.onAuth !== undefined) options.onAuth(context);
    else if (letsIn(context)) context.accept();
    else context.reject(['publickey']);
  };

  const tcp = createServer((socket) => {
    accepted += 1;
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => undefined);
    const ssh = new ssh2.Server({ hostKeys: [hostKey.private] });
    ssh.on('connection', (client) => {
      clients.add(client);
      client.on('error', () => undefined);
      client.on('close', () => clients.delete(client));
      client.on('authentication', authenticate);
      client.on('session', (accept) => {
        const session = accept();
        session.on('exec', (acceptExec, _reject, info) => {
          commands.push(info.command);
          const channel = acceptExec();
          channel.on('error', () => undefined);
          (options.onExec ?? inShell)(info.command, channel, server);
        });
      });
      client.on('tcpip', (accept, reject, info) => {
        const answer = options.onForward?.(info.destIP, info.destPort) ?? Promise.resolve(null);
        void answer.then((joined) => {
          if (joined === null) {
            reject();
            return;
          }
          const channel = accept();
          channel.pipe(joined).pipe(channel);
          joined.on('error', () => channel.end());
          channel.on('close', () => joined.destroy());
        });
      });
    });
    ssh.injectSocket(socket);
  });
  const port = await listen(tcp, options.port ?? 0);

  const server: TestServer = {
    port,
    get hostKey() {
      return hostKey;
    },
    accepted: () => accepted,
    open: () => sockets.size,
    commands,
    authTries,
    clients,
    cut: () => {
      for (const socket of sockets) socket.destroy();
    },
    showKey: (key) => {
      hostKey = key;
    },
    close: async () => {
      for (const [child, owner] of children) {
        if (owner === server && child.pid !== undefined) killGroup(child.pid);
      }
      for (const socket of sockets) socket.destroy();
      const closed = once(tcp, 'close');
      tcp.close();
      await closed;
    },
  };
  return server;
};

const killGroup = (pid: number): void => {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It ended by itself.
  }
};

/** A plain TCP server whose every connection is handed to `serve`. */
export const startRawServer = async (
  serve: (socket: Socket) => void,
): Promise<{ readonly port: number; readonly sockets: Set<Socket>; close(): Promise<void> }> => {
  const sockets = new Set<Socket>();
  const tcp = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => undefined);
    // Unread, it would never see the other side leave.
    socket.resume();
    serve(socket);
  });
  const port = await listen(tcp, 0);
  return {
    port,
    sockets,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      const closed = once(tcp, 'close');
      tcp.close();
      await closed;
    },
  };
};
