import { userInfo } from 'node:os';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseLogins } from '../../src/remote/logins.ts';
import { preflight } from '../../src/remote/preflight.ts';
import { readRecord } from '../../src/remote/record.ts';
import { answered } from './fake-remote.ts';
import { type LocalMachine, localMachine } from './local-machine.ts';
import { machineNamed } from './machine.ts';

/** Who counts as somebody who is logged in: people at a terminal or a screen, and no tool, `lab` least of all. */

const now = Date.UTC(2026, 10, 21, 3, 0, 0);
const minuteMs = 60_000;

type Told = Partial<{
  Name: string;
  TTY: string;
  RemoteHost: string;
  Seat: string;
  Scope: string;
  Type: string;
  Class: string;
  State: string;
  IdleHint: boolean;
  /** Milliseconds before now. */
  since: number;
  idleSince: number | null;
}>;

const session = (told: Told = {}): string => {
  const held = (type: string, data: unknown) => ({ type, data });
  return JSON.stringify({
    type: 'a{sv}',
    data: [
      {
        Id: held('s', '3'),
        Name: held('s', told.Name ?? 'amy'),
        Timestamp: held('t', (now - (told.since ?? 10 * minuteMs)) * 1_000),
        TTY: held('s', told.TTY ?? 'pts/0'),
        RemoteHost: held('s', told.RemoteHost ?? '192.0.2.7'),
        Seat: held('(so)', [told.Seat ?? '', '/']),
        Scope: held('s', told.Scope ?? 'session-3.scope'),
        Type: held('s', told.Type ?? 'tty'),
        Class: held('s', told.Class ?? 'user'),
        State: held('s', told.State ?? 'active'),
        IdleHint: held('b', told.IdleHint ?? false),
        IdleSinceHint: held('t', told.idleSince === null ? 0 : (now - (told.idleSince ?? minuteMs)) * 1_000),
      },
    ],
  });
};

const read = (...lines: readonly string[]) => {
  const answer = answered('preflight', `clock=${now / 1_000}`, ...lines);
  if (!answer.ok) throw new Error('no answer');
  const record = readRecord('preflight', answer.value);
  if (typeof record === 'string') throw new Error(record);
  return parseLogins(record);
};
const loginsOf = (told: Told, ...more: readonly string[]) => read(`session=${session(told)}`, ...more).logins;

describe('a session that logind tells of', () => {
  it('counts with its name, place, origin and times', () => {
    expect(loginsOf({})).toEqual([
      {
        user: 'amy',
        on: 'pts/0',
        from: '192.0.2.7',
        since: now - 10 * minuteMs,
        idleMs: minuteMs,
        own: false,
      },
    ]);
  });

  it.each<[string, Told]>([
    ['ssh without a terminal, as lab and other tools use it', { TTY: '' }],
    ['the login screen', { TTY: 'tty7', Seat: 'seat0', Class: 'greeter' }],
    ['cron', { TTY: '', Class: 'background' }],
    ['the manager of a user', { TTY: '', Class: 'manager' }],
    ['one that has been left, with a tmux still in it', { State: 'closing' }],
  ])('does not count: %s', (_what, told) => {
    expect(loginsOf(told)).toEqual([]);
  });

  it.each<[string, Told, string]>([
    ['a desktop', { TTY: '', RemoteHost: '', Seat: 'seat0', Type: 'wayland' }, 'seat0'],
    ['a remote desktop', { TTY: '', Type: 'x11' }, 'a terminal'],
    ['a session kind of a newer systemd', { Class: 'user-light' }, 'pts/0'],
  ])('counts: %s', (_what, told, on) => {
    expect(loginsOf(told)).toMatchObject([{ on }]);
  });

  it('counts where its processes have a terminal that logind does not know of', () => {
    expect(loginsOf({ TTY: '' }, 'terminal=session-3.scope')).toMatchObject([{ on: 'a terminal' }]);
    expect(loginsOf({ TTY: '' }, 'terminal=session-33.scope')).toEqual([]);
  });

  it('is told apart when lab itself runs in it', () => {
    expect(loginsOf({}, 'own=session-3.scope')).toMatchObject([{ own: true }]);
    expect(loginsOf({ Scope: '' }, 'own=')).toMatchObject([{ own: false }]);
  });

  it('of a desktop is idle when the desktop says so, of a terminal since its last input', () => {
    const screen: Told = { Seat: 'seat0', Type: 'wayland', idleSince: 40 * minuteMs };
    expect(loginsOf({ ...screen, IdleHint: false })).toMatchObject([{ idleMs: 0 }]);
    expect(loginsOf({ ...screen, IdleHint: true })).toMatchObject([{ idleMs: 40 * minuteMs }]);
    expect(loginsOf({ idleSince: 40 * minuteMs })).toMatchObject([{ idleMs: 40 * minuteMs }]);
    expect(loginsOf({ idleSince: null })).toMatchObject([{ idleMs: null }]);
  });

  it('shows no control characters of names', () => {
    expect(loginsOf({ Name: 'a\u001b[31mmy', RemoteHost: 'x\ny' })[0]?.user).not.toMatch(/\p{Cc}/u);
  });
});

