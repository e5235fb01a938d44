import type { MachinePlan } from '../../src/plan/plan.ts';
import { type Knowledge, mayStay } from './knowledge.ts';

/**
 * What must hold once everything has come to rest, whoever still drives the run or not: what is live without being
 * confirmed has gone back. Never half, never forgotten.
 */

type Seen = Pick<Knowledge, 'world' | 'confirmed' | 'excusedFromReturn'>;

const wrongMachine = (
  { world, confirmed, excusedFromReturn }: Seen,
  { machine, prior, wanted, steps }: MachinePlan,
): string | null => {
  const { name } = machine;
  const truth = world.look(name);
  const supervised = steps.some((step) => step.kind === 'confirm');
  if (!supervised || prior === null || confirmed.has(name) || truth.power !== 'up') return null;
  // What it returns to cannot be activated, somebody else deployed, or exit 100 made it the boot default.
  if (excusedFromReturn.has(name) || mayStay(truth)) return null;
  const watched = [...truth.units.values()].some(({ watch }) => watch !== null && watch.end === null);
  if (watched) return `${name} still waits for a confirmation, long after`;
  if (truth.current !== prior.current && truth.current !== prior.profile)
    return `${name} was never confirmed and runs ${truth.current} (wanted ${wanted})`;
  return truth.entry !== prior.profile && truth.entry !== prior.current
    ? `${name} was never confirmed and would boot ${truth.entry}`
    : null;
};

/** Why it should not rest so, or null. */
export const wrongRest = (known: Knowledge): string | null => {
  for (const entry of known.plan.machines) {
    const wrong = wrongMachine(known, entry);
    if (wrong !== null) return wrong;
  }
  return null;
};
