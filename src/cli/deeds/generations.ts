import type { Command } from 'commander';
import { generationsAll } from '../../flow/observe.ts';
import { kernelVersionOf } from '../../plan/drift.ts';
import type { Generation } from '../../ports.ts';
import { exitCodes } from '../../run/report.ts';
import { sanitiseLine } from '../../text/sanitise.ts';
import { moment, shortPath, table } from '../../text/words.ts';
import type { Cli } from '../lab.ts';
import { remedyLine, saidOf } from '../render.ts';
import { choose } from './choose.ts';
import { done, printJson, printLines, useLab } from './with-lab.ts';

const marksOf = ({ isDefault, isCurrent, isBooted }: Generation): string =>
  [
    ...(isDefault ? ['boot default'] : []),
    ...(isCurrent ? ['runs'] : []),
    ...(isBooted ? ['booted'] : []),
  ].join(', ');

const generationLines = (machine: string, generations: readonly Generation[]): readonly string[] =>
  generations.length === 0
    ? [`${machine}: no generation in its system profile`]
    : [
        machine,
        ...table([
          ['  NUMBER', 'MADE', 'NIXOS', 'KERNEL', 'TOPLEVEL', ''],
          ...generations.map((generation) => [
            `  ${generation.number}`,
            generation.at === null ? '-' : moment(generation.at),
            sanitiseLine(generation.nixosVersion ?? '-'),
            kernelVersionOf(generation.parts) ?? '-',
            shortPath(generation.toplevel),
            marksOf(generation),
          ]),
        ]),
      ];

export const generations = async (cli: Cli, command: Command, selectors: readonly string[]): Promise<void> =>
  useLab(cli, command, async ({ lab, json }) => {
    const chosen = await choose(cli, lab, selectors);
    if (!chosen.ok) return chosen;
    const { evaluation, machines, names } = chosen.value;
    const read = await generationsAll(lab.target, machines, cli.stop);
    const failed = evaluation.fleet.failed.filter(({ name }) => names.includes(name));
    const answers = [...read].map(([machine, result]) => ({ machine, result }));
    if (json)
      printJson(cli, 'generations', {
        flake: lab.flake,
        machines: answers.map(({ machine, result }) => ({
          machine,
          generations: result.ok ? result.value : null,
          failure: result.ok ? null : result.failure,
        })),
        failed,
      });
    else
      printLines(cli, [
        ...answers.flatMap(({ machine, result }, index) => [
          ...(index === 0 ? [] : ['']),
          ...(result.ok
            ? generationLines(machine, result.value)
            : [`${machine}: ${saidOf(machine, result.failure.message)}`, remedyLine(result.failure.remedy)]),
        ]),
        ...failed.flatMap(({ name, message, remedy }) => [
          `${name}: not evaluated: ${saidOf(name, message)}`,
          remedyLine(remedy),
        ]),
      ]);
    const reached = answers.filter(({ result }) => result.ok).length;
    if (reached < answers.length + failed.length)
      cli.setExitCode(reached > 0 ? exitCodes.partial : exitCodes.failed);
    return done;
  });
