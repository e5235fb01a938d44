import './fixtures/colour.ts';
import { describe, expect, test } from 'vitest';
import type { LabSnapshot, Session } from '../../src/flow/session.ts';
import { copySequence } from '../../src/tui/clipboard.ts';
import { fakeSession } from './fixtures/fake-session.ts';
import { emptySnapshot, seedSnapshot } from './fixtures/lab.ts';
import { liveSnapshot, waitingSnapshot } from './fixtures/runs.ts';
import { keys, openScreen, type Screen } from './fixtures/terminal.ts';

/** Every way out leaves the terminal as it was. */

const handlersBefore = new Map(
  (['SIGTERM', 'SIGHUP', 'SIGINT'] as const).map((signal) => [signal, new Set(process.listeners(signal))]),
);

const ours = (signal: 'SIGTERM' | 'SIGHUP' | 'SIGINT') =>
  process
    .listeners(signal)
    .filter((handler) => handlersBefore.get(signal)?.has(handler) === false && handler.name.startsWith('on'));

/** Calls the handlers that the screen put in place, as the signal itself would; the test runner's are left alone. */
const deliver = (signal: 'SIGTERM' | 'SIGHUP' | 'SIGINT'): void => {
  const handlers = ours(signal);
  expect(handlers).toHaveLength(1);
  for (const handler of handlers) Reflect.apply(handler, process, [signal]);
};

const asItWas = (screen: Screen): void => {
  expect([...ours('SIGTERM'), ...ours('SIGHUP'), ...ours('SIGINT')]).toEqual([]);
  expect(screen.alternate()).toBe(false);
  expect(screen.rawMode()).toBe(false);
  // The last word on the cursor is that it shows, on bracketed paste that it is off.
  expect(screen.written().lastIndexOf('\u001b[?25h')).toBeGreaterThan(
    screen.written().lastIndexOf('\u001b[?25l'),
  );
  expect(screen.written().lastIndexOf('\u001b[?2004l')).toBeGreaterThan(
    screen.written().lastIndexOf('\u001b[?2004h'),
  );
};

test('while it is open the screen is the terminal’s other buffer', async () => {
  const screen = await openScreen(fakeSession(seedSnapshot).session);
  expect(screen.alternate()).toBe(true);
  expect(screen.rawMode()).toBe(true);
  await screen.press('q');
  expect(await screen.exited).toEqual({ kind: 'quit' });
  asItWas(screen);
});

test('what is typed while it opens is not echoed into it', async () => {
  const screen = await openScreen(fakeSession(seedSnapshot).session);
  expect(screen.drewWhileEchoing()).toBe(false);
});

test.each(['SIGTERM', 'SIGHUP'] as const)('%s', async (signal) => {
  const screen = await openScreen(fakeSession(liveSnapshot).session);
  deliver(signal);
  expect(await screen.exited).toEqual({ kind: 'signal', signal });
  asItWas(screen);
});

test('SIGINT from outside is Ctrl-C: it asks while a run is under way', async () => {
  const screen = await openScreen(fakeSession(liveSnapshot).session);
  deliver('SIGINT');
  await screen.waitFor('A run is under way');
  await screen.press(keys.esc, keys.ctrlC, keys.esc);
  deliver('SIGTERM');
  await screen.exited;
});

test('a terminal that goes away closes the screen', async () => {
  const screen = await openScreen(fakeSession(seedSnapshot).session);
  await screen.close();
  expect(await screen.exited).toEqual({ kind: 'signal', signal: 'SIGHUP' });
});

test('a bug in drawing: the terminal is restored and the error told', async () => {
  const lab = fakeSession(seedSnapshot);
  const screen = await openScreen(lab.session);
  // A snapshot that cannot be: drawing it throws.
  lab.show({ observations: null as unknown as LabSnapshot['observations'] });
  expect(await screen.exited).toMatchObject({ kind: 'crashed', error: expect.any(TypeError) });
  asItWas(screen);
});

test('a bug behind a key: the same', async () => {
  const { session } = fakeSession(seedSnapshot);
  const broken: Session = {
    ...session,
    refresh: () => {
      throw new RangeError('a defect');
    },
  };
  const screen = await openScreen(broken);
  screen.send(keys.ctrlR);
  expect(await screen.exited).toMatchObject({ kind: 'crashed', error: { message: 'a defect' } });
  asItWas(screen);
});

test('an error that nobody caught: the same', async () => {
  const screen = await openScreen(fakeSession(seedSnapshot).session);
  const crash = process.listeners('unhandledRejection').at(-1);
  if (crash === undefined) throw new Error('the screen listens for nothing');
  Reflect.apply(crash, process, [new Error('lost'), Promise.resolve()]);
  expect(await screen.exited).toMatchObject({ kind: 'crashed', error: { message: 'lost' } });
  asItWas(screen);
});

describe('the clipboard', () => {
  const copied = (screen: Screen): readonly string[] =>
    [...screen.written().matchAll(/\u001b\]52;c;([A-Za-z0-9+/=]*)\u0007/gu)].map(([, data = '']) =>
      Buffer.from(data, 'base64').toString('utf8'),
    );

  test('gets the row under the cursor', async () => {
    const screen = await openScreen(fakeSession(seedSnapshot).session);
    await screen.press('j', 'c');
    expect(copied(screen)).toHaveLength(1);
    expect(copied(screen)[0]).toMatch(/^grey-area +▲ degraded/u);
    expect(screen.text()).toContain('copied the line');
  });

  test('gets all of a text, also what is not in view', async () => {
    const screen = await openScreen(fakeSession(waitingSnapshot).session);
    await screen.press('3', 'c');
    expect(copied(screen)[0]).toContain('congenital-optimist');
    expect(copied(screen)[0]?.split('\n').length).toBeGreaterThan(24);
  });

  test('is reached through tmux, too', () => {
    expect(copySequence('x', true)).toBe(
      '\u001b]52;c;eA==\u0007\u001bPtmux;\u001b\u001b]52;c;eA==\u0007\u001b\\',
    );
    expect(copySequence('x'.repeat(1_000_000), false).length).toBeLessThan(100_000);
  });
});

