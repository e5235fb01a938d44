import { availableParallelism, freemem } from 'node:os';
import { workerCount } from '../src/nix-integration/workers.ts';
import {
  type Benchmark,
  inMs,
  inTurns,
  measured,
  millisecondsOf,
  missing,
  type Row,
  ratioRow,
} from './harness.ts';
import { evaluateAll, type Nixpkgs, type NixWorld, openNixWorld, realNixpkgs, standIn } from './nix-world.ts';

/** Evaluating the light record of every machine, without the cache, against one bare `nix eval` of one machine. */

const targets = [
  { machines: 1, ratio: 1.3 },
  { machines: 20, ratio: 4 },
  { machines: 100, ratio: 12 },
] as const;
const oneByOne = 20;

const measure = async (
  world: NixWorld,
  nixpkgs: Nixpkgs,
  rounds: number,
  say: (progress: string) => void,
): Promise<{ readonly rows: readonly Row[]; readonly note: string }> => {
  const [one, twenty, hundred] = [
    await world.flakeOf(nixpkgs, targets[0].machines),
    await world.flakeOf(nixpkgs, targets[1].machines),
    await world.flakeOf(nixpkgs, targets[2].machines),
  ];
  const ours = (flake: string, count: number) => () =>
    millisecondsOf(() => evaluateAll(world.labNix(flake), count));
  const ms = await inTurns(
    rounds,
    {
      bare: () => millisecondsOf(() => world.evalOne(one, 0)),
      one: ours(one, targets[0].machines),
      twenty: ours(twenty, targets[1].machines),
      hundred: ours(hundred, targets[2].machines),
      oneByOne: () =>
        millisecondsOf(async () => {
          for (let index = 0; index < oneByOne; index += 1) await world.evalOne(twenty, index);
        }),
    },
    { say: (progress) => say(`${nixpkgs.label}: ${progress}`) },
  );
  const row = (what: string, values: readonly number[], target: number | null) =>
    ratioRow(what, values, 'one nix eval', ms.bare, target);
  return {
    rows: [
      row('1 machine', ms.one, targets[0].ratio),
      row('20 machines', ms.twenty, targets[1].ratio),
      row('100 machines', ms.hundred, targets[2].ratio),
      row('20, a process each', ms.oneByOne, null),
    ],
    note: `${nixpkgs.label}; one bare nix eval of one machine takes ${inMs(ms.bare)}`,
  };
};

export const evaluation: Benchmark = {
  name: 'evaluation',
  about: 'light records of N machines, cold, against one bare `nix eval` of one',
  rounds: 5,
  run: async (rounds, say) => {
    const given = process.env.LAB_REAL_NIXPKGS;
    const real = given === undefined ? null : realNixpkgs(given);
    if (typeof real === 'string') return missing(real);
    const world = await openNixWorld();
    if (world === null) return missing('there is no nix in PATH');
    try {
      const { rows, note } = await measure(world, real ?? standIn, rounds, say);
      return measured(rows, [
        note,
        `${world.version}, ${workerCount({ cores: availableParallelism(), freeMemoryBytes: freemem })} evaluating processes`,
        real === null
          ? 'LAB_REAL_NIXPKGS is not set: with the small stand-in the start of a process weighs more than it would'
          : 'nixpkgs lies in the store and is locked, as after a fetch',
      ]);
    } finally {
      world.remove();
    }
  },
};
