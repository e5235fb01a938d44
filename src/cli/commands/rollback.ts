import type { Command } from 'commander';
import type { Goal } from '../../plan/plan.ts';
import { exitCodeHelp, withActing, withConfirm } from '../acting.ts';
import type { Cli } from '../lab.ts';
import { withFlake } from '../options.ts';

type Options = {
  readonly dryRun: boolean;
  readonly yes: boolean;
  readonly confirm: readonly string[];
  readonly override: readonly string[];
  readonly to?: string;
  readonly run?: string;
  readonly reboot: boolean;
};

/** What is asked for, or in words why it cannot be meant. */
const aimOf = (
  { to, run }: Options,
  selectors: readonly string[],
): Extract<Goal, { kind: 'rollback' }>['to'] | string => {
  if (run !== undefined)
    return to === undefined
      ? { kind: 'run', run }
      : '--run returns machines to what they ran before it: --to has no place beside it';
  if (selectors.length === 0) return 'name the machines to return, or give --run with the id of a run';
  if (to === undefined) return { kind: 'previous' };
  const number = /^[1-9]\d{0,8}$/u.test(to) ? Number(to) : null;
  return number === null
    ? `--to takes the number of a generation, as \`lab generations\` lists them, not "${to.slice(0, 40)}"`
    : { kind: 'generation', number };
};

export const registerRollback = (program: Command, cli: Cli): void => {
  withConfirm(
    withActing(
      withFlake(
        program
          .command('rollback')
          .description(
            'return machines to an earlier generation, or all that a run changed to what it ran before',
          ),
      ),
    ),
  )
    .argument('[selectors...]', 'machines: name, glob, @group, role:NAME, !not (with --run: all it changed)')
    .option(
      '--to <generation>',
      'the number to return one machine to (default: the one before its boot default)',
    )
    .option('--run <id>', 'undo this run: machines go back in the reverse of its order')
    .option('--no-reboot', 'leave reboots for later where the generation needs one')
    .addHelpText(
      'after',
      `
Nothing is built and nothing copied: the generation is on the machine. A machine goes back after those that need it;
one that is not healthy goes before them. The flake says how machines are reached and judged; where it does not
evaluate, earlier runs do. The next run leads forward again: revert the flake first.
${exitCodeHelp}
Examples:
  lab rollback grey-area --dry-run
  lab rollback grey-area --to 41 --no-reboot
  lab journal --runs
  lab rollback --run 20261121-015520-eb75
`,
    )
    .action(async (selectors: string[], options: Options, command: Command) => {
      const to = aimOf(options, selectors);
      if (typeof to === 'string') command.error(`error: ${to}`);
      else
        await (await import('../deeds/act.ts')).act(
          cli,
          command,
          { kind: 'rollback', to, reboot: options.reboot },
          selectors,
          { ...options, via: 'cli' },
        );
    });
};
