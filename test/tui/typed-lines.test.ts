import './fixtures/colour.ts';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { openTypedLines } from '../../src/compose/typed-lines.ts';
import { fakeSession } from './fixtures/fake-session.ts';
import { seedSnapshot } from './fixtures/lab.ts';
import { keys, openScreen } from './fixtures/terminal.ts';

/** Lines after `:`, from one session to the next. */

const folder = (): string => {
  const made = mkdtempSync(join(tmpdir(), 'lab-typed-'));
  onTestFinished(() => rmSync(made, { recursive: true, force: true }));
  return made;
};

test('type commands, quit, open again: Up brings them back, Ctrl-R finds one', async () => {
  const state = folder();
  const first = await openScreen(fakeSession(seedSnapshot).session, { typed: openTypedLines(state, true) });
  for (const line of ['probe grey-area', 'sort-drift', 'details sleeper-service'])
    await first.press(':', ...line, keys.enter);
  await first.close();

  const screen = await openScreen(fakeSession(seedSnapshot).session, { typed: openTypedLines(state, true) });
  await screen.press(':', keys.up);
  expect(screen.text()).toContain(' :details sleeper-service');
  await screen.press(keys.up, keys.up, keys.up);
  expect(screen.text()).toContain(' :probe grey-area');
  await screen.press(keys.down, keys.down, keys.down);
  await screen.press('r', 'e', keys.ctrlR);
  expect(screen.text()).toContain(' :probe grey-area');
  // None older holds it: it stays. Down leads back to what was typed.
  await screen.press(keys.ctrlR);
  expect(screen.text()).toContain(' :probe grey-area');
  await screen.press(keys.esc);
  expect(screen.text()).toContain('[1 Machines]');
});

test('what is no command may be anything, and is not kept', async () => {
  const state = folder();
  const screen = await openScreen(fakeSession(seedSnapshot).session, { typed: openTypedLines(state, true) });
  await screen.press(':', ...'hunter2', keys.enter);
  await screen.press(':', ...'sort-drift', keys.enter);
  expect(openTypedLines(state, true).lines).toEqual(['sort-drift']);
});

test('what cannot be kept is said', async () => {
  const screen = await openScreen(fakeSession(seedSnapshot).session, {
    typed: { lines: [], remember: () => 'what is typed after : is not kept: no space left' },
  });
  await screen.press(':', ...'sort-drift', keys.enter);
  expect(screen.text()).toContain('is not kept: no space left');
});