describe('who is logged in is not known', () => {
  const why = (...lines: readonly string[]) => read(...lines).loginsUnknown;

  it('where logind, which is there, said nothing of it', () => {
    expect(why('sessions=there', `session=${session()}`)).toBeNull();
    expect(why('sessions=none')).toBeNull();
    expect(why('sessions=silent')).toBe('logind did not say who is logged in');
    expect(why()).toBe('logind did not say who is logged in');
  });

  it('where a session tells nothing that can be read', () => {
    const unreadable = 'what logind says of somebody who is logged in cannot be read';
    expect(why('sessions=there', 'unread=_33')).toBe(unreadable);
    expect(why('sessions=there', 'session={"type":"a{sv}"}')).toBe(unreadable);
  });
});

describe('without logind, what utmp says counts', () => {
  it('with name, line, origin and times', () => {
    expect(
      read(
        'login=lab      pts/0        2026-11-21 02:50   .            75 (10.77.255.254)',
        'login=amy      tty1         2026-11-20 02:50 01:30          80',
        'login=bob      pts/3        2026-11-01 02:50  old           81 (2001:db8::7)',
        'login=nonsense',
      ).logins,
    ).toEqual([
      { user: 'lab', on: 'pts/0', from: '10.77.255.254', since: now - 10 * minuteMs, idleMs: 0, own: false },
      { user: 'amy', on: 'tty1', from: null, since: expect.any(Number), idleMs: 90 * minuteMs, own: false },
      {
        user: 'bob',
        on: 'pts/3',
        from: '2001:db8::7',
        since: expect.any(Number),
        idleMs: 86_400_000,
        own: false,
      },
    ]);
  });
});

it('whatever a machine prints is read or left out, and is bounded', () => {
  const text = fc.oneof(
    fc.string(),
    fc.json(),
    fc.constant(session()),
    fc.constant('lab      pts/0        2026-11-21 02:50   .            75 (10.77.255.254)'),
  );
  const line = fc.tuple(fc.constantFrom('session', 'login', 'terminal', 'own', 'me', 'clock'), text);
  fc.assert(
    fc.property(fc.array(line, { maxLength: 80 }), (lines) => {
      const { logins } = read(...lines.map(([key, value]) => `${key}=${value.replaceAll('\n', ' ')}`));
      expect(logins.length).toBeLessThanOrEqual(32);
    }),
  );
});

describe('the script in a real shell', () => {
  const machine = machineNamed('reverse-proxy');
  let local: LocalMachine;
  beforeEach(() => {
    local = localMachine();
    local.play('df_nix_store', '');
    local.play('df_boot', '');
  });
  afterEach(() => local.remove());
  const logins = async () => {
    const got = await preflight(local.remote, machine, { deadlineMs: 10_000 });
    return got.ok ? got.value.logins : got.failure;
  };

  it('asks logind for each session', async () => {
    const path = (id: string): string => `/org/freedesktop/login1/session/_3${id}`;
    const rows = ['1', '2'].map((id) => [id, 0, 'amy', '', path(id)]);
    local.play('sessions', JSON.stringify({ type: 'a(susso)', data: [rows] }));
    local.play('session_31', session());
    local.play('session_32', session({ Name: 'bob', TTY: '' }));
    local.play('inhibitors', '{"data":[[]]}');
    const got = await preflight(local.remote, machine, { deadlineMs: 10_000 });
    expect(got).toMatchObject({ value: { logins: [{ user: 'amy' }], loginsUnknown: null } });
  });

  it('takes a session that is listed and tells nothing for one that nobody knows of', async () => {
    const path = '/org/freedesktop/login1/session/_33';
    local.play('sessions', JSON.stringify({ type: 'a(susso)', data: [[['3', 0, 'amy', '', path]]] }));
    local.play('inhibitors', '{"data":[[]]}');
    const got = await preflight(local.remote, machine, { deadlineMs: 10_000 });
    expect(got).toMatchObject({
      value: { logins: [], loginsUnknown: expect.stringContaining('cannot be read') },
    });
  });

  it('asks utmp where there is no logind', async () => {
    local.play('who', 'lab      pts/0        2026-11-21 02:50   .            75 (10.77.255.254)\n');
    expect(await logins()).toMatchObject([{ user: 'lab', on: 'pts/0' }]);
    local.play('who', '');
    expect(await logins()).toEqual([]);
  });

  it('knows as whom it asks', async () => {
    const got = await preflight(local.remote, machine, { deadlineMs: 10_000 });
    expect(got).toMatchObject({ value: { askedBy: expect.arrayContaining([userInfo().username]) } });
  });
});
