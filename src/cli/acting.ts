import type { Command } from 'commander';
import { blockerKinds } from '../plan/blocker-kinds.ts';

/** How commands that change machines are declared; `deeds/act.ts` is what they do. */

const collect = (value: string, all: readonly string[]): readonly string[] => [...all, value];

export const withOverride = (command: Command): Command =>
  command.option(
    '--override <blocker>',
    'go ahead in spite of this blocker, on all machines, or as MACHINE:BLOCKER on one (repeatable)',
    collect,
    [] as readonly string[],
  );

/** The options of every command that changes machines. */
export const withActing = (command: Command): Command =>
  withOverride(
    command
      .option('--dry-run', 'show the plan and change nothing', false)
      .option('--yes', 'go ahead without asking', false),
  );

export const withConfirm = (
  command: Command,
  description = 'confirm the reboot of this critical machine (repeatable)',
): Command => command.option('--confirm <name>', description, collect, [] as readonly string[]);

export const exitCodeHelp = `
Blockers: ${blockerKinds.join(', ')}
Exit codes: 0 done · 1 failed · 2 usage or configuration · 3 partial · 4 held, needs a person · 5 locked by another run · 130 interrupted, declined or expired
`;
