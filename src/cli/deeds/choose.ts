import { ok, type Result } from '../../failure.ts';
import type { Machine } from '../../fleet/machine.ts';
import { selectMachines } from '../../fleet/selector.ts';
import type { Evaluation } from '../../ports.ts';
import type { Cli, Lab } from '../lab.ts';

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
