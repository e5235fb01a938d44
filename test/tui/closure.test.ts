import './fixtures/colour.ts';
import { expect, test } from 'vitest';
import type { LabSnapshot } from '../../src/flow/session.ts';
import { closureKey } from '../../src/flow/session-closures.ts';
import { type ClosureDiff, diffClosures } from '../../src/plan/closure-diff.ts';
import { storePath } from '../../src/sim/random.ts';
import { fakeSession } from './fixtures/fake-session.ts';
import { now, seedSnapshot, toplevelPath } from './fixtures/lab.ts';
import { waitingSnapshot } from './fixtures/runs.ts';
import { keys, openScreen } from './fixtures/terminal.ts';

/** What would change in packages: on the overview of a machine, and in a plan. */

const paths = (...names: readonly (readonly [string, number])[]) =>
  names.map(([name, bytes]) => ({ path: storePath(name, name), bytes }));

const diff: ClosureDiff = diffClosures(
  paths(['linux-6.12.8', 140e6], ['openssl-3.0.14', 8e6], ['nano-8.7', 2e6], ['glibc-2.40', 30e6]),
  paths(['linux-6.12.11', 141e6], ['openssl-3.0.15', 8e6], ['htop-3.4.1', 4e5], ['glibc-2.40', 30e6]),
);
const key = closureKey(toplevelPath('grey-area', '26.11.1'), toplevelPath('grey-area', '26.11.2'));
const read = { value: diff, at: now - 60_000, refreshing: false, failure: null };
const withDiff = (base: LabSnapshot): LabSnapshot => ({ ...base, closureDiffs: new Map([[key, read]]) });

test.each([
  { columns: 80, rows: 40 },
  { columns: 120, rows: 40 },
  { columns: 60, rows: 40 },
  { columns: 120, rows: 40, ascii: true, colour: 'none' as const },
])('open a machine, read which packages would change, at $columns × $rows', async (size) => {
  const lab = fakeSession(seedSnapshot);
  const screen = await openScreen(lab.session, size);
  await screen.press('j', 'd');
  expect(lab.asked.at(-1)).toBe('closure grey-area');
  expect(screen.text()).toContain('both closures are being read');

  lab.show(withDiff(seedSnapshot));
  await screen.waitFor('linux');
  await screen.press('G');
  const text = screen.text().replaceAll('->', '→');
  expect(text).toMatch(/ {4}linux +6\.12\.8 → 6\.12\.11 \(\+1\.0 MB\)/u);
  expect(text).toMatch(/ {4}openssl +3\.0\.14 → 3\.0\.15\n/u);
  expect(text).toMatch(/ {2}\+ htop +3\.4\.1 \(\+400 kB\)/u);
  expect(text).toMatch(/ {2}- nano +8\.7 \(-2\.0 MB\)/u);
  expect(text).not.toContain('glibc');

  await screen.press(']');
  expect(lab.asked.at(-1)).toBe('leave closure');
});

test('what cannot be told is told as unknown, with the reason and a way out', async () => {
  const failure = {
    kind: 'not-built',
    machine: 'grey-area',
    phase: 'closure',
    message: 'what the flake wants of grey-area is not built yet',
    remedy: '`lab diff --build grey-area` builds it',
  };
  const unread = { value: null, at: now, refreshing: false, failure };
  const lab = fakeSession({ ...seedSnapshot, closureDiffs: new Map([[key, unread]]) });
  const screen = await openScreen(lab.session, { columns: 120, rows: 40 });
  await screen.press('j', 'd');
  expect(screen.text()).toContain('not known: what the flake wants of grey-area is not built yet');
  expect(screen.text()).toContain('`lab diff --build grey-area` builds it');
  // One that is away, and one that runs what the flake wants already.
  await screen.press(keys.esc, 'j', 'd', 'G');
  expect(screen.text()).toContain('not known: it was not reached');
  await screen.press(keys.esc, 'g', 'd', 'G');
  expect(screen.text()).toContain('none: it runs what the flake wants');
});

test('a plan names what matters, and the machine names all', async () => {
  const screen = await openScreen(fakeSession(withDiff(waitingSnapshot)).session, { columns: 120, rows: 60 });
  await screen.press('3');
  expect(screen.text().replaceAll(/\s+/gu, ' ')).toContain(
    'packages linux 6.12.8 → 6.12.11, openssl 3.0.14 → 3.0.15, 1 added, 1 removed, closure -600 kB',
  );
});
