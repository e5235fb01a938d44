import type { Command } from 'commander';
import type { Result } from '../../failure.ts';
import type { Machine } from '../../fleet/machine.ts';
import { rebootOrderOf, wavesOf } from '../../fleet/order.ts';
import { validateFleet } from '../../fleet/validate.ts';
import { exitCodes } from '../../run/report.ts';
import { sanitiseLine } from '../../text/sanitise.ts';
import type { Cli } from '../lab.ts';
import { problemLines } from '../render.ts';
import { choose } from './choose.ts';
import { done, type Opened, printJson, printLines, useLab } from './with-lab.ts';

/** Seconds `lab` would wait before each machine: its `rebootDelay`, but none before the first unless it set its own. */
const effectiveDelay = (machine: Machine, first: boolean): number =>
  first && !machine.orchestration.rebootDelayIsOwn ? 0 : machine.orchestration.rebootDelay;

const showSequence = async (
  cli: Cli,
  { lab, json }: Opened,
  selectors: readonly string[],
  format: 'prose' | 'lines',
): Promise<Result<void>> => {
  const chosen = await choose(cli, lab, selectors);
  if (!chosen.ok) return chosen;
  const { evaluation, names } = chosen.value;
  const problems = validateFleet(evaluation.fleet);
  const order = rebootOrderOf(evaluation.fleet.machines);
  const members = order.filter(({ name }) => names.includes(name));
  const waves = wavesOf(members);
  const delays = new Map(
    members.map((machine, index) => [machine.name, effectiveDelay(machine, index === 0)]),
  );
  // Somebody else's broken configuration is no problem of this sequence; a cycle among others could be.
  const errors = problems.filter(
    ({ severity, kind, machines }) =>
      severity === 'error' && (kind !== 'not-evaluated' || machines.some((name) => names.includes(name))),
  );
  if (json)
    printJson(cli, 'reboot-sequence', {
      flake: lab.flake,
      sequence: members.map((machine, index) => ({
        position: index + 1,
        wave: waves.findIndex((wave) => wave.includes(machine)) + 1,
        machine: machine.name,
        delaySeconds: delays.get(machine.name) ?? 0,
        rebootDelay: machine.orchestration.rebootDelay,
        dependencies: machine.dependencies,
      })),
      problems,
    });
  else if (format === 'lines')
    printLines(
      cli,
      members.map(({ name }) => `${name}:${delays.get(name)}`),
    );
  else
    printLines(cli, [
      'Reboot Sequence:',
      ...members.map(
        (machine, index) =>
          `  ${index + 1}. ${machine.name} (delay: ${delays.get(machine.name)} seconds)${
            machine.dependencies.length > 0 ? ` after ${machine.dependencies.join(', ')}` : ''
          }${machine.orchestrator ? ', the orchestrator: last' : ''}`,
      ),
    ]);
  if (errors.length > 0) {
    if (!json) cli.err(`${problemLines(errors).join('\n')}\n`);
    cli.setExitCode(exitCodes.usage);
  }
  return done;
};

export const rebootSequence = async (
  cli: Cli,
  command: Command,
  selectors: readonly string[],
  { format }: { readonly format: string },
): Promise<void> => {
  if (format !== 'prose' && format !== 'lines')
    command.error(`error: --format takes "prose" or "lines", not "${sanitiseLine(format, 40)}"`);
  else await useLab(cli, command, (opened) => showSequence(cli, opened, selectors, format));
};
