import { quoteForRemoteShell } from './quote.ts';

/*
 * What runs on the far side. Both scripts are constants; what varies goes in as words. They hold neither backslashes
 * nor single quotes, so that login shells which quote otherwise than POSIX (fish) hand them on unchanged.
 */

/**
 * To csh a quote ends with its line: it would take each line of a script for a command of its own. So it is asked first, and
 * says what is wrong in place of that.
 */
const notToCsh =
  'test -z "$tcsh" || exec sh -c "echo its login shell is tcsh, which takes no scripts >&2; exit 126"\n';

/**
 * Says which session the command runs in, then becomes the command. sshd makes each command the leader of a session
 * (`setsid` in its `do_exec_no_pty`); where a server does not, setsid(1) does. The start time of the leader, field
 * 22 of /proc/PID/stat, tells it from a later process with the same number. Who cannot say it does not become it: a
 * command whose caller has left while the login shell still read its start-up files never begins.
 */
const announce = `n=$1
shift
s=
t=
f() { s=$4 t=\${20}; }
if read -r l </proc/$$/stat; then f \${l##*) }; fi 2>/dev/null
if [ "$s" = $$ ]; then
echo "$n $$ $t" || exit 1
exec "$@"
fi
if [ "$t" ] && command -v setsid >/dev/null 2>&1; then
echo "$n $$ $t" || exit 1
exec setsid "$@"
fi
echo "$n - -" || exit 1
exec "$@"`;

/**
 * Stops everything that descends from a session: its members, their children, and the sessions those have made (sudo
 * with use_pty makes one). TERM, two seconds, then KILL. Exit 0 when nothing is left, 3 when something is.
 */
const stop = `stat_of() {
l=
read -r l <"/proc/$1/stat" || return 1
set -- "$1" \${l##*) }
pid=$1 state=$2 ppid=$3 sid=$5 start=\${21}
[ "$state" != Z ] && [ "$state" != X ]
} 2>/dev/null
if stat_of "$1" && [ "$start" != "$2" ]; then exit 0; fi
known=" $1 "
marked=
gather() {
more=yes
while [ "$more" ]; do
more=
for d in /proc/[0-9]*; do
stat_of "\${d#/proc/}" || continue
case $marked in *" $pid:$start "*) continue ;; esac
case $known in
*" $pid "* | *" $ppid "* | *" $sid "*)
known="$known$pid "
marked="$marked $pid:$start "
more=yes
;;
esac
done
done
}
living() {
left=
for m in $marked; do
if stat_of "\${m%:*}" && [ "$start" = "\${m#*:}" ]; then left="$left $pid"; fi
done
[ "$left" ]
}
wait_for_end() {
i=0
while living; do
i=$((i + 1))
[ $i -gt 20 ] && return 1
sleep 0.1 2>/dev/null || sleep 1
done
}
gather
living || exit 0
kill -TERM $left 2>/dev/null
wait_for_end && exit 0
gather
living && kill -KILL $left 2>/dev/null
wait_for_end && exit 0
echo $left
exit 3`;

/** The session of a remote command: its leader's number and start time, as the far side printed them. */
export type RemoteSession = { readonly leader: string; readonly startedAt: string };

/** Longer lines do not fit into one argument of execve (MAX_ARG_STRLEN is 128 KiB). */
const lineBytesMax = 120 * 1024;

const bounded = (line: string): string => {
  if (Buffer.byteLength(line) > lineBytesMax)
    throw new RangeError(`a remote command is longer than ${lineBytesMax} bytes: send it on stdin`);
  return line;
};

const asRootPrefix = ['sudo', '-n', '--'];

/** `argv` as root, unless the login user is root already. */
export const asRootArgv = (argv: readonly string[], user: string): readonly string[] =>
  user === 'root' ? argv : [...asRootPrefix, ...argv];

/** The command line that runs `argv` and first prints `nonce LEADER STARTED` (dashes where there is no session). */
export const announcedLine = (nonce: string, argv: readonly string[]): string =>
  bounded(`${notToCsh}exec ${quoteForRemoteShell(['/bin/sh', '-c', announce, 'sh', nonce, ...argv])}`);

/** The command line that stops a session; `user` is the login user, `asRoot` whether the command ran as root. */
export const stopLine = (session: RemoteSession, user: string, asRoot: boolean): string => {
  const argv = ['/bin/sh', '-c', stop, 'sh', session.leader, session.startedAt];
  return bounded(`${notToCsh}exec ${quoteForRemoteShell(asRoot ? asRootArgv(argv, user) : argv)}`);
};

const announcementBytesMax = 64 * 1024;

/** Takes the announcement off the beginning of stdout, and with it whatever the login shell's start-up files print. */
export type Announcement = {
  /** The part of `chunk` that is the command's own output, as far as that is known. */
  push(chunk: Buffer): Buffer;
  /** What was held back, when the output has ended. */
  flush(): Buffer;
  /** Null while it has not come, or where there is no session to stop. */
  session(): RemoteSession | null;
  /** Resolves when the announcement has come, or will not. */
  readonly told: Promise<void>;
};

export const createAnnouncement = (nonce: string): Announcement => {
  const mark = Buffer.from(`${nonce} `);
  let held: Buffer | null = Buffer.alloc(0);
  let session: RemoteSession | null = null;
  const { promise: told, resolve: tell } = Promise.withResolvers<void>();
  const giveBack = (): Buffer => {
    const rest = held ?? Buffer.alloc(0);
    held = null;
    tell();
    return rest;
  };
  return {
    push: (chunk) => {
      if (held === null) return chunk;
      held = Buffer.concat([held, chunk]);
      const from = held.indexOf(mark);
      const end = from === -1 ? -1 : held.indexOf(0x0a, from);
      if (end === -1) return held.length > announcementBytesMax ? giveBack() : Buffer.alloc(0);
      const said = /^(?<leader>\d{1,10}) (?<startedAt>\d{1,20})\r?$/u.exec(
        held.toString('latin1', from + mark.length, end),
      )?.groups;
      const { leader, startedAt } = said ?? {};
      if (leader !== undefined && startedAt !== undefined) session = { leader, startedAt };
      const own = held.subarray(end + 1);
      held = null;
      tell();
      return own;
    },
    flush: giveBack,
    session: () => session,
    told,
  };
};
