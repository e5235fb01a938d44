import { z } from 'zod';
import type { Login, PreflightFacts } from '../ports.ts';
import { sanitiseLine } from '../text/sanitise.ts';
import type { ScriptRecord } from './record.ts';

/**
 * Who is logged in, as logind tells it over the bus in JSON, session by session; where there is no logind, as utmp has
 * it (`who -u`). A session counts as a login of a person when it has a terminal or a screen: ssh without one is a
 * tool, such as `lab` itself. logind knows the terminal of an ssh session only by way of utmp, which not every system
 * keeps, so the session's own processes are looked at for one too (proc_pid_stat(5), field 7). A part of the preflight
 * script: it uses `put` and what that knows of `logind` by then, and holds nothing that needs quoting in single quotes. A
 * session that ends while it is asked about is none; one that is still listed and tells nothing is unread.
 */
export const loginsScript = `put clock "$(date +%s)"
put me "$(id -un)"
put me "$SUDO_USER"
put own "$(grep -o 'session-[^/]*[.]scope' /proc/self/cgroup 2>/dev/null | head -n 1)"
ask() { timeout 5 busctl --system --json=short call org.freedesktop.login1 "$@" 2>/dev/null | head -c 8192 | tr '\\n' ' '; }
list() { ask /org/freedesktop/login1 org.freedesktop.login1.Manager ListSessions; }
paths() { grep -o '/org/freedesktop/login1/session/[A-Za-z0-9_]*'; }
sessions=
if [ "$logind" = there ]; then
  sessions=$(list)
  if [ -z "$sessions" ]; then logind=$(seek_logind); fi
fi
put sessions "$logind"
case "$sessions" in
  '')
    TZ=UTC timeout 5 who -u 2>/dev/null | head -n 32 | while IFS= read -r line; do put login "$line"; done
    ;;
  *)
    printf '%s' "$sessions" | paths | head -n 32 |
      while read -r path; do
        session=$(ask "$path" org.freedesktop.DBus.Properties GetAll s org.freedesktop.login1.Session)
        if [ -n "$session" ]; then put session "$session"; continue; fi
        again=$(list)
        if [ -z "$again" ] || printf '%s' "$again" | paths | grep -qx "$path"; then
          put unread "\${path##*/}"
          break
        fi
      done
    for scope in /sys/fs/cgroup/user.slice/user-*.slice/session-*.scope; do
      head -n 32 "$scope/cgroup.procs" 2>/dev/null | while read -r pid; do
        { read -r stat <"/proc/$pid/stat"; } 2>/dev/null || continue
        set -- \${stat##*) }
        if [ "\${5:-0}" != 0 ]; then put terminal "\${scope##*/}"; break; fi
      done
    done
    ;;
esac
`;

const loginsMax = 32;

const value = <T extends z.ZodType>(data: T) => z.object({ data });
const word = value(z.string().max(256));
/** What `GetAll` says of a session: `{"type":"a{sv}","data":[{"Name":{"type":"s","data":"amy"}, …}]}`; times in µs. */
const Session = z.object({
  data: z.tuple([
    z.object({
      Name: word,
      Timestamp: value(z.number()),
      TTY: word,
      RemoteHost: word,
      Seat: value(z.tuple([z.string().max(256)], z.unknown())),
      Scope: word,
      Type: word,
      Class: word,
      State: word,
      IdleHint: value(z.boolean()),
      IdleSinceHint: value(z.number()),
    }),
  ]),
});

export const parseJson = (json: string): unknown => {
  try {
    return JSON.parse(json);
  } catch {
    return null;
  }
};

const shown = (text: string): string => sanitiseLine(text, 64);

/** When somebody last did something at it: a desktop says so itself, a terminal by the time of its last input. */
const idleMsOf = (
  { Type, IdleHint, IdleSinceHint }: z.infer<typeof Session>['data'][0],
  now: number | null,
): number | null => {
  const graphical = Type.data === 'x11' || Type.data === 'wayland' || Type.data === 'mir';
  if (graphical && !IdleHint.data) return 0;
  return now === null || IdleSinceHint.data <= 0 ? null : Math.max(0, now - IdleSinceHint.data / 1_000);
};

const ofSession = (
  json: string,
  now: number | null,
  own: string | null,
  terminals: readonly string[],
): readonly Login[] | null => {
  const parsed = Session.safeParse(parseJson(json));
  if (!parsed.success) return null;
  const session = parsed.data.data[0];
  const [tty, seat] = [session.TTY.data, session.Seat.data[0]];
  const somewhere =
    tty !== '' || seat !== '' || session.Type.data === 'x11' || session.Type.data === 'wayland';
  // `user`, and the newer `user-early` and `user-light`; not the login screen, cron or the manager of a user.
  const person = session.Class.data.startsWith('user') && session.State.data !== 'closing';
  if (!person || !(somewhere || terminals.includes(session.Scope.data))) return [];
  return [
    {
      user: shown(session.Name.data),
      on: shown(tty !== '' ? tty : seat !== '' ? seat : 'a terminal'),
      from: session.RemoteHost.data === '' ? null : shown(session.RemoteHost.data),
      since: session.Timestamp.data > 0 ? session.Timestamp.data / 1_000 : null,
      idleMs: idleMsOf(session, now),
      own: session.Scope.data === own,
    },
  ];
};

/** `amy      pts/0        2026-11-21 03:01   .            75 (10.0.0.9)`: name, line, since (UTC), idle, pid, host. */
const whoLine =
  /^(\S+)\s+(\S+)\s+(\d{4}-\d\d-\d\d) (\d\d:\d\d)\s+(\.|old|\?|\d\d:\d\d)\s+\d+(?:\s+\(([^)]{0,256})\))?\s*$/;

const idleOf = (text: string): number | null => {
  if (text === '.') return 0;
  if (text === 'old') return 86_400_000;
  const [hours, minutes] = text.split(':').map(Number);
  return hours === undefined || minutes === undefined ? null : (hours * 60 + minutes) * 60_000;
};

const ofWho = (line: string): readonly Login[] => {
  const match = whoLine.exec(line);
  if (match === null) return [];
  const [, user = '', on = '', day = '', time = '', idle = '', from] = match;
  const since = Date.parse(`${day}T${time}Z`);
  return [
    {
      user: shown(user),
      on: shown(on),
      from: from === undefined ? null : shown(from),
      since: Number.isNaN(since) ? null : since,
      idleMs: idleOf(idle),
      own: false,
    },
  ];
};

type Logins = Pick<PreflightFacts, 'logins' | 'loginsUnknown' | 'askedBy'>;

const silent = 'logind did not say who is logged in';
const unread = 'what logind says of somebody who is logged in cannot be read';

/** What the answer of `loginsScript` says. A line of utmp that is none is left out. */
export const parseLogins = ({ first, all }: ScriptRecord): Logins => {
  const clock = /^\d{1,12}$/.test(first('clock') ?? '') ? Number(first('clock')) * 1_000 : null;
  const own = first('own') === '' ? null : first('own');
  const terminals = all('terminal');
  const sessions = all('session').map((json) => ofSession(json, clock, own, terminals));
  const told = first('sessions');
  return {
    logins: [...sessions.flatMap((logins) => logins ?? []), ...all('login').flatMap(ofWho)].slice(
      0,
      loginsMax,
    ),
    loginsUnknown:
      told !== 'there' && told !== 'none'
        ? silent
        : all('unread').length > 0 || sessions.includes(null)
          ? unread
          : null,
    askedBy: all('me')
      .map(shown)
      .filter((user) => user !== ''),
  };
};
