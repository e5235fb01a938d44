import { describe, expect, test } from 'vitest';
import { seedSnapshot } from './fixtures/lab.ts';
import { heldSnapshot, waitingSnapshot, withPastSnapshot } from './fixtures/runs.ts';
import { opened } from './fixtures/shell.ts';

/** A screen that only looks on offers what it can do, and nothing else. */

const lookingOn = (...args: Parameters<typeof opened>) => opened(args[0], { ...args[1], readonly: true });

describe('a read-only screen', () => {
  test('where there was no run yet says how one comes to be seen', () => {
    const { press, text } = lookingOn(seedSnapshot);
    press('3');
    expect(text()).toContain('No run yet.');
    expect(text()).toContain('begins elsewhere');
    expect(text()).not.toMatch(/^ {2}[urDR] {2}/mu);
    press('7');
    expect(text()).not.toContain('begin one');
    const acting = opened(seedSnapshot);
    acting.press('3');
    expect(acting.text()).toMatch(/^ {2}u {2}update flake\.lock/mu);
  });

  test.each([
    ['machines', seedSnapshot, []],
    ['a plan that waits', waitingSnapshot, ['3']],
    ['a run that holds', heldSnapshot, ['3']],
    ['inputs', seedSnapshot, ['6']],
    ['past runs', withPastSnapshot, ['7']],
  ] as const)('%s: the hint bar has no key that is refused', (_where, snapshot, way) => {
    const { press, text } = lookingOn(snapshot);
    press(...way);
    const bar = text().trimEnd().split('\n').at(-1) ?? '';
    expect(bar).toContain('q quit');
    expect(bar).not.toMatch(/[(]?[urDRaxtKbo] (?:run|update|deploy|reboot|approve|discard|try again|skip)/u);
  });

  test('a run that holds offers to look, not to act; its keys still say why not', () => {
    const { press, text, lab } = lookingOn(heldSnapshot);
    press('3', 'pgdn');
    expect(text()).toContain('This screen was opened read-only');
    expect(text()).not.toMatch(/^ {2}[tKrb] {2}/mu);
    expect(text()).toMatch(/^ {2}s {2}a shell on/mu);
    press('t');
    expect(text()).toContain('retry: this screen was opened read-only');
    expect(lab.asked).toEqual([]);
  });

  test('still lists in the help what another screen could do', () => {
    const { press, type, text } = lookingOn(seedSnapshot);
    press('?', '/');
    type('deploy');
    expect(text().replaceAll(/\s+/gu, ' ')).toContain('this screen was opened read-only');
  });
});
