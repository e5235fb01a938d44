import type { Command } from 'commander';
import { exitCodes } from '../../run/report.ts';
import type { Cli } from '../lab.ts';
import { machineLines } from '../render.ts';
import { choose } from './choose.ts';
import { done, printJson, printLines, useLab } from './with-lab.ts';

export const machines = async (cli: Cli, command: Command, selectors: readonly string[]): Promise<void> =>
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
  });
