import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { widthOf } from '../../src/tui/draw/line.ts';
import { frameOf } from '../../src/tui/frame.ts';
import { bigSnapshot, emptySnapshot, seedSnapshot } from './fixtures/lab.ts';
import {
  criticalRebootSnapshot,
  doneSnapshot,
  heldSnapshot,
  liveSnapshot,
  preparingSnapshot,
  waitingSnapshot,
} from './fixtures/runs.ts';
import { opened } from './fixtures/shell.ts';

describe('filtering', () => {
  test('works while it is being typed; Enter keeps it, Esc shows all again', () => {
    const { press, type, text } = opened(seedSnapshot);
    press('/');
    type('grey');
    expect(text()).toContain('1 of 1 machine (1 of 5 shown)');
    press('enter');
    expect(text()).toContain('filter: grey');
    press('esc');
    expect(text()).toContain('2 of 5 machines');
  });

  test('Esc while typing brings back what was there before', () => {
    const { press, type, shell } = opened(seedSnapshot);
    press('/');
    type('nas');
    press('enter', '/');
    type('xyz');
    press('esc');
    expect(shell.moment().ui.filter).toBe('nas');
  });

  test('keys are letters while one types', () => {
    const { press, type, lab, terminal } = opened(seedSnapshot);
    press('/');
    type('qrDRux');
    expect([lab.asked, terminal]).toEqual([[], []]);
  });
});

describe('a reboot of marked machines', () => {
  test('open, mark two, ask for it, look at the plan, cancel', () => {
    const { press, lab, text } = opened(seedSnapshot);
    press('j', 'space', 'space');
    expect(text()).toContain('2 marked');
    press('R');
    expect(lab.asked).toEqual(['prepare {"kind":"reboot","which":"all"}: grey-area reverse-proxy']);
    lab.show(waitingSnapshot);
    expect(text()).toContain('Plan:');
    press('a');
    expect(text()).toContain('[▶ Cancel ]');
    press('enter');
    expect(text()).not.toContain('Cancel');
    expect(lab.asked).not.toContain('approve');
    press('x');
    expect(lab.asked.at(-1)).toBe('decline');
  });

  test('starts when the second choice is taken on purpose', () => {
    const { press, type, lab } = opened(waitingSnapshot);
    press('3', 'enter');
    type('sleeper-service');
    press('tab', 'enter');
    expect(lab.asked).toEqual(['approve']);
  });

  test('of a critical machine within a full run wants its name all the same', () => {
    const { press, lab, text } = opened(waitingSnapshot);
    press('3', 'a');
    expect(text()).toContain('type sleeper-service:');
    press('tab', 'enter', 'enter', 'enter');
    expect(lab.asked).toEqual([]);
  });

  test('of a critical machine wants its name typed, in full', () => {
    const { press, type, lab, text } = opened(criticalRebootSnapshot);
    press('3', 'a', 'tab', 'enter');
    expect(lab.asked).toEqual([]);
    type('sleeper-servicx');
    press('enter');
    expect(lab.asked).toEqual([]);
    press('backspace');
    type('e');
    expect(text()).toContain('✔ typed');
    press('enter');
    expect(lab.asked).toEqual(['approve']);
  });

  test('of a critical machine keeps the focus on Cancel when the name is typed', () => {
    const { press, type, lab } = opened(criticalRebootSnapshot);
    press('3', 'a');
    type('sleeper-service');
    press('enter');
    expect(lab.asked).toEqual([]);
  });
});

describe('Esc', () => {
  test('never does anything but lead back', () => {
    const begin = [
      emptySnapshot,
      seedSnapshot,
      preparingSnapshot,
      waitingSnapshot,
      liveSnapshot,
      heldSnapshot,
    ];
    for (const snapshot of begin)
      for (const way of [[], ['2'], ['3'], ['3', 'a'], ['u'], ['?'], [':'], ['/'], ['d'], ['q']]) {
        const { press, lab, terminal } = opened(snapshot);
        press(...way);
        const before = [...lab.asked];
        if (terminal.length === 0) press('esc', 'esc', 'esc', 'esc');
        // What was being read for what is no longer on show is given up.
        expect(lab.asked.filter((asked) => asked !== 'leave closure')).toEqual(before);
      }
  });
});

