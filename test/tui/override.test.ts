import './fixtures/colour.ts';
import { expect, test } from 'vitest';
import type { PlanLook } from '../../src/flow/session-blockers.ts';
import { type Blocker, blockedBy, overridesNamed } from '../../src/run/blockers.ts';
import { fakeSession } from './fixtures/fake-session.ts';
import { now } from './fixtures/lab.ts';
import { approvedEvents, fullPlan, waitingSnapshot, withRun } from './fixtures/runs.ts';
import { opened } from './fixtures/shell.ts';
import { keys, openScreen } from './fixtures/terminal.ts';

/** Going ahead in spite of what holds a machine back, from the plan and from the result. */

const loggedIn: Blocker = {
  kind: 'users-logged-in',
  reason: 'somebody is logged in, whom its reboot would throw out: amy on pts/0',
  remedy: 'ask them to log out',
  overridable: true,
};
const noSpace: Blocker = {
  kind: 'no-space-nix',
  reason: '/nix has 12 MiB free, less than the 512 MiB that a deployment needs',
  remedy: 'make room',
  overridable: true,
};
const changed: Blocker = {
  kind: 'changed-since-plan',
  reason: 'someone else changed what it runs',
  remedy: 'plan again',
  overridable: false,
};

const planLook = (standing: Readonly<Record<string, readonly Blocker[]>>): PlanLook => ({
  plan: fullPlan.hash,
  at: now - 20_000,
  looking: false,
  machines: new Map(
    Object.entries(standing).map(([name, blockers]) => [
      name,
      { kind: 'seen', standing: blockers, overridden: [] } as const,
    ]),
  ),
});
const held = {
  ...waitingSnapshot,
  planLook: planLook({ 'sleeper-service': [loggedIn], 'grey-area': [noSpace, changed] }),
};

test('the plan says what would be held back; choose from the list, cancelled first, then planned anew', async () => {
  const lab = fakeSession(held);
  const screen = await openScreen(lab.session, { columns: 110, rows: 50 });
  await screen.press('3');
  expect(screen.text()).toContain('2 machines would be held back and skipped, as seen 20s ago');
  expect(screen.text()).toContain('users-logged-in: somebody is logged in');
  expect(screen.text()).toContain('this cannot be overridden');
  expect(screen.text()).toContain('o in spite of it');

  await screen.press('o');
  expect(screen.text()).toContain('Go ahead in spite of what?');
  expect(screen.text()).toContain('[▶ Cancel ]');
  expect(screen.text()).not.toContain('grey-area: changed-since-plan');
  await screen.press(keys.enter);
  expect(lab.asked).toEqual([]);

  await screen.press('o', keys.tab, keys.enter);
  expect(lab.asked).toEqual(['replan sleeper-service:users-logged-in']);
  await screen.press('o', keys.left, keys.enter);
  expect(lab.asked.at(-1)).toBe('replan sleeper-service:users-logged-in grey-area:no-space-nix');
});

test('named after `:` it is read as on the command line', () => {
  const { press, type, lab, text } = opened(held, { columns: 200 });
  const say = (line: string): void => {
    press(':');
    type(line);
    press('enter');
  };
  say('override grey-area:no-space-nix just-booted');
  expect(lab.asked).toEqual(['replan grey-area:no-space-nix all:just-booted']);
  say('override grey-aria:no-space-nix');
  expect(text()).toContain('did you mean "grey-area:no-space-nix"?');
  say('override unreachable');
  expect(text()).toContain('"unreachable" cannot be overridden');
  expect(lab.asked).toHaveLength(1);
});

test('where nothing is held back, the key says so and how to name what may come', () => {
  const { press, text, lab } = opened({ ...waitingSnapshot, planLook: planLook({}) });
  press('3', 'o');
  expect(text()).toContain('nothing that can be overridden holds a machine back now');
  expect(text()).not.toContain('o in spite of it');
  expect(lab.asked).toEqual([]);
});

test('a run that skipped a machine because of it offers to plan it anew', async () => {
  const failure = {
    machine: 'sleeper-service',
    phase: 'preflight',
    ...blockedBy('sleeper-service', [loggedIn]),
  };
  const ended = withRun({ kind: 'ended' }, [
    ...approvedEvents,
    { kind: 'step-intended', step: 'sleeper-service/preflight' },
    {
      kind: 'step-ended',
      step: 'sleeper-service/preflight',
      outcome: { kind: 'skipped', reason: 'blocked', failure },
    },
    { kind: 'run-ended', result: 'partial', reason: 'some machines were skipped', failure: null },
  ]);
  const lab = fakeSession(ended);
  const screen = await openScreen(lab.session, { columns: 110, rows: 40 });
  await screen.press('3', 'o', keys.tab, keys.enter);
  expect(lab.asked).toEqual(['replan sleeper-service:users-logged-in']);
});

test('a read-only screen does not plan', () => {
  const { press, lab, text } = opened(held, { readonly: true });
  press('3', 'o');
  expect(text()).toContain('override: this screen was opened read-only');
  expect(lab.asked).toEqual([]);
});

test('what a failure names as the way past it is what was blocked', () => {
  expect(overridesNamed(blockedBy('nas', [loggedIn, noSpace]))).toEqual([
    { machine: 'nas', blocker: 'users-logged-in' },
    { machine: 'nas', blocker: 'no-space-nix' },
  ]);
  expect(overridesNamed(blockedBy('nas', [noSpace, changed]))).toEqual([]);
});
