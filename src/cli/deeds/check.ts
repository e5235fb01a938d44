import type { Command } from 'commander';
import { type Problem, validateFleet } from '../../fleet/validate.ts';
import { exitCodes } from '../../run/report.ts';
import { sanitiseLine } from '../../text/sanitise.ts';
import type { Cli } from '../lab.ts';
import { discrepancyLines, problemLines } from '../render.ts';
import { choose } from './choose.ts';
import { done, printJson, printLines, useLab } from './with-lab.ts';

export const check = async (
  cli: Cli,
  command: Command,
  selectors: readonly string[],
  options: { readonly quick: boolean },
): Promise<void> =>
  useLab(cli, command, async ({ lab, json }) => {
    const chosen = await choose(cli, lab, selectors);
    if (!chosen.ok) return chosen;
    const { evaluation, machines } = chosen.value;
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
      const errors = problems.filter(({ severity }) => severity === 'error').length + toplevels.failed.length;
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
  });
