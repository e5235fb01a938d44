import { describe, expect, it, onTestFinished } from 'vitest';
import { closure } from '../../src/remote/closure.ts';
import { closurePathsMax } from '../../src/text/path-info.ts';
import { answered, exited, fakeRemote, lost } from './fake-remote.ts';
import { addToplevel, hashed, localMachine } from './local-machine.ts';
import { machineNamed } from './machine.ts';

const machine = machineNamed('grey-area');
const toplevel = hashed('a', 'nixos-system-test');
const ask = (remote: Parameters<typeof closure>[0], of = toplevel) => closure(remote, machine, of, {});

describe('the closure of what a machine runs', () => {
  it('is listed by its own Nix, in a real shell', async () => {
    const local = localMachine();
    onTestFinished(() => local.remove());
    const runs = addToplevel(local, 'a');
    local.play('path-info', `${hashed('b', 'linux-6.12.8')}  \t     816\n${runs}\t   10944\n`);
    expect(await ask(local.remote, runs)).toEqual({
      ok: true,
      value: [
        { path: hashed('b', 'linux-6.12.8'), bytes: 816 },
        { path: runs, bytes: 10_944 },
      ],
    });
  });

  it('is told apart from one that was collected', async () => {
    const local = localMachine();
    onTestFinished(() => local.remove());
    expect(await ask(local.remote)).toMatchObject({
      ok: false,
      failure: { kind: 'not-there', message: /no longer has/u },
    });
  });

  it('is asked for once more after a lost connection, and what a login shell prints does no harm', async () => {
    const remote = fakeRemote(() => exited(0, `Welcome!\nlab-closure\n${toplevel}  12\nlab-end\n`));
    expect(await ask(remote)).toMatchObject({ ok: true });
    expect(remote.calls[0]?.options).toMatchObject({ idempotent: true });
  });

  it.each([
    ['was cut short', exited(0, `lab-closure\n${toplevel}  12\n`)],
    ['holds something else', answered('closure', `${toplevel}  12`, 'warning: \u001b[31mred')],
    ['is empty', exited(0, 'lab-closure\nlab-end\n')],
    ['has too many lines', answered('closure', ...Array(closurePathsMax + 1).fill(`${toplevel}  1`))],
    ['comes without Nix', exited(127, 'lab-closure\n', 'sh: 1: nix: not found\n')],
  ])('is not known where the answer %s', async (_what, answer) => {
    const got = await ask(fakeRemote(() => answer));
    expect(got).toMatchObject({ ok: false, failure: { kind: 'ssh-protocol', machine: 'grey-area' } });
    expect(!got.ok && got.failure.message).not.toContain('\u001b');
  });

  it('is not known of a machine that is away', async () => {
    expect(await ask(fakeRemote(() => lost()))).toMatchObject({
      ok: false,
      failure: { kind: 'ssh-unreachable' },
    });
  });
});
