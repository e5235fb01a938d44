import type { SshError } from '../ports.ts';
import type { ChannelProblem } from './connection.ts';
import { cancelled, sshError, timedOut } from './errors.ts';
import type { Limit } from './limit.ts';
import type { SshLimits } from './limits.ts';

/** What a command is called in messages. */
export type Named = { readonly label: string; readonly argv: readonly string[] };

const commandLengthShown = 80;

/** What each script of `src/remote` says first. Its beginning is the same in all of them, and would tell nobody anything. */
const ownScript = /^.*echo (?<name>lab-[a-z]+)$/mu;

const shown = ({ argv }: Named): string => {
  const own = argv.map((word) => ownScript.exec(word)?.groups?.name).find((name) => name !== undefined);
  const text = own ?? argv.join(' ');
  return `\`${text.length > commandLengthShown ? `${text.slice(0, commandLengthShown)}…` : text}\``;
};

export const disconnected = ({ label }: Named, why: string, dispatched: boolean): SshError =>
  sshError({
    kind: 'disconnected',
    host: label,
    phase: dispatched ? 'exec' : 'channel',
    dispatched,
    message: dispatched
      ? `the connection to ${label} was lost while a command ran there: ${why}`
      : `the connection to ${label} was lost before the command was sent: ${why}`,
    remedy: dispatched
      ? 'Nobody knows how the command ended: look at the machine before it is done again.'
      : 'Nothing has run; try again.',
  });

export const noChannel = (command: Named, problem: ChannelProblem): SshError =>
  problem.kind === 'lost'
    ? disconnected(command, problem.message, problem.dispatched)
    : sshError({
        kind: 'channel',
        host: command.label,
        phase: 'channel',
        dispatched: problem.dispatched,
        message: `${command.label} starts no command: ${problem.message}`,
        remedy: 'Look at sshd on the machine: MaxSessions, ForceCommand, and the shell of the login user.',
      });

export const notStarted = (command: Named, limit: Limit, limits: SshLimits, dispatched: boolean): SshError =>
  limit.why() === 'cancelled'
    ? cancelled(command.label, 'channel', dispatched)
    : timedOut(
        command.label,
        'channel',
        Math.min(limit.deadlineMs, limits.channelDeadlineMs),
        `${command.label} did not start ${shown(command)}`,
        dispatched,
      );

export const notEnded = (
  kind: 'stopped' | 'flood',
  command: Named,
  limit: Limit,
  limits: SshLimits,
  stillRuns: string | null,
): SshError => {
  const { label } = command;
  const after = stillRuns === null ? 'it was stopped' : `it may still run there: ${stillRuns}`;
  if (kind === 'flood')
    return sshError({
      kind: 'output-limit',
      host: label,
      phase: 'exec',
      dispatched: true,
      message: `${shown(command)} on ${label} printed more than ${limits.outputFloodBytesMax} bytes; ${after}`,
      remedy: 'Make the command print less, or look at the machine.',
    });
  if (limit.why() === 'cancelled') {
    const error = cancelled(label, 'exec', true);
    return stillRuns === null
      ? error
      : { ...error, message: `${error.message}; ${shown(command)}: ${after}` };
  }
  const error = timedOut(label, 'exec', limit.deadlineMs, `${shown(command)} on ${label} did not end`, true);
  return { ...error, message: `${error.message}; ${after}` };
};
