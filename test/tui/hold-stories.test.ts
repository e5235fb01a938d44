import './fixtures/colour.ts';
import { expect, test } from 'vitest';
import { machineNamed } from '../simulation/fleet.ts';
import { simSession } from './fixtures/sim-session.ts';
import { keys, openScreen } from './fixtures/terminal.ts';

/** A run that holds, from the screen alone: keys are pressed, the engine and simulated machines do the rest. */

const deadlines = { down: 30, up: 60, healthy: 30 };
const machines = [
  machineNamed('app', { dependencies: ['nas'], delay: 0, deadlines, stable: 2, rebootOrder: 2 }),
  machineNamed('nas', { criticality: 'high', delay: 0, deadlines, stable: 2, rebootOrder: 1 }),
  machineNamed('web', { delay: 0, deadlines, stable: 2, rebootOrder: 3 }),
];
const size = { columns: 110, rows: 50 };
const did = ({ world }: ReturnType<typeof simSession>): readonly string[] =>
  world.effects.flatMap((effect) =>
    effect.kind === 'settle'
      ? []
      : [`${effect.machine} ${effect.kind === 'reboot' ? 'reboot' : effect.mode}`],
  );
/** The safe choice has the focus. */
const second = [keys.tab, keys.enter];

const openHeldOf = async (
  fleet: typeof machines,
  approval: readonly string[],
  ...faults: Parameters<typeof simSession>[1][string]
) => {
  const lab = simSession(fleet, { nas: faults });
  const screen = await openScreen(lab.session, size);
  await screen.waitFor(/3 of 3 machines|nas +/u);
  await screen.press('r', '3');
  await screen.waitFor('Plan: full run');
  await screen.press('a', ...approval);
  await screen.waitFor('Run held: needs you');
  expect(lab.exitCode()).toBe(4);
  return { lab, screen };
};
const openHeld = (...faults: Parameters<typeof simSession>[1][string]) =>
  openHeldOf(machines, second, ...faults);

