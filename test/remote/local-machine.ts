import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { ok } from '../../src/failure.ts';
import { runProcess } from '../../src/process/run.ts';
import { type FakeRemote, fakeRemote } from './fake-remote.ts';

const fakePrograms = join(import.meta.dirname, 'fake-machine');
const ownPaths = /(?<![A-Za-z0-9._-])\/(?=(?:nix|run|proc|sys|var\/lib)\/)/g;

/**
 * A folder that plays a machine: the scripts run in a real /bin/sh, with `/nix/`, `/run/`, `/proc/`, `/sys/` and `/var/lib/` moved into the
 * folder on the way in and back on the way out, and with systemd, Nix and logind played by small programs.
 */
export type LocalMachine = {
  readonly remote: FakeRemote;
  /** Where `/nix/…` and the like lie in truth. */
  readonly path: (path: string) => string;
  readonly write: (path: string, text: string, mode?: number) => void;
  readonly link: (path: string, target: string) => void;
  /** State of the played programs: `state`, `failed`, `log`, `units/NAME/exit` … */
  readonly play: (file: string, text: string) => void;
  readonly played: (file: string) => string;
  /** What finds the played programs and their state, for processes that a test starts itself. */
  readonly env: { readonly PATH: string; readonly LAB_FAKE: string };
  readonly remove: () => void;
};

/** `systemd: false`: PID 1 is something else, though its programs are installed; processes are the real ones. */
export const localMachine = ({ systemd = true } = {}): LocalMachine => {
  const root = mkdtempSync(join(tmpdir(), 'lab-machine-'));
  const fake = join(root, 'fake');
  const path = (at: string): string => at.replace(ownPaths, `${root}/`);
  const write = (at: string, text: string, mode = 0o644): void => {
    mkdirSync(dirname(path(at)), { recursive: true });
    writeFileSync(path(at), text, { mode });
  };
  const play = (file: string, text: string): void => {
    mkdirSync(dirname(join(fake, file)), { recursive: true });
    writeFileSync(join(fake, file), text);
  };
  play('state', 'running\n');
  play('failed', '');
  if (systemd) {
    write('/proc/sys/kernel/random/boot_id', '0f0e0d0c-0b0a-4908-8706-050403020100\n');
    write('/proc/uptime', '4711.42 9000.00\n');
    write('/proc/1/stat', `1 (a ) of (init) S 0 1 1 0 -1 ${'0 '.repeat(13)}1142 99 ${'0 '.repeat(29)}\n`);
  } else symlinkSync('/proc', join(root, 'proc'));
  mkdirSync(path('/nix/store/'), { recursive: true });
  if (systemd) mkdirSync(path('/run/systemd/system/'), { recursive: true });
  const env = { PATH: `${fakePrograms}:${process.env.PATH}`, LAB_FAKE: fake };
  const remote = fakeRemote(async ({ argv, options }) => {
    const end = await runProcess(argv.map(path), {
      deadlineMs: options.deadlineMs,
      ...(options.signal === undefined ? {} : { signal: options.signal }),
      env,
    });
    const { code, signal, truncated } = end;
    return ok({
      code,
      signal,
      truncated,
      stdout: end.stdout.replaceAll(root, ''),
      stderr: end.stderr.replaceAll(root, ''),
    });
  });
  return {
    remote,
    env,
    path,
    write,
    play,
    link: (at, target) => {
      mkdirSync(dirname(path(at)), { recursive: true });
      symlinkSync(path(target), path(at));
    },
    played: (file) => readFileSync(join(fake, file), 'utf8'),
    remove: () => rmSync(root, { recursive: true, force: true }),
  };
};

export const hashed = (letter: string, name: string): string => `/nix/store/${letter.repeat(32)}-${name}`;

/** Puts a toplevel on the machine whose activation runs `activation` (shell) and whose parts are those of `system`. */
export const addToplevel = (machine: LocalMachine, letter: string, activation = 'exit 0'): string => {
  const toplevel = hashed(letter, 'nixos-system-test');
  for (const part of ['kernel', 'initrd', 'kernel-modules', 'systemd']) {
    machine.write(`${hashed(letter, part)}/file`, part);
    machine.link(
      `${toplevel}/${part}`,
      part === 'kernel' ? `${hashed(letter, part)}/file` : hashed(letter, part),
    );
  }
  machine.write(`${toplevel}/kernel-params`, 'quiet root=/dev/vda loglevel=4\n');
  machine.write(`${toplevel}/nixos-version`, '25.11.20260101.abcdef');
  machine.write(`${toplevel}/bin/switch-to-configuration`, `#!/bin/sh\n${activation}\n`, 0o755);
  return toplevel;
};
