import { expect, test } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import { copyClosure } from '../../src/nix-integration/copy.ts';
import type { ProcessOptions, ProcessResult } from '../../src/process/run.ts';
import { ended } from '../process/ended.ts';
import { failureOf, succeeded } from './world.ts';

const toplevel = '/nix/store/7jgr0qa2fz62jwd44pigv1vwx0zs3pi7-nixos-system-nas';
const request = {
  machine: 'nas',
  toplevel,
  destination: 'nas',
  sshConfigPath: '/run/lab/ssh_config',
  deadlineMs: 1_000,
};

/** Plays a `nix copy` that says `lines` on stderr. */
const play = (lines: readonly string[], result: Partial<ProcessResult> = { code: 1 }) => {
  const calls: { readonly argv: readonly string[]; readonly options: ProcessOptions }[] = [];
  const context = {
    clock: systemClock,
    runProcess: async (argv: readonly string[], options: ProcessOptions) => {
      calls.push({ argv, options });
      for (const line of lines) options.onStderrLine?.(line);
      return { ...ended, ...result };
    },
  };
  return { calls, context };
};
const error = (raw: string) =>
  `@nix ${JSON.stringify({ action: 'msg', level: 0, msg: `error: ${raw}`, raw_msg: raw })}`;

test('copies over ssh with the configuration given, and tells progress', async () => {
  const start = { action: 'start', id: 1, type: 100, text: '', fields: [toplevel, 'a', 'b'] };
  const { calls, context } = play([`@nix ${JSON.stringify(start)}`], { code: 0 });
  const lines: string[] = [];
  succeeded(await copyClosure(context, { ...request, onProgress: (line) => lines.push(line) }));
  expect(calls[0]?.argv.slice(-5)).toEqual([
    '--to',
    'ssh-ng://nas',
    '--substitute-on-destination',
    '--no-check-sigs',
    toplevel,
  ]);
  expect(calls[0]?.options).toMatchObject({
    deadlineMs: 1_000,
    env: { NIX_SSHOPTS: '-F /run/lab/ssh_config' },
  });
  expect(lines).toEqual(['copying nixos-system-nas']);
});

test('failures are told apart', async () => {
  const kindFor = async (lines: readonly string[], result?: Partial<ProcessResult>) =>
    failureOf(await copyClosure(play(lines, result).context, request)).kind;
  const lost = error("cannot open connection to remote store 'ssh-ng://nas': error: unexpected end-of-file");
  expect(await kindFor(['Host key verification failed.', lost])).toBe('hostkey');
  expect(await kindFor(['lab@nas: Permission denied (publickey).', lost])).toBe('auth');
  expect(await kindFor(['ssh: connect to host nas port 22: Connection refused', lost])).toBe('unreachable');
  expect(await kindFor([lost])).toBe('connection-lost');
  const daemon = error('splicing data from daemon socket to stdout: Connection reset by peer');
  expect(await kindFor([daemon, lost])).toBe('connection-lost');
  expect(await kindFor(['Timeout, server 10.0.0.1 not responding.', lost])).toBe('unreachable');
  expect(await kindFor([lost, error('writing to file: No space left on device')])).toBe('disk-full');
  expect(await kindFor(['bash: line 1: nix-daemon: command not found', lost])).toBe('nix-missing-there');
  const noise =
    "cannot open connection to remote store 'ssh-ng://nas': error: protocol mismatch, got 'WELCOME";
  expect(await kindFor([error(`${noise}\n\u001b[31mto nas'`)])).toBe('login-noise');
  expect(await kindFor([error(`path '${toplevel}' lacks a valid signature`)])).toBe('signature');
  expect(await kindFor([error('writing to file: No space left on device')])).toBe('disk-full');
  expect(await kindFor([], { code: null, signal: 'SIGTERM', timedOut: true })).toBe('timeout');
  expect(await kindFor([], { code: null, cancelled: true })).toBe('cancelled');
  expect(await kindFor([], { code: null, startError: 'spawn nix ENOENT' })).toBe('nix-missing');
  expect(await kindFor([])).toBe('nix-silent');
});

test('what cannot be an ssh host or an ssh option never reaches a command', async () => {
  const { calls, context } = play([]);
  for (const destination of ['-oProxyCommand=x', 'a b', 'nas/?x', '', 'a@b@c']) {
    expect(failureOf(await copyClosure(context, { ...request, destination })).kind).toBe('ssh-host');
  }
  expect(failureOf(await copyClosure(context, { ...request, sshConfigPath: '/a b/ssh_config' })).kind).toBe(
    'ssh-config',
  );
  await expect(copyClosure(context, { ...request, toplevel: '--help' })).rejects.toThrow(TypeError);
  expect(calls).toEqual([]);
});
