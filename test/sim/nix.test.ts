import { expect, test } from 'vitest';
import { createVirtualClock } from '../../src/sim/clock.ts';
import { createSimulatedNix, type Release } from '../../src/sim/nix.ts';
import { createRandom } from '../../src/sim/random.ts';
import { partsWith, toplevelOf } from '../simulation/fleet.ts';

const release = (version: string, rev: string): Release => ({
  lock: new Map([
    ['nixpkgs', { url: 'github:NixOS/nixpkgs', rev, lastModified: 1 }],
    ['still', { url: 'github:a/still', rev: 'same', lastModified: 1 }],
  ]),
  toplevels: new Map([
    [
      'box',
      {
        machine: 'box',
        drvPath: `${toplevelOf('box', version)}.drv`,
        outPath: toplevelOf('box', version),
        parts: partsWith('6.12.10'),
      },
    ],
  ]),
  buildLines: () => [`building ${version}`],
});

const make = () => {
  const time = createVirtualClock(0);
  const nix = createSimulatedNix({
    clock: time.process().clock,
    random: createRandom(1),
    evaluation: { fleet: { machines: [], failed: [] }, discrepancies: [] },
    releases: [release('old', 'aaaa'), release('new', 'bbbb')],
    nature: { evaluateMs: 1_000, updateMs: 1_000, buildLineMs: 1_000 },
  });
  const wait = <T>(work: Promise<T>): Promise<T> => time.run(work, { until: 1e9, turnsMax: 1_000 });
  const wanted = async (): Promise<string | undefined> =>
    (await wait(nix.toplevels(['box'], {}))).built[0]?.outPath;
  return { nix, wait, wanted };
};

test('an update moves the lock and what is wanted, and can be taken back', async () => {
  const { nix, wait, wanted } = make();
  expect(await wanted()).toBe(toplevelOf('box', 'old'));
  const preview = await wait(nix.proposeUpdate([], {}));
  expect(await wanted()).toBe(toplevelOf('box', 'old'));
  if (!preview.ok || preview.value.write === null) throw new Error('an update of the simulation failed');
  const { changes, write } = preview.value;
  await wait(nix.writeLock(write));
  expect(changes).toMatchObject([
    { input: 'nixpkgs', kind: 'updated', from: { rev: 'aaaa' }, to: { rev: 'bbbb' } },
  ]);
  expect(await wanted()).toBe(toplevelOf('box', 'new'));
  expect(await wait(nix.lockHolds(write))).toEqual({ ok: true, value: 'moved' });
  expect(await wait(nix.proposeUpdate([], {}))).toMatchObject({ value: { changes: [], write: null } });
  expect(await wait(nix.restoreLock({ ...write, movedHash: 'of another' }))).toMatchObject({
    failure: { kind: 'lock-changed' },
  });
  expect(await wanted()).toBe(toplevelOf('box', 'new'));
  await wait(nix.restoreLock(write));
  expect(await wanted()).toBe(toplevelOf('box', 'old'));
  expect(await wait(nix.lockHolds(write))).toEqual({ ok: true, value: 'previous' });
});

test('what a toplevel would boot is known once it is built, and it is built once', async () => {
  const { nix, wait } = make();
  expect((await wait(nix.toplevels(['box'], {}))).built[0]?.parts).toBeNull();
  const lines: string[] = [];
  const onProgress = (line: string): void => void lines.push(line);
  expect((await wait(nix.build(['box'], { onProgress }))).built[0]?.parts).not.toBeNull();
  await wait(nix.build(['box'], { onProgress }));
  expect(lines).toEqual(['building old', 'built the system of box']);
  expect((await wait(nix.toplevels(['box'], {}))).built[0]?.parts).not.toBeNull();
});

test('ends when it is given up', async () => {
  const { nix, wait } = make();
  const signal = AbortSignal.abort();
  expect(await wait(nix.evaluate({ signal }))).toMatchObject({ ok: false, failure: { kind: 'cancelled' } });
});
