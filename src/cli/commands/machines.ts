import type { Command } from 'commander';
import { exitCodes } from '../../run/report.ts';
import { choose, selectorArgument } from '../choose.ts';
import type { Cli } from '../lab.ts';
import { done, printJson, printLines, useLab, withFlake } from '../options.ts';
import { machineLines } from '../render.ts';

export const registerMachines = (program: Command, cli: Cli): void => {
  withFlake(program.command('machines').description('list the machines of the flake'))
    .argument(...selectorArgument)
    .addHelpText('after', "\nExamples:\n  lab machines\n  lab machines @backend '!laptop' --json\n")
    .action(async (selectors: string[], _options, command: Command) =>
      useLab(cli, command, async ({ lab, json }) => {
        const chosen = await choose(cli, lab, selectors);
        if (!chosen.ok) return chosen;
        const { evaluation, machines, names } = chosen.value;
        const failed = evaluation.fleet.failed.filter(({ name }) => names.includes(name));
        if (json)
          printJson(cli, 'machines', {
            flake: lab.flake,
            machines,
            failed,
            discrepancies: evaluation.discrepancies,
          });
        else printLines(cli, machineLines({ ...evaluation, fleet: { machines, failed } }));
        if (failed.length > 0) cli.setExitCode(machines.length > 0 ? exitCodes.partial : exitCodes.failed);
        return done;
      }),
    );
};