describe('the editor', () => {
  test('gets the plain terminal; the flake is evaluated anew when it closes', async () => {
    const ran: (readonly string[])[] = [];
    const lab = fakeSession(seedSnapshot, { edit: ['hx', 'hosts/grey-area.nix'] });
    const screen = await openScreen(lab.session, {
      runInteractive: async (argv) => {
        ran.push(argv);
        return 0;
      },
    });
    await screen.press('j', 'e');
    await screen.waitFor('grey-area');
    expect(ran).toEqual([['hx', 'hosts/grey-area.nix']]);
    expect(lab.asked).toContain('refresh');
  });

  test('is not offered read-only', async () => {
    const screen = await openScreen(fakeSession(seedSnapshot).session, { readonly: true });
    await screen.press('e');
    expect(screen.text()).toContain('edit: this screen was opened read-only');
  });
});

describe('ssh', () => {
  test('gets the plain terminal, and leads back to where one was', async () => {
    const during: boolean[] = [];
    const ran: (readonly string[])[] = [];
    const box: { screen?: Screen } = {};
    box.screen = await openScreen(fakeSession(seedSnapshot).session, {
      runInteractive: async (argv) => {
        ran.push(argv);
        during.push(box.screen?.alternate() ?? true, box.screen?.rawMode() ?? true);
        return 0;
      },
    });
    const { screen } = box;
    await screen.press('j', 's');
    await screen.waitFor('grey-area');
    expect(ran).toEqual([['ssh', 'grey-area']]);
    expect(during).toEqual([false, false]);
    expect(screen.alternate()).toBe(true);
    expect(screen.rawMode()).toBe(true);
    await screen.press('j');
    expect(screen.text()).toContain('▶  reverse-proxy');
  });

  test('that fails leaves its words to be read before the screen comes back', async () => {
    const screen = await openScreen(fakeSession(seedSnapshot).session, { runInteractive: async () => 255 });
    screen.send('s');
    await screen.waitFor('[lab] ssh to congenital-optimist ended with exit code 255');
    await screen.waitFor('Press Enter to return to the screen.');
    expect(screen.alternate()).toBe(false);
    screen.send('\n');
    await screen.waitFor('[1 Machines]');
    await screen.settle();
    expect(screen.text()).toContain('ended with exit code 255');
    expect(screen.alternate()).toBe(true);
  });

  test('Ctrl-C belongs to it, not to the screen', async () => {
    const program = Promise.withResolvers<number>();
    const screen = await openScreen(fakeSession(liveSnapshot).session, {
      runInteractive: () => program.promise,
    });
    screen.send('s');
    await screen.tui.flush();
    deliver('SIGINT');
    program.resolve(0);
    await screen.waitFor('[1 Machines]');
    expect(screen.text()).not.toContain('A run is under way');
  });

  test('where there is none: the reason', async () => {
    const none = {
      kind: 'demo',
      machine: 'grey-area',
      phase: 'ssh',
      message: 'the demo has no machines to log in to',
      remedy: 'open your own lab with `lab --flake`',
    };
    const screen = await openScreen(fakeSession(seedSnapshot, { ssh: none }).session, { columns: 120 });
    await screen.press('s');
    expect(screen.text()).toContain('the demo has no machines to log in to; open your own lab');
  });
});

describe('Ctrl-Z', () => {
  test('leaves the terminal to the shell until it is continued', async () => {
    const stopped = Promise.withResolvers<void>();
    const screen = await openScreen(fakeSession(seedSnapshot).session, {
      suspendProcess: () => stopped.promise,
    });
    screen.send('\u001a');
    await screen.tui.flush();
    await expect.poll(() => screen.alternate()).toBe(false);
    stopped.resolve();
    await screen.waitFor('[1 Machines]');
    expect(screen.alternate()).toBe(true);
  });

  test('is refused while a run in this process would stand still', async () => {
    const screen = await openScreen(fakeSession({ ...liveSnapshot, demo: true }).session, {
      suspendProcess: () => Promise.reject(new Error('must not be called')),
    });
    await screen.press('\u001a');
    expect(screen.text()).toContain('would stand still');
  });
});

test('Ctrl-L paints everything anew over whatever was there', async () => {
  const screen = await openScreen(fakeSession(seedSnapshot).session);
  const before = screen.cells();
  await screen.scribble('garbage\u001b[5;5Hmore garbage');
  expect(screen.cells()).not.toBe(before);
  await screen.press(keys.ctrlL);
  expect(screen.cells()).toBe(before);
});

test('an early news flood is drawn once things settle', async () => {
  const lab = fakeSession(emptySnapshot);
  const screen = await openScreen(lab.session);
  for (let index = 0; index < 200; index += 1) lab.show({ ...seedSnapshot, now: seedSnapshot.now + index });
  await screen.settle();
  expect(screen.text()).toContain('sleeper-service');
});
