import { expect, test } from 'vitest';
import { createHowFar } from '../../src/nix-integration/how-far.ts';
import { activities, type NixEvent, results } from '../../src/nix-integration/internal-json.ts';
import { createProgress } from '../../src/nix-integration/progress.ts';
import type { Progress } from '../../src/ports.ts';

/** How far a build is, counted from the events of Nix 2.8 in their order. */

const start = (id: number, activity: number, ...fields: (string | number)[]): NixEvent => ({
  kind: 'start',
  id,
  activity,
  text: '',
  fields,
});
const stop = (id: number): NixEvent => ({ kind: 'stop', id });
const progress = (id: number, ...fields: number[]): NixEvent => ({
  kind: 'result',
  id,
  type: results.progress,
  fields,
});
const expected = (bytes: number): NixEvent => ({
  kind: 'result',
  id: 1,
  type: results.setExpected,
  fields: [activities.copyPath, bytes],
});
const amountsOf = ({ amounts }: Progress): Readonly<Record<string, string>> =>
  Object.fromEntries(amounts.map(({ of, done, all }) => [of, `${done}/${all}`]));

const systems = [
  { machine: 'nas', drvPath: '/nix/store/a-nixos-system-nas.drv' },
  { machine: 'web', drvPath: '/nix/store/b-nixos-system-web.drv' },
  { machine: 'old', drvPath: '/nix/store/c-nixos-system-old.drv' },
];

test('builds, paths, bytes and systems are counted as Nix finds out what there is to do', () => {
  const far = createHowFar(systems, new Set(['old']));
  const take = (...events: NixEvent[]): void => {
    for (const event of events) far.take(event);
  };
  take(start(1, activities.realise), start(2, activities.builds), start(3, activities.copyPaths));
  take(progress(2, 0, 3, 0, 0), progress(3, 0, 2, 0, 0), expected(3_000_112));
  expect(amountsOf(far.now())).toEqual({ systems: '1/3', builds: '0/3', paths: '0/2', bytes: '0/3000112' });

  take(start(4, activities.copyPath, '/nix/store/x-openssl'), progress(4, 65_536, 2_000_000));
  take(progress(4, 1_966_080, 2_000_000));
  expect(amountsOf(far.now()).bytes).toBe('1966080/3000112');
  take(stop(4), progress(3, 1, 2, 0, 0), start(5, activities.copyPath, '/nix/store/y-linux'));
  take(progress(5, 917_504, 1_000_112), stop(5), progress(3, 2, 2, 0, 0));
  // The last bytes of a path are never reported.
  expect(amountsOf(far.now())).toMatchObject({ paths: '2/2', bytes: '3000112/3000112' });

  take(start(6, activities.build, systems[0]?.drvPath ?? ''), progress(2, 1, 3, 0, 0), stop(6));
  const told = far.now();
  expect([amountsOf(told).systems, told.built]).toEqual(['2/3', ['nas']]);
  expect(far.now().built).toEqual([]);
});

test('once a build has failed, no system is said to be built before all is over', () => {
  const far = createHowFar(systems);
  for (const event of [
    start(2, activities.builds),
    start(6, activities.build, systems[0]?.drvPath ?? ''),
    start(7, activities.build, systems[1]?.drvPath ?? ''),
    progress(2, 0, 2, 1, 1),
    progress(2, 1, 1, 0, 1),
    stop(7),
    stop(6),
  ])
    far.take(event);
  expect(far.now().built).toEqual([]);
});

test('numbers that make no sense are left out, and nothing breaks', () => {
  const far = createHowFar();
  for (const event of [
    start(2, activities.builds),
    progress(2, 7, 3),
    progress(2, -4, Number.NaN),
    start(4, activities.copyPath),
    progress(4, 10.5, 20),
    expected(-1),
    stop(99),
  ])
    far.take(event);
  expect(far.now()).toEqual({ amounts: [], built: [] });
});

test('each line says how far it is, and a system that is there is told at once', () => {
  const lines: (readonly [string, Progress | undefined])[] = [];
  const take = createProgress(
    (line, far) => void lines.push([line, far]),
    () => 0,
    createHowFar(systems),
  );
  take(start(2, activities.builds));
  take(progress(2, 0, 1, 1, 0));
  take(start(6, activities.build, systems[0]?.drvPath ?? ''));
  take(progress(2, 1, 1, 0, 0));
  take(stop(6));
  expect(lines.map(([line]) => line)).toEqual([
    'built 0 of 1, 1 under way',
    expect.stringContaining('building'),
    'built the system of nas',
  ]);
  expect(lines.at(-1)?.[1]?.amounts).toContainEqual({ of: 'systems', done: 1, all: 3 });
});
