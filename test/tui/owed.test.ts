import './fixtures/colour.ts';
import { expect, test } from 'vitest';
import type { LabSnapshot } from '../../src/flow/session.ts';
import { noPast } from '../../src/plan/past.ts';
import { fakeSession } from './fixtures/fake-session.ts';
import { now, reachable, seedSnapshot, seedToplevels } from './fixtures/lab.ts';
import { runId } from './fixtures/runs.ts';
import { opened } from './fixtures/shell.ts';
import { openScreen } from './fixtures/terminal.ts';

/** Machines that were away when a run came by: seen in the list and the pulse, and caught up with from anywhere. */

const wanted = seedToplevels.get('reverse-proxy')?.outPath ?? '';
const owing: LabSnapshot = {
  ...seedSnapshot,
  recalled: {
    ...noPast,
    debts: new Map([
      [
        'reverse-proxy',
        {
          machine: 'reverse-proxy',
          run: runId,
          at: now - 86_400_000,
          runs: 1,
          deploy: { toplevel: wanted },
          reboot: null,
          why: 'it did not answer',
        },
      ],
    ]),
  },
};

test('see in the list what is owed, read why in the pulse, catch up', async () => {
  const lab = fakeSession(owing);
  const screen = await openScreen(lab.session, { columns: 160, rows: 30 });
  expect(screen.text()).toMatch(/OWED/u);
  expect(screen.text()).toMatch(/reverse-proxy .* deploy/u);

  await screen.press('8');
  expect(screen.text()).toContain('▲ reverse-proxy: deploy, since 1d ago: it did not answer');
  expect(screen.text()).toContain('C catch up');

  await screen.press('C');
  expect(lab.asked.at(-1)).toBe('prepare {"kind":"run","update":false,"catchUp":true}: all');
});

test('by its name after `:`, and only for those named', () => {
  const { press, type, lab } = opened(owing);
  press(':');
  type('catch-up reverse-proxy');
  press('enter');
  expect(lab.asked).toEqual(['prepare {"kind":"run","update":false,"catchUp":true}: reverse-proxy']);
});

test('where nothing is owed it says so, and is not offered', () => {
  const { press, lab, text } = opened(seedSnapshot);
  expect(text()).not.toContain('catch up');
  press('C');
  expect(text()).toContain('catch-up: nothing is owed');
  expect(lab.asked).toEqual([]);
});

test('what a machine is seen to run is owed no longer', () => {
  const paid = { ...owing, observations: new Map(owing.observations) };
  paid.observations.set('reverse-proxy', reachable('reverse-proxy', { current: wanted, profile: wanted }));
  const { press, text } = opened(paid);
  press('8');
  expect(text()).toContain('nothing is owed to any machine');
  press('C');
  expect(text()).toContain('catch-up: nothing is owed');
});
