import '../fixtures/colour.ts';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { reportFilter } from '../../../src/tui/state/reports.ts';
import { fakeSession } from '../fixtures/fake-session.ts';
import { seedSnapshot } from '../fixtures/lab.ts';
import { keys, openScreen } from '../fixtures/terminal.ts';

const esc = '\u001b';
/** A click into column and row as the oldest terminals report it: all are counted from 32. */
const clickAt = (column: number, row: number, button = 0): string =>
  `${esc}[M${[button, column, row].map((number) => String.fromCodePoint(32 + number)).join('')}`;

const reports = {
  'a click, the old way': clickAt(10, 5),
  'the wheel, the old way': clickAt(82, 17, 64),
  'a click far to the right': clickAt(120, 40),
  'the colour of the background': `${esc}]11;rgb:1e1e/1e1e/2e2e${esc}\\`,
  'the same, ended as xterm does': `${esc}]11;rgb:1e1e/1e1e/2e2e\u0007`,
  'the version of the terminal': `${esc}P>|WezTerm 2026${esc}\\`,
} as const;

describe('what the terminal reports', () => {
  test.each(Object.entries(reports))('%s is no key', (_what, report) => {
    expect(reportFilter()(`j${report}k`)).toBe('jk');
    expect(reportFilter()(report + report)).toBe('');
  });

  test('also where it comes in two pieces', () => {
    for (const report of [clickAt(10, 5), clickAt(82, 49), `${esc}[<0;10;5M`])
      for (let cut = 3; cut < report.length; cut += 1) {
        const filter = reportFilter();
        const kept = filter(report.slice(0, cut)) + filter(`${report.slice(cut)}j`);
        // The newer form is whole again: what reads keys knows it.
        expect(kept.replace(`${esc}[<0;10;5M`, '')).toBe('j');
      }
  });

  test('a piece that never comes costs no more than what follows at once', () => {
    const filter = reportFilter();
    filter(`${esc}[M`);
    expect(filter(keys.down)).toBe(keys.down);
    filter(`${esc}[M`);
    filter('x');
    expect(filter('jk')).toBe('jk');
  });

  test('whatever is pressed passes', () => {
    const pressed = fc.array(
      fc.constantFrom(...Object.values(keys), 'j', 'M', 'P', ']', '[', 'é', '漢', '\r'),
    );
    fc.assert(
      fc.property(pressed, (chunks) => {
        const filter = reportFilter();
        // Esc and a character are Alt and that character, and begin a report only where its end is there too.
        fc.pre(!/\u001b(?:\[M|\[<|[\]PX^_].*\u001b)/su.test(chunks.join('')));
        expect(chunks.map(filter).join('')).toBe(chunks.join(''));
      }),
    );
  });

  test('marks nothing, goes nowhere and types nothing', async () => {
    const screen = await openScreen(fakeSession(seedSnapshot).session);
    const before = screen.text();
    await screen.press(
      ...Object.values(reports),
      `${esc}[<0;10;5M${esc}[<0;10;5m`,
      `${esc}[I`,
      `${esc}[24;80R`,
    );
    expect(screen.text()).toBe(before);
    await screen.press('/', clickAt(3, 3), 'n');
    expect(screen.text()).toMatch(/ \/n\S* /u);
    await screen.press(keys.esc, 'j', ' ');
    expect(screen.text()).toContain('1 marked');
  });
});
