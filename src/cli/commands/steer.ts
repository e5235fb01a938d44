import type { Command } from 'commander';
import type { ControlKind } from '../../journal/journal.ts';
import type { SteerAsk } from '../../run/event.ts';
import { withConfirm } from '../acting.ts';
import type { Cli } from '../lab.ts';

/** Commands about a run that is already there: attach, stop, abort, pause, resume, skip, retry. */

const runArgument = ['[run]', 'id of the run (default: the one that has not ended)'] as const;

export const registerAttach = (program: Command, cli: Cli): void => {
  program
    .command('attach')
    .description('watch a run that was started elsewhere: by the timer, the screen or another terminal')
    .argument(...runArgument)
    .addHelpText(
      'after',
      '\nCtrl-C asks the run to stop after the step under way; closing the terminal only ends the watching.\nExit code: that of the run.\n\nExamples:\n  lab attach\n',
    )
    .action(async (id: string | undefined) => (await import('../deeds/steer.ts')).attachTo(cli, id));
};

const registerControl = (
  program: Command,
  cli: Cli,
  control: {
    readonly name: string;
    readonly kind: ControlKind;
    readonly description: string;
    readonly says: string;
  },
): void => {
  program
    .command(control.name)
    .description(control.description)
    .argument(...runArgument)
    .addHelpText('after', `\nExamples:\n  lab ${control.name}\n`)
    .action(async (id: string | undefined) =>
      (await import('../deeds/steer.ts')).ask(cli, id, control.kind, control.says),
    );
};

export const registerStop = (program: Command, cli: Cli): void => {
  registerControl(program, cli, {
    name: 'stop',
    kind: 'stop',
    description: 'end a run after the steps under way',
    says: 'asked to stop; the steps under way end first (`lab attach` shows it)',
  });
  registerControl(program, cli, {
    name: 'abort',
    kind: 'abort',
    description: 'end a run at once, in the middle of its steps; prefer `lab stop`',
    says: 'asked to stop at once; what was under way stays unknown (`lab resume` looks at it)',
  });
  registerControl(program, cli, {
    name: 'pause',
    kind: 'pause',
    description: 'let a run begin no further step until `lab resume`',
    says: 'asked to pause after the steps under way',
  });
};

type Confirmed = { readonly confirm?: readonly string[] };

const registerMachineControl = (
  program: Command,
  cli: Cli,
  control: { readonly name: SteerAsk['what']; readonly description: string; readonly help: string },
): void => {
  const declared = program
    .command(control.name)
    .description(control.description)
    .argument('<machine>', 'its name')
    .argument('[run]', 'id of the run (default: the one under way, else the latest)')
    .addHelpText('after', control.help);
  // What is left out is not touched.
  if (control.name === 'retry') withConfirm(declared, 'confirm that this critical machine is tried again');
  declared.action(async (machine: string, id: string | undefined, { confirm = [] }: Confirmed) =>
    (await import('../deeds/steer-machine.ts')).steerMachine(
      cli,
      { what: control.name, machine },
      id,
      confirm,
    ),
  );
};

const steerExitCodes =
  'Exit code: 0 once a run under way has taken it, 2 when it cannot be; of a run that goes on, that of the run.\nCtrl-C (exit code 130) ends the waiting for its answer, not what was asked.';

export const registerSkipAndRetry = (program: Command, cli: Cli): void => {
  registerMachineControl(program, cli, {
    name: 'skip',
    description: 'leave a machine out of a run, and go on without it',
    help: `
Of a machine that nothing was done to yet none of its steps begins; a look, a copy or a delay under way is given up at once.
One that has failed and holds the run is left behind once it is back at what it ran. What needs the machine goes on
if it is well. The run is then partial.
One in the middle of an activation or a reboot is not left: let it come to its end.
${steerExitCodes}

Examples:
  lab skip nas
  lab skip nas 20261120-234101-3fa9
`,
  });
  registerMachineControl(program, cli, {
    name: 'retry',
    description: 'try again what failed on a machine in a run, and go on from there',
    help: `
Nothing is repeated blindly: the machine is looked at anew first. A failed look, copy or gate is tried again; an
activation that went back is done again under a new supervisor; a machine that has rebooted is not rebooted a second
time. A run that has ended goes on with what is left of its plan, as long as no other run has begun since.
A machine that was skipped is taken in again, and with it what was skipped because of it. Each critical one of them wants
its name, typed or given with --confirm.
${steerExitCodes}

Examples:
  lab retry nas
  lab retry nas 20261120-234101-3fa9
  lab retry nas --confirm nas --confirm router
`,
  });
};

export const registerResume = (program: Command, cli: Cli): void => {
  program
    .command('resume')
    .description('go on with a run that is paused, was interrupted, or whose process died')
    .argument(...runArgument)
    .option(
      '--at-boot',
      'for a unit: only the run that rebooted this very machine; nothing to do is no error',
      false,
    )
    .addHelpText(
      'after',
      '\nSteps that were under way are looked at anew before anything is done.\nExit code: that of the run.\n\nExamples:\n  lab resume\n  lab resume 20261120-234101-3fa9\n',
    )
    .action(async (id: string | undefined, options: { atBoot: boolean }) => {
      const steering = await import('../deeds/steer.ts');
      await (options.atBoot ? steering.resumeAtBoot(cli) : steering.resume(cli, id));
    });
};
