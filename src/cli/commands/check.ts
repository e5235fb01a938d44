import type { Command } from 'commander';
import type { Problem } from '../../fleet/validate.ts';
import { exitCodes } from '../../run/report.ts';
import { sanitiseLine } from '../../text/sanitise.ts';
import { choose, selectorArgument } from '../choose.ts';
import type { Cli } from '../lab.ts';
import { done, printJson, printLines, useLab, withFlake } from '../options.ts';
import { discrepancyLines, problemLines } from '../render.ts';

export const registerCheck = (program: Command, cli: Cli): void => {
  withFlake(
    program
      .command('check')
      .description(
        'find everything wrong with the fleet: cycles, missing dependencies, duplicates, failed assertions',
      ),
  )
    .argument(...selectorArgument)
    .option(
      '--quick',
      'leave out the evaluation of every toplevel (failed assertions show only there)',
      false,
    )
    .addHelpText(
      'after',
      '\nExit codes: 0 nothing wrong · 2 something is\n\nExamples:\n  lab check\n  lab check --quick\n',
    )
    .action(async (selectors: string[], options: { quick: boolean }, command: Command) =>
      useLab(cli, command, async ({ lab, json }) => {
        const chosen = await choose(cli, lab, selectors);
        if (!chosen.ok) return chosen;
        const { evaluation, machines } = chosen.value;
        const { validateFleet } = await import('../../fleet/validate.ts');
        const problems: readonly Problem[] = validateFleet(evaluation.fleet);
        const toplevels = options.quick
          ? { built: [], failed: [] }
          : await lab.nix.toplevels(
              machines.map(({ name }) => name),
              { signal: cli.stop },
            );
        if (json)
          printJson(cli, 'check', {
            flake: lab.flake,
            problems,
            discrepancies: evaluation.discrepancies,
            toplevelFailures: toplevels.failed,
          });
        else {
          const errors =
            problems.filter(({ severity }) => severity === 'error').length + toplevels.failed.length;
          printLines(cli, [
            ...problemLines(problems),
            ...toplevels.failed.flatMap(({ machine, message, remedy, detail }) => [
              `✖ ${machine ?? 'flake'}: its system cannot be evaluated: ${sanitiseLine(message)}`,
              ...(detail ?? []).map((line) => `      ${sanitiseLine(line)}`),
              `    → ${sanitiseLine(remedy)}`,
            ]),
            ...discrepancyLines(evaluation),
            errors === 0
              ? `✔ ${machines.length} machines: no errors${options.quick ? ' (toplevels not evaluated)' : ''}`
              : `${errors} ${errors === 1 ? 'error' : 'errors'}`,
          ]);
        }
        if (toplevels.failed.length > 0 || problems.some(({ severity }) => severity === 'error'))
          cli.setExitCode(exitCodes.usage);
        return done;
      }),
    );
};