describe('quitting', () => {
  test('is done at once when nothing is under way', () => {
    const { press, terminal } = opened(seedSnapshot);
    press('q');
    expect(terminal).toEqual([{ kind: 'quit' }]);
  });

  test.each(['q', 'ctrl-c'])('%s asks while a run is under way, and stays by default', (key) => {
    const { press, terminal, lab, text } = opened(liveSnapshot);
    press(key);
    expect(text()).toContain('A run is under way');
    press('enter');
    expect(terminal).toEqual([]);
    expect(lab.asked).toEqual([]);
  });

  test.each(['q', 'ctrl-c'])('%s can leave the run, which goes on in its own process', (key) => {
    const { press, terminal, lab, text } = opened(liveSnapshot);
    press(key);
    expect(text()).toContain('It lives in a process of its own');
    press('tab', 'enter');
    expect(terminal).toEqual([{ kind: 'quit' }]);
    expect(lab.asked).toEqual([]);
  });

  test('in the demo says that the run ends with it', () => {
    const { press, terminal, lab, text } = opened({ ...liveSnapshot, demo: true });
    press('q');
    expect(text()).toContain('lives in this process');
    expect(text()).not.toContain('Leave it running');
    press('tab', 'enter');
    expect(lab.asked).toEqual(['stop']);
    expect(terminal).toEqual([]);
    press('q', 'tab', 'tab', 'enter');
    expect(terminal).toEqual([{ kind: 'quit' }]);
  });

  test('while a run is being prepared says that nothing was touched', () => {
    const { press, lab, text } = opened(preparingSnapshot);
    press('q');
    expect(text()).toContain('no machine has been touched');
    press('tab', 'enter');
    expect(lab.asked).toEqual(['stop']);
  });

  test('stops the run gracefully, and leaves when it has ended', () => {
    const { press, terminal, lab, text } = opened(liveSnapshot);
    press('q', 'tab', 'tab', 'enter');
    expect(lab.asked).toEqual(['stop']);
    expect(terminal).toEqual([]);
    expect(text()).toContain('quits when the run has ended');
    lab.show(heldSnapshot);
    expect(terminal).toEqual([{ kind: 'quit' }]);
  });

  test('can leave a plan waiting, for whoever opens lab next', () => {
    const { press, lab, terminal } = opened(waitingSnapshot);
    press('q', 'tab', 'enter');
    expect([lab.asked, terminal]).toEqual([[], [{ kind: 'quit' }]]);
  });

  test.each([waitingSnapshot, liveSnapshot, preparingSnapshot])(
    'a screen that only looks on is done at once, and leaves everything as it is',
    (snapshot) => {
      const { press, lab, terminal } = opened(snapshot, { readonly: true });
      press('3', 'x', 'z', 'X', 'a');
      expect(lab.asked).toEqual([]);
      press('q');
      expect([lab.asked, terminal]).toEqual([[], [{ kind: 'quit' }]]);
    },
  );

  test('with a plan that waits asks before it discards it', () => {
    const { press, lab, terminal, text } = opened(waitingSnapshot);
    press('q');
    expect(text()).toContain('A plan waits for you');
    press('enter');
    expect([lab.asked, terminal]).toEqual([[], []]);
    press('q', 'tab', 'tab', 'enter');
    expect(lab.asked).toEqual(['decline']);
    lab.show(doneSnapshot);
    expect(terminal).toEqual([{ kind: 'quit' }]);
  });
});

describe('stopping', () => {
  test('a live run asks first', () => {
    const { press, lab } = opened(liveSnapshot);
    press('3', 'x', 'enter');
    expect(lab.asked).toEqual([]);
    press('x', 'right', 'enter');
    expect(lab.asked).toEqual(['stop']);
  });

  test('a run that is stopping is not stopped twice', () => {
    const { press, lab, text } = opened({ ...liveSnapshot, phase: { kind: 'running', stopRequested: true } });
    press('3', 'x');
    expect(text()).toContain('it is stopping already');
    expect(lab.asked).toEqual([]);
  });
});

describe('news', () => {
  test('of a plan are told where one is', () => {
    const { lab, text } = opened(preparingSnapshot);
    lab.show(waitingSnapshot);
    expect(text()).toContain('the plan is ready: 3 shows it');
  });

  test('of the end of a run are told where one is', () => {
    const { lab, text } = opened(liveSnapshot);
    lab.show(heldSnapshot);
    expect(text()).toContain('the run has ended, held: needs you: 3 shows it');
  });

  test('close a dialog that speaks of what is over', () => {
    const { press, lab, text } = opened(liveSnapshot);
    press('3', 'x');
    lab.show(heldSnapshot);
    expect(text()).not.toContain('Stop the run?');
    press('tab', 'enter');
    expect(lab.asked).toEqual([]);
  });

  test('begin at the top of what they show', () => {
    const { shell, press, lab, text } = opened(waitingSnapshot);
    shell.resize({ columns: 80, rows: 14 });
    press('3', 'G');
    lab.show(heldSnapshot);
    expect(text()).toContain('Run held: needs you');
  });
});

