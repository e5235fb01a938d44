import { lutimesSync, rmSync } from 'node:fs';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { generations, generationsMax, parseGenerations } from '../../src/remote/generations.ts';
import { answered, exited, fakeRemote, lost } from './fake-remote.ts';
import { addToplevel, hashed, type LocalMachine, localMachine } from './local-machine.ts';
import { machineNamed } from './machine.ts';

const machine = machineNamed('grey-area');
const ask = (remote: ReturnType<typeof fakeRemote>, number?: number) =>
  generations(remote, machine, { deadlineMs: 20_000, ...(number === undefined ? {} : { number }) });

describe('the generations of a machine, with the script in a real shell', () => {
  let local: LocalMachine;
  const profiles = '/nix/var/nix/profiles';
  const letters = 'abcdfghijklmnpqrsvwxyz';
  const made = new Map<string, string>();
  const make = (number: number): string => {
    const letter = letters[number % letters.length] ?? 'a';
    const toplevel = made.get(letter) ?? addToplevel(local, letter);
    made.set(letter, toplevel);
    local.link(`${profiles}/system-${number}-link`, toplevel);
    return toplevel;
  };
  const leadsTo = (number: number): void => local.link(`${profiles}/system`, `system-${number}-link`);
  beforeEach(() => {
    local = localMachine();
    made.clear();
  });
  afterEach(() => local.remove());

  it('are listed newest first, with what runs, what was booted and what would be', async () => {
    const [old, tried, next] = [make(9), make(10), make(11)];
    leadsTo(10);
    lutimesSync(local.path(`${profiles}/system-9-link`), 1_700_000_000, 1_700_000_000);
    local.link('/run/booted-system', old);
    local.link('/run/current-system', next);
    const got = await ask(local.remote);
    expect(got).toMatchObject({
      ok: true,
      value: [
        { number: 11, toplevel: next, isDefault: false, isCurrent: true, isBooted: false },
        { number: 10, toplevel: tried, isDefault: true, isCurrent: false, isBooted: false },
        {
          number: 9,
          toplevel: old,
          isDefault: false,
          isCurrent: false,
          isBooted: true,
          at: 1_700_000_000_000,
        },
      ],
    });
    expect(got.ok && got.value[0]).toMatchObject({
      nixosVersion: '25.11.20260101.abcdef',
      parts: { initrd: hashed('m', 'initrd'), params: 'quiet root=/dev/vda loglevel=4' },
    });
  });

  it('that were collected are not among them', async () => {
    const [gone, here] = [make(1), make(2)];
    leadsTo(2);
    rmSync(local.path(gone), { recursive: true });
    const got = await ask(local.remote);
    expect(got.ok && got.value.map(({ toplevel }) => toplevel)).toEqual([here]);
  });

  it('are bounded, and the one asked for, the boot default and the one before it are always there', async () => {
    for (let number = 1; number <= generationsMax + 6; number += 1) make(number);
    leadsTo(4);
    const got = await ask(local.remote, 1);
    const numbers = got.ok ? got.value.map(({ number }) => number) : [];
    expect(numbers).toHaveLength(generationsMax + 3);
    expect(numbers.slice(-3)).toEqual([4, 3, 1]);
    expect(got.ok && got.value.find(({ isDefault }) => isDefault)?.number).toBe(4);
  });

  it('of a machine without a system profile are none', async () => {
    expect(await ask(local.remote)).toEqual({ ok: true, value: [] });
  });
});

describe('an answer about generations', () => {
  const toplevel = hashed('a', 'nixos-system-x');

  it('that is not of the form is no generation', () => {
    const answer = answered(
      'generations',
      'default=system-2-link',
      `generation=2 1700000000 ${toplevel}`,
      `generation=3 soon ${toplevel}`,
      `generation=4 1700000000 /etc/passwd`,
      `generation=5 1700000000 ${toplevel}/bin`,
      'generation=$(reboot) 1 /nix/store/x',
      '2-version=26.05 \u001b[2Jx',
    );
    const read = answer.ok ? parseGenerations(answer.value) : 'lost';
    expect(read).toMatchObject([
      { number: 2, at: 1_700_000_000_000, isDefault: true },
      { number: 3, at: null },
    ]);
    expect(typeof read !== 'string' && read[0]?.nixosVersion).not.toContain('\u001b');
  });

  it('never throws, whatever it says', () => {
    fc.assert(
      fc.property(fc.array(fc.string()), fc.string(), (lines, text) => {
        const said = [...lines, `generation=${text}`, `default=${text}`].map((line) =>
          line.replaceAll('\n', ' '),
        );
        const answer = answered('generations', ...said);
        if (answer.ok) parseGenerations(answer.value);
      }),
    );
  });

  it('that is cut short or missing is a failure that says so', async () => {
    const cut = await ask(fakeRemote(() => exited(0, 'lab-generations\n')));
    expect(cut).toMatchObject({ ok: false, failure: { kind: 'ssh-protocol', phase: 'generations' } });
    const gone = await ask(fakeRemote(() => lost()));
    expect(gone).toMatchObject({ ok: false, failure: { kind: 'ssh-unreachable', machine: 'grey-area' } });
  });
});