test('a run holds; read why, see to the machine, retry, and it is finished', async () => {
  const { lab, screen } = await openHeld({ kind: 'unhealthy-after', cause: 'activation', forMs: null });
  // Why.
  expect(screen.text()).toMatch(/not healthy within 30 s: service \(connection refused/u);
  expect(screen.text()).toMatch(/t {2}try again: nas is back at what it ran: it is looked at anew/u);
  expect(screen.text()).toMatch(/K {2}skip and go on: the run goes on without nas/u);
  expect(screen.text()).toContain('t try again');
  expect(did(lab)).toEqual(['nas switch']);

  // Once in vain: nobody has seen to it. The safe choice leaves all as it is.
  await screen.press('t', keys.enter);
  expect(lab.ends()).toEqual(['held']);
  await screen.press('t');
  expect(screen.text()).toContain('Try nas again?');
  await screen.press(...second);
  await expect.poll(lab.ends).toEqual(['held', 'held']);
  await screen.waitFor('Run held: needs you');

  lab.world.heal('nas');
  await screen.press('t', ...second);
  await screen.waitFor('Run done');
  expect(lab.ends()).toEqual(['held', 'held', 'done']);
  expect(lab.exitCode()).toBe(0);
  expect(did(lab)).toEqual([
    ...['nas switch', 'nas switch', 'nas switch', 'nas reboot'],
    ...['app switch', 'app reboot', 'web switch', 'web reboot'],
  ]);
  await screen.press('4', '/', 'reopened', keys.enter);
  expect(screen.text()).toContain('run reopened by amy (tui): nas is tried again');
});

test('a critical machine that holds a run is tried again once its name is typed', async () => {
  const critical = machines.map((machine) =>
    machine.name === 'nas'
      ? { ...machine, orchestration: { ...machine.orchestration, criticalityLevel: 'critical' as const } }
      : machine,
  );
  const failing = { kind: 'unhealthy-after', cause: 'activation', forMs: null } as const;
  const { lab, screen } = await openHeldOf(critical, ['n', 'a', 's', ...second], failing);
  lab.world.heal('nas');
  await screen.press('t');
  expect(screen.text()).toContain('Critical: type nas to go on.');
  // Without it, only Cancel can be taken.
  await screen.press(...second);
  expect(lab.ends()).toEqual(['held']);
  expect(screen.text()).toContain('Try nas again?');
  await screen.press('n', 'a', 's', keys.enter);
  await screen.waitFor('Run done');
  expect(did(lab).filter((act) => act === 'nas reboot')).toHaveLength(1);
});

test('a critical machine that was skipped because of another is tried again with it once its own name is typed', async () => {
  const level = { app: 'critical', nas: 'medium', web: 'medium' } as const;
  const fleet = machines.map((machine) => ({
    ...machine,
    orchestration: {
      ...machine.orchestration,
      criticalityLevel: level[machine.name as keyof typeof level],
    },
  }));
  const lab = simSession(fleet, { nas: [{ kind: 'activation-exit', code: 2 }] });
  const screen = await openScreen(lab.session, size);
  await screen.waitFor(/3 of 3 machines|nas +/u);
  await screen.press('r', '3');
  await screen.waitFor('Plan: full run');
  await screen.press('a', 'a', 'p', 'p', ...second);
  await screen.waitFor('Run partial');
  lab.world.heal('nas');
  await screen.press(':', 'retry', ' ', 'nas', keys.enter);
  expect(screen.text()).toContain('With it app, skipped because of it.');
  expect(screen.text()).toContain('Critical: type app to go on.');
  await screen.press(...second);
  expect(lab.ends()).toEqual(['partial']);
  await screen.press('a', 'p', 'p', keys.enter);
  await screen.waitFor('Run done');
  expect(did(lab).slice(-4)).toEqual(['nas switch', 'nas reboot', 'app switch', 'app reboot']);
});

test('a run holds; skip the machine and go on: partial, and it says by whom', async () => {
  const { lab, screen } = await openHeld({ kind: 'activation-exit', code: 2 });
  await screen.press(':', 'skip', ' ', 'nas', keys.enter);
  expect(screen.text()).toContain('Leave nas out?');
  await screen.press(...second);
  await screen.waitFor('Run partial');
  expect(screen.text()).toContain('not as planned: nas (skipped by amy (tui)), app');
  expect(lab.exitCode()).toBe(3);
  // What needs it stays as it is, the rest goes on.
  expect(did(lab)).toEqual(['nas switch', 'web switch', 'web reboot']);
});

test('a machine that was changed and failed is not skipped; the screen says why', async () => {
  const { lab, screen } = await openHeld({ kind: 'never-comes-back' });
  expect(screen.text()).toMatch(/K {2}\(not now\).*nas was changed by this run and has failed/su);
  await screen.press('K');
  expect(screen.text()).toContain('skip: nas was changed by this run and has failed');
  expect(lab.ends()).toEqual(['held']);
  lab.world.heal('nas');
  await screen.press('t', ...second);
  await screen.waitFor('Run done');
  expect(did(lab).filter((act) => act === 'nas reboot')).toHaveLength(1);
});

test('in a run under way a machine that is still to come is left out', async () => {
  const lab = simSession(machines, { nas: [{ kind: 'slow-boot', ms: 25_000 }] });
  const screen = await openScreen(lab.session, size);
  await screen.waitFor(/nas +/u);
  await screen.press('r', '3');
  await screen.waitFor('Plan: full run');
  await screen.press('a', ...second);
  await screen.waitFor(/nas +\S awaiting the boot/u);
  await screen.press('K');
  expect(screen.text()).toContain('skip: nas is being rebooted');
  await screen.press('j', 'j', 'K');
  expect(screen.text()).toContain('Leave web out?');
  await screen.press(...second);
  await screen.waitFor(/web +\S skipped/u);
  await screen.waitFor('Run partial');
  expect(did(lab).filter((act) => act.startsWith('web'))).toEqual([]);
});
