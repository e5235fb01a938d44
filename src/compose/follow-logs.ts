import type { Failure } from '../failure.ts';
import type { Machine } from '../fleet/machine.ts';
import type { FollowLogs } from '../flow/session.ts';
import { runProcess } from '../process/run.ts';
import { quoteForRemoteShell } from '../ssh/quote.ts';
import { sanitiseLines } from '../text/sanitise.ts';

/** The journal of a machine, followed over ssh (or here, on the machine `lab` runs on). */

/** Lines that are there already are shown too: so many of them. */
const linesBefore = 200;
/** Nobody reads one journal for longer than this in one go. */
const deadlineMs = 24 * 3_600_000;
const unitPattern = /^[A-Za-z0-9_.@:\\-]{1,256}$/u;

/** The whole journal is for root, and for groups that lab's login need not be in. */
const asRoot = 'if [ "$(id -u)" = 0 ]; then exec journalctl "$@"; else exec sudo -n -- journalctl "$@"; fi';

export const journalArgv = (unit: string | null): readonly string[] => [
  'sh',
  '-c',
  asRoot,
  'journalctl',
  '--follow',
  '--no-pager',
  '--output=short-iso',
  `--lines=${linesBefore}`,
  ...(unit === null ? [] : [`--unit=${unit}`]),
];

const failureOf = (machine: string, message: string, remedy: string): Failure => ({
  kind: 'logs',
  machine,
  phase: 'logs',
  message,
  remedy,
});

/** `reach`: the argv in front of a remote command line, or null where the machine is this one. */
export const followLogsOver =
  (reach: (machine: Machine) => readonly string[] | null): FollowLogs =>
  async (machine, { unit, signal, onLine }) => {
    if (unit !== null && !unitPattern.test(unit))
      return failureOf(
        machine.name,
        `"${unit.slice(0, 60)}" is no name of a unit`,
        'name one as in `nginx.service`',
      );
    const prefix = reach(machine);
    const argv = prefix === null ? journalArgv(unit) : [...prefix, quoteForRemoteShell(journalArgv(unit))];
    const ended = await runProcess(argv, { deadlineMs, signal, outputCharsMax: 4_096, onStdoutLine: onLine });
    if (ended.cancelled || signal.aborted) return null;
    if (ended.startError !== null)
      return failureOf(
        machine.name,
        `journalctl could not be started: ${ended.startError}`,
        'install systemd',
      );
    const [last = `it ended with exit code ${ended.code ?? '?'}`] = sanitiseLines(ended.stderr, 1);
    return failureOf(machine.name, last, 'follow it anew with :logs');
  };
