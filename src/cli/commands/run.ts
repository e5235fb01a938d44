import type { Command } from 'commander';
import type { Goal } from '../../plan/plan.ts';
import { exitCodeHelp, withActing, withConfirm, withOverride } from '../acting.ts';
import type { Cli } from '../lab.ts';
import { selectorArgument, withFlake } from '../options.ts';

/** Commands that change machines: run, plan, deploy, deploy-all, reboot. */

type Act = typeof import('../deeds/act.ts')['act'];
const act: Act = async (...words) => (await import('../deeds/act.ts')).act(...words);

type Acting = { readonly dryRun: boolean; readonly yes: boolean; readonly override: readonly string[] };

export const registerRun = (program: Command, cli: Cli): void => {
  withActing(
    withFlake(
      program
        .command('run')
        .description('the full flow: update, build, deploy, reboot what needs it, in order'),
    ),
  )
    .argument(...selectorArgument)
    .option('--no-update', 'leave flake.lock as it is')
    .option(
      '--catch-up',
      'only machines that past runs owe something to because they were away; flake.lock stays as it is',
      false,
    )
    .option('--via <who>', 'what started this run, for the journal: "cli", "timer" or "daemon"', 'cli')
    .addHelpText(
      'after',
      `${exitCodeHelp}\nExamples:\n  lab run --dry-run\n  lab run\n  lab run --yes --no-update '!laptop'\n  lab run --catch-up --yes\n  lab run --yes --override nas:users-logged-in\n`,
    )
    .action(
      async (
        selectors: string[],
        options: Acting & { update: boolean; catchUp: boolean; via: string },
        command: Command,
      ) => {
        const { via, catchUp } = options;
        const goal: Goal = catchUp
          ? { kind: 'run', update: false, catchUp: true }
          : { kind: 'run', update: options.update };
        if (via !== 'cli' && via !== 'timer' && via !== 'daemon')
          command.error('error: --via takes "cli", "timer" or "daemon"');
        else
          await act(cli, command, goal, selectors, {
            ...options,
            via,
            confirm: [],
          });
      },
    );
};

export const registerPlan = (program: Command, cli: Cli): void => {
  withOverride(
    withFlake(
      program
        .command('plan')
        .description('show what `lab run` would do and why; the same as `lab run --dry-run`'),
    ),
  )
    .argument(...selectorArgument)
    .option('--no-update', 'do not ask which inputs an update would move')
    .addHelpText('after', '\nExamples:\n  lab plan\n  lab plan --no-update --json\n')
    .action(
      async (
        selectors: string[],
        options: Pick<Acting, 'override'> & { update: boolean },
        command: Command,
      ) =>
        act(cli, command, { kind: 'run', update: options.update }, selectors, {
          ...options,
          dryRun: true,
          yes: false,
          via: 'cli',
          confirm: [],
        }),
    );
};

const modes = ['strategy', 'switch', 'boot', 'test', 'dry-activate'] as const;

const registerDeployAs = (program: Command, cli: Cli, name: 'deploy' | 'deploy-all'): void => {
  const all = name === 'deploy-all';
  const command = withActing(
    withFlake(
      program
        .command(name)
        .description(
          all ? 'build and activate on every machine' : 'build and activate on the machines chosen',
        ),
    ),
  );
  if (!all) command.argument('<selectors...>', selectorArgument[1].replace(' (default: all)', ''));
  command
    .option(
      '--mode <how>',
      '"strategy" (as each machine says), "switch", "boot", "test" or "dry-activate"',
      'strategy',
    )
    .addHelpText(
      'after',
      `${exitCodeHelp}\nExamples:\n${all ? '  lab deploy-all --dry-run\n  lab deploy-all --yes' : '  lab deploy grey-area\n  lab deploy @backend --mode boot --yes'}\n`,
    );
  const perform = async (
    selectors: readonly string[],
    options: Acting & { mode: string },
    self: Command,
  ): Promise<void> => {
    const mode = modes.find((known) => known === options.mode);
    if (mode === undefined) self.error(`error: --mode takes one of ${modes.join(', ')}`);
    else await act(cli, self, { kind: 'deploy', mode }, selectors, { ...options, via: 'cli', confirm: [] });
  };
  if (all) command.action((options: Acting & { mode: string }, self: Command) => perform([], options, self));
  else
    command.action((selectors: string[], options: Acting & { mode: string }, self: Command) =>
      perform(selectors, options, self),
    );
};

export const registerDeploy = (program: Command, cli: Cli): void => {
  registerDeployAs(program, cli, 'deploy');
  registerDeployAs(program, cli, 'deploy-all');
};

export const registerReboot = (program: Command, cli: Cli): void => {
  withConfirm(
    withActing(
      withFlake(
        program.command('reboot').description('reboot machines in order, each gate passed before the next'),
      ),
    ),
  )
    .argument('<selectors...>', selectorArgument[1].replace(' (default: all)', ''))
    .option('--needed', 'only those whose reboot policy asks for it', false)
    .addHelpText(
      'after',
      `${exitCodeHelp}\nExamples:\n  lab reboot grey-area\n  lab reboot '*' --needed --dry-run\n  lab reboot nas --confirm nas --yes\n  lab reboot nas --override inhibited --override just-booted\n`,
    )
    .action(
      async (
        selectors: string[],
        options: Acting & { needed: boolean; confirm: readonly string[] },
        command: Command,
      ) =>
        act(cli, command, { kind: 'reboot', which: options.needed ? 'needed' : 'all' }, selectors, {
          ...options,
          via: 'cli',
        }),
    );
};
