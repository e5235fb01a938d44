import { type Command, InvalidArgumentError, Option } from 'commander';
import { type DemoTrouble, demoTroubles } from '../demo-trouble.ts';
import type { Cli } from '../lab.ts';
import { withFlakeAlone } from '../options.ts';

const positive = (text: string): number => {
  const number = Number(text);
  if (!Number.isFinite(number) || number <= 0 || number > 1_000_000)
    throw new InvalidArgumentError('expected a number above 0');
  return number;
};

type DemoWords = {
  readonly seed: number;
  readonly speed: number;
  readonly trouble?: DemoTrouble;
  readonly real: boolean;
  readonly readonly: boolean;
  readonly screenReader: boolean;
};

/** `lab tui` (what `lab` alone opens) and `lab demo`. */
export const registerScreen = (program: Command, cli: Cli): void => {
  withFlakeAlone(program.command('tui').description('open the screen; plain `lab` does the same'))
    .option('--readonly', 'refuse everything that would change machines', false)
    .option('--screen-reader', 'print lines instead of drawing a screen', false)
    .addHelpText('after', '\nExamples:\n  lab\n  lab tui --readonly\n  lab tui --screen-reader\n')
    .action(async (options: { readonly: boolean; screenReader: boolean }, command: Command) => {
      const { labOptionsOf } = await import('../deeds/with-lab.ts');
      const { options: labOptions } = labOptionsOf(command);
      cli.setExitCode(
        await cli.openScreen(labOptions, { readonly: options.readonly, reader: options.screenReader }),
      );
    });
  program
    .command('demo')
    .description('open the screen over a simulated lab: no Nix, no root, no network')
    .option('--seed <n>', 'which simulated world', positive, 1)
    .option('--real', 'real test hosts in namespaces instead (a checkout, Linux, root)', false)
    .option('--speed <n>', 'pace: at 1 a whole run takes about a minute, at 2 half of that', positive, 1)
    .addOption(
      new Option(
        '--trouble <what>',
        'what goes wrong in runs: a gate, a reboot, a cut in the middle of an activation, an activation stuck, machines that are busy',
      ).choices([...demoTroubles]),
    )
    .option('--readonly', 'refuse everything that would change machines', false)
    .option('--screen-reader', 'print lines instead of drawing a screen', false)
    .addHelpText(
      'after',
      '\nExamples:\n  lab demo\n  lab demo --speed 4\n  lab demo --trouble reboot\n  lab demo --real\n',
    )
    .action(async (options: DemoWords) => {
      cli.setExitCode(
        await (options.real
          ? cli.openRealDemo()
          : cli.openDemo({
              ...options,
              trouble: options.trouble ?? null,
              reader: options.screenReader,
            })),
      );
    });
};
