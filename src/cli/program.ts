import { Command, CommanderError } from 'commander';
import { sanitiseLine } from '../text/sanitise.ts';
import { registerCheck } from './commands/check.ts';
import { registerConfig } from './commands/config.ts';
import { registerDaemon } from './commands/daemon.ts';
import { registerDiff } from './commands/diff.ts';
import { registerGenerations } from './commands/generations.ts';
import { registerHealth } from './commands/health.ts';
import { registerJournal } from './commands/journal.ts';
import { registerMachines } from './commands/machines.ts';
import { registerRebootSequence } from './commands/reboot-sequence.ts';
import { registerRollback } from './commands/rollback.ts';
import { registerDeploy, registerPlan, registerReboot, registerRun } from './commands/run.ts';
import { registerSchema } from './commands/schema.ts';
import { registerScreen } from './commands/screen.ts';
import { registerSsh } from './commands/ssh.ts';
import { registerStatus } from './commands/status.ts';
import { registerAttach, registerResume, registerSkipAndRetry, registerStop } from './commands/steer.ts';
import { registerUnlock } from './commands/unlock.ts';
import { registerUpdate } from './commands/update.ts';
import type { Cli } from './lab.ts';
import { joinPairs } from './options.ts';

const makeProgram = (cli: Cli): Command => {
  const program = new Command('lab')
    .description('Flake in, healthy rebooted fleet out.')
    .version(cli.version, '-V, --version', 'print the version')
    .helpCommand('help [command]', 'show help for a command')
    .showSuggestionAfterError(true)
    .exitOverride()
    .configureOutput({
      writeOut: cli.out,
      writeErr: cli.err,
      // It repeats what was typed, which may have been pasted from anywhere.
      outputError: (text, write) =>
        write(
          text
            .split('\n')
            .map((line) => sanitiseLine(line))
            .join('\n'),
        ),
    })
    .addHelpText(
      'after',
      `
Exit codes:
  0 done   1 failed   2 usage or configuration error   3 partial
  4 held, needs a person   5 locked by another run
  130 interrupted, or the plan was declined or expired (nobody answered)

Examples:
  lab                        open the screen
  lab demo                   the same over a simulated lab
  lab status                 what every machine runs
  lab run --dry-run          what the full flow would do, and why
  lab run --yes              do it, as the timer does
  lab help run               more about one command
`,
    );
  // Sub-commands inherit exitOverride and output only when they are made after it.
  for (const register of [
    registerMachines,
    registerCheck,
    registerStatus,
    registerHealth,
    registerGenerations,
    registerRebootSequence,
    registerDiff,
    registerPlan,
    registerUpdate,
    registerDeploy,
    registerReboot,
    registerRun,
    registerRollback,
    registerAttach,
    registerStop,
    registerResume,
    registerSkipAndRetry,
    registerUnlock,
    registerJournal,
    registerSsh,
    registerDaemon,
    registerScreen,
    registerConfig,
    registerSchema,
  ])
    register(program, cli);
  return program;
};

/** `lab help WORD` of a word that is no command says so, as `lab WORD` does, with what may have been meant. */
const askedForHelp = (program: Command, argv: readonly string[]): readonly string[] => {
  const [first, name] = argv;
  if (first !== 'help' || name === undefined || name.startsWith('-')) return argv;
  const known = program.commands.some(
    (command) => command.name() === name || command.aliases().includes(name),
  );
  return known || name === 'help' ? argv : [name];
};

/** Runs one command line. Sets the exit code on `cli`; rejects only for bugs. */
export const runCommandLine = async (cli: Cli, argv: readonly string[]): Promise<void> => {
  const program = makeProgram(cli);
  try {
    await program.parseAsync([...askedForHelp(program, joinPairs(argv))], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    // commander has printed what is wrong; help and version come here with exit code 0.
    if (error.exitCode !== 0) cli.setExitCode((await import('../run/report.ts')).exitCodes.usage);
  }
};
