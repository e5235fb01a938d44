import './fixtures/colour.ts';
import { describe, expect, test } from 'vitest';
import { fakeSession } from './fixtures/fake-session.ts';
import { bigSnapshot, seedSnapshot } from './fixtures/lab.ts';
import {
  criticalRebootSnapshot,
  heldSnapshot,
  liveSnapshot,
  preparingSnapshot,
  waitingSnapshot,
} from './fixtures/runs.ts';
import { keys, openScreen } from './fixtures/terminal.ts';

/** What people do, key by key, in a real terminal emulator. */

test('open, filter, mark two, plan, cancel', async () => {
  const lab = fakeSession(seedSnapshot);
  const screen = await openScreen(lab.session);

  await screen.press('/', '@infra', keys.enter);
  expect(screen.text()).toContain('filter: @infra');
  expect(screen.text()).not.toContain('reverse-proxy');

  await screen.press(' ', ' ');
  expect(screen.text()).toContain('2 marked');

  await screen.press('r');
  expect(lab.asked).toEqual(['prepare {"kind":"run","update":false}: grey-area sleeper-service']);

  lab.show(preparingSnapshot);
  await screen.waitFor('Preparing: full run');
  lab.show(waitingSnapshot);
  await screen.waitFor('Plan: full run');
  expect(screen.text()).toMatch(/↓ \d+ more lines below/u);

  await screen.press('a');
  expect(screen.text()).toContain('Approve: full run');
  await screen.press(keys.enter);
  expect(screen.text()).not.toContain('Approve: full run');
  expect(lab.asked).not.toContain('approve');

  await screen.press('x');
  expect(lab.asked.at(-1)).toBe('decline');
});

test('approve, watch, the run holds, read why', async () => {
  const lab = fakeSession(waitingSnapshot);
  const screen = await openScreen(lab.session);
  expect(screen.text()).toContain('a plan waits for you (3)');

  await screen.press('3', 'a', 'sleeper-', 'service', keys.tab, keys.enter);
  expect(lab.asked).toEqual(['approve']);

  lab.show(liveSnapshot);
  await screen.waitFor('Running: full run');
  expect(screen.text()).toMatch(/▶ sleeper-service +\S awaiting the boot/u);

  lab.show(heldSnapshot);
  await screen.waitFor('Run held: needs you');
  expect(screen.text()).toContain('what to do  look at its console');
  expect(screen.text()).toContain('No route to host');
  await screen.press('G');
  expect(screen.text()).toContain('what-are-the-civilian-app');

  await screen.press('l');
  expect(screen.text()).toContain('✖ await boot: sleeper-service went down');
  await screen.press(keys.esc);
  expect(screen.text()).toContain('[3 Run]');
  await screen.press('x');
  expect(lab.asked.at(-1)).toBe('dismiss');
});

test('a held run leads to the machine that it stands still for', async () => {
  const lab = fakeSession(heldSnapshot);
  const screen = await openScreen(lab.session);
  await screen.press('3', '/', 'a shell on', keys.enter);
  expect(screen.text()).toContain('a shell on sleeper-service, to see for yourself');
  await screen.press(keys.esc, 'd');
  expect(screen.text()).toContain('› sleeper-service');
  await screen.press(keys.esc, 'l');
  expect(screen.text()).toContain('✖ await boot: sleeper-service went down');
});

test('reboot a critical machine by hand: its name has to be typed', async () => {
  const lab = fakeSession(seedSnapshot);
  const screen = await openScreen(lab.session);
  await screen.press('jjj', 'R');
  expect(lab.asked).toEqual(['prepare {"kind":"reboot","which":"all"}: sleeper-service']);
  lab.show(criticalRebootSnapshot);
  await screen.waitFor('Plan: reboot');

  await screen.press('a', 'sleeper-', 'service', keys.enter);
  expect(screen.text()).toContain('Cancel: nothing was done');
  expect(lab.asked).toHaveLength(1);

  await screen.press('a', keys.tab, keys.enter);
  expect(screen.text()).toContain('type sleeper-service:');
  expect(lab.asked).toHaveLength(1);
  await screen.press('sleeper-', 'service', keys.enter);
  expect(lab.asked.at(-1)).toBe('approve');
});

test('learn the keys: ? lists them, : completes, Esc leads back', async () => {
  const screen = await openScreen(fakeSession(seedSnapshot).session);
  await screen.press('?');
  expect(screen.text()).toContain(':sequence');
  await screen.press(keys.esc, ':', 'seq', keys.tab);
  expect(screen.text()).toContain(' :sequence ');
  await screen.press(keys.enter);
  expect(screen.text()).toContain('[2 Sequence]');
  await screen.press(keys.esc);
  expect(screen.text()).toContain('[1 Machines]');
});

test('walk through a thousand machines without getting lost', async () => {
  const screen = await openScreen(fakeSession(bigSnapshot(1_000)).session);
  await screen.press('G');
  expect(screen.text()).toContain('▶  machine-1000');
  expect(screen.text()).toContain('1000 of 1000 machines');
  await screen.press('g', keys.pageDown, keys.pageDown, keys.pageUp, keys.up, keys.down);
  expect(screen.text()).toMatch(/▶ {2}machine-00\d\d/u);
  await screen.press('/', '0777', keys.enter, 'd');
  expect(screen.text()).toContain('› machine-0777');
  await screen.press(']', ']');
  expect(screen.text()).toContain('[sequence]');
  await screen.press(keys.esc, keys.esc);
  expect(screen.text()).toContain('777 of 1000 machines');
});

describe('keys as terminals send them', () => {
  test('a lone Esc goes back, once it is clear that nothing follows it', async () => {
    const screen = await openScreen(fakeSession(seedSnapshot).session);
    await screen.press('?');
    screen.send(keys.plainEsc);
    await screen.waitFor('[1 Machines]');
  });

  test('an arrow torn in two by a slow line is harmless', async () => {
    const lab = fakeSession(seedSnapshot);
    const screen = await openScreen(lab.session);
    screen.send('\u001b');
    // It has been read by then, and nobody has waited for what may follow it, however busy the machine is.
    await new Promise((resolve) => process.nextTick(resolve));
    await screen.press('[B');
    expect(screen.text()).toContain('▶  grey-area');
    expect(lab.asked).toEqual([]);
  });

  test('a paste in brackets runs nothing', async () => {
    const lab = fakeSession(seedSnapshot);
    const screen = await openScreen(lab.session);
    await screen.press('\u001b[200~q\rD\rR\r\u001b[201~');
    expect(screen.text()).toContain('pasted text was ignored');
    expect(lab.asked).toEqual([]);
  });

  test('a paste without brackets runs nothing', async () => {
    const lab = fakeSession(seedSnapshot);
    const screen = await openScreen(lab.session);
    await screen.press('D now and R then\r');
    expect(lab.asked).toEqual([]);
    expect(screen.text()).toContain('[1 Machines]');
  });
});
