import { ok, type Result } from '../../failure.ts';
import type { Machine } from '../../fleet/machine.ts';
import { selectMachines } from '../../fleet/selector.ts';
import type { Evaluation } from '../../ports.ts';
import type { Cli, Lab } from '../lab.ts';
import { usage } from './with-lab.ts';

type Chosen = {
  readonly evaluation: Evaluation;
  readonly names: readonly string[];
  readonly machines: readonly Machine[];
};

/** Evaluates the flake and applies the selectors. */
export const choose = async (cli: Cli, lab: Lab, selectors: readonly string[]): Promise<Result<Chosen>> => {
  const evaluated = await lab.nix.evaluate({ signal: cli.stop });
  if (!evaluated.ok) return evaluated;
  const selected = selectMachines(evaluated.value.fleet, selectors);
  if (!selected.ok) return selected;
  const names = new Set(selected.value);
  return ok({
    evaluation: evaluated.value,
    names: selected.value,
    machines: evaluated.value.fleet.machines.filter(({ name }) => names.has(name)),
  });
};

/** The one machine that a name or selector means. */
export const chooseOne = async (cli: Cli, lab: Lab, name: string): Promise<Result<Machine>> => {
  const chosen = await choose(cli, lab, [name]);
  if (!chosen.ok) return chosen;
  const [machine, ...others] = chosen.value.machines;
  if (machine === undefined) return usage(`${name} could not be evaluated`, 'run `lab machines` to see why');
  return others.length > 0
    ? usage(`"${name}" chooses ${others.length + 1} machines`, 'name one machine')
    : ok(machine);
};