describe('paste', () => {
  test('does nothing but say so where nothing is being typed', () => {
    const { shell, lab, terminal, text } = opened(seedSnapshot);
    shell.paste('q\rD\rR\r');
    expect([lab.asked, terminal]).toEqual([[], []]);
    expect(text()).toContain('pasted text was ignored');
  });

  test('into a filter: its first line, without what no eye can see', () => {
    const { shell, press } = opened(seedSnapshot);
    press('/');
    shell.paste('grey\u001b[31m-area\nrm -rf /');
    expect(shell.moment().ui.filter).toBe('grey[31m-area');
  });

  test('into a command line: it does not run', () => {
    const { shell, press, lab, terminal } = opened(seedSnapshot);
    press(':');
    shell.paste('quit\n');
    expect([lab.asked, terminal]).toEqual([[], []]);
    expect(shell.moment().ui.input?.text).toBe('quit');
  });

  test('is no way to type the name of a critical machine', () => {
    const { shell, press, lab } = opened(criticalRebootSnapshot);
    press('3', 'a');
    shell.paste('sleeper-service');
    press('tab', 'enter');
    expect(lab.asked).toEqual([]);
  });
});

describe('time', () => {
  test('an idle screen makes no frame for every tick', () => {
    const { shell, lab } = opened(seedSnapshot);
    const before = shell.moment();
    lab.pass(9_000);
    shell.tick();
    expect(shell.moment()).toBe(before);
    lab.pass(2_000);
    shell.tick();
    expect(shell.moment()).not.toBe(before);
  });

  test('a live run shows every second', () => {
    const { shell, press, lab, text } = opened(liveSnapshot);
    press('3');
    lab.pass(65_000);
    shell.tick();
    expect(text()).toContain('1:06 / 12:00');
  });

  test('never runs backwards', () => {
    const { shell, lab } = opened(seedSnapshot);
    lab.pass(60_000);
    shell.tick();
    const { now } = shell.moment();
    lab.show({ messages: [] });
    expect(shell.moment().now).toBeGreaterThanOrEqual(now);
  });
});

test('a closed shell listens no more', () => {
  const { shell, lab } = opened(seedSnapshot);
  expect(lab.listeners()).toBe(1);
  shell.close();
  expect(lab.listeners()).toBe(0);
});

test('whatever is pressed, pasted, resized and told, every frame fits the terminal exactly', () => {
  const snapshots = [
    emptySnapshot,
    seedSnapshot,
    bigSnapshot(60),
    preparingSnapshot,
    waitingSnapshot,
    criticalRebootSnapshot,
    liveSnapshot,
    heldSnapshot,
  ];
  const key = fc.constantFrom(
    ...[
      'j',
      'k',
      'g',
      'G',
      'pgdn',
      'pgup',
      'space',
      '*',
      '/',
      ':',
      '?',
      'd',
      'enter',
      'esc',
      'tab',
      'left',
      '[',
      ']',
    ],
    ...[
      '1',
      '2',
      '3',
      '4',
      '5',
      'u',
      'r',
      'D',
      'R',
      'a',
      'x',
      's',
      'p',
      'N',
      'S',
      'F',
      'B',
      'O',
      'A',
      'q',
      'ctrl-c',
    ],
    ...['backspace', 'ctrl-u', 'ctrl-r', 'ctrl-l', 'ctrl-z', '!', '@', 'e'],
  );
  const step = fc.oneof(
    { weight: 10, arbitrary: key.map((name) => ({ kind: 'key' as const, name })) },
    {
      weight: 1,
      arbitrary: fc.string({ unit: 'grapheme' }).map((text) => ({ kind: 'paste' as const, text })),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        kind: fc.constant('size' as const),
        columns: fc.integer({ min: 1, max: 220 }),
        rows: fc.integer({ min: 1, max: 70 }),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.nat({ max: snapshots.length - 1 }).map((index) => ({ kind: 'news' as const, index })),
    },
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), fc.boolean(), (steps, ascii) => {
      const { shell, lab } = opened(seedSnapshot, { ascii });
      for (const item of steps) {
        if (item.kind === 'key') shell.key(item.name);
        else if (item.kind === 'paste') shell.paste(item.text);
        else if (item.kind === 'size') shell.resize({ columns: item.columns, rows: item.rows });
        else lab.show(snapshots[item.index] ?? seedSnapshot);
        const { columns, rows } = shell.moment().ui.size;
        const frame = frameOf(shell.scene());
        expect(frame).toHaveLength(rows);
        for (const content of frame) expect(widthOf(content)).toBe(columns);
        if (ascii)
          for (const content of frame)
            for (const { text } of content) expect(text).toMatch(/^[\x20-\x7e]*$/u);
      }
    }),
    { numRuns: 150 },
  );
});
