import { join } from 'node:path';
import { type Benchmark, inTurns, measured, millisecondsOf, missing, msRow, ratioRow } from './harness.ts';
import { countingNix, evaluateAll, openNixWorld, standIn } from './nix-world.ts';

/** Evaluating a flake that has not changed since: from lab's own cache, without starting Nix. */

const machines = 100;
const targetMs = 100;

export const cache: Benchmark = {
  name: 'cache',
  about: `${machines} machines of an unchanged flake, from the cache`,
  rounds: 15,
  run: async (rounds, say) => {
    const world = await openNixWorld();
    if (world === null) return missing('there is no nix in PATH');
    try {
      say('preparing');
      const flake = await world.flakeOf(standIn, machines);
      const kept = { folder: join(world.folder, 'evaluations'), searchPath: process.env.PATH ?? '' };
      await evaluateAll(world.labNix(flake, { cache: kept }), machines);
      const counting = countingNix();
      const ms = await inTurns(
        rounds,
        {
          bare: () => millisecondsOf(() => world.evalOne(flake, 0)),
          warm: () =>
            millisecondsOf(() =>
              evaluateAll(world.labNix(flake, { cache: kept, runProcess: counting.runProcess }), machines),
            ),
        },
        { say },
      );
      if (counting.started() > 0)
        throw new Error(`${counting.started()} Nix processes: the cache did not answer`);
      return measured(
        [
          msRow('warm evaluation', ms.warm, targetMs, 'no Nix process'),
          ratioRow('warm evaluation', ms.warm, 'one nix eval', ms.bare, null),
        ],
        [`${standIn.label}; the key is made of git's state, the lock, the Nix program and the settings`],
      );
    } finally {
      world.remove();
    }
  },
};
