import { availableParallelism, freemem } from 'node:os';
import { workerCount } from '../src/nix-integration/workers.ts';
import { type Cost, costOf } from './child-cpu.ts';
import { type Benchmark, inMs, inTurns, measured, missing, type Row, ratioRow } from './harness.ts';
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
  const ours = (flake: string, count: number) => () => costOf(() => evaluateAll(world.labNix(flake), count));
  const costs = await inTurns(
    rounds,
    {
      bare: () => costOf(() => world.evalOne(one, 0)),
      one: ours(one, targets[0].machines),
      twenty: ours(twenty, targets[1].machines),
      hundred: ours(hundred, targets[2].machines),
      oneByOne: () =>
        costOf(async () => {
          for (let index = 0; index < oneByOne; index += 1) await world.evalOne(twenty, index);
        }),
    },
    { say: (progress) => say(`${nixpkgs.label}: ${progress}`) },
  );
  const wallOf = (one: readonly Cost[]): readonly number[] => one.map(({ wallMs }) => wallMs);
  const cpuOf = (one: readonly Cost[]): readonly number[] => one.flatMap(({ cpuMs }) => cpuMs ?? []);
  const wall = (what: string, one: readonly Cost[], target: number | null): Row =>
    ratioRow(what, wallOf(one), 'one nix eval', wallOf(costs.bare), target);
  const cpu = (what: string, one: readonly Cost[]): readonly Row[] =>
    cpuOf(one).length === rounds
      ? [ratioRow(`${what}, processor`, cpuOf(one), 'one nix eval', cpuOf(costs.bare), null)]
      : [];
  return {
    rows: [
      wall('1 machine', costs.one, targets[0].ratio),
      wall('20 machines', costs.twenty, targets[1].ratio),
      wall('100 machines', costs.hundred, targets[2].ratio),
      wall('20, a process each', costs.oneByOne, null),
      ...cpu('1 machine', costs.one),
      ...cpu('20 machines', costs.twenty),
      ...cpu('100 machines', costs.hundred),
      ...cpu('20, a process each', costs.oneByOne),
    ],
    note: `${nixpkgs.label}; one bare nix eval of one machine takes ${inMs(wallOf(costs.bare))}`,
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
        'processor: time of the Nix processes alone, all of them together; wall is that divided by how many run',
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
