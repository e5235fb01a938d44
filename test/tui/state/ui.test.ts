import { describe, expect, test } from 'vitest';
import { initialUi, reduce, scrollOf, type Ui, type UiAction, viewOf } from '../../../src/tui/state/ui.ts';

const start = initialUi({ columns: 80, rows: 24 });
const after = (...actions: readonly UiAction[]): Ui => actions.reduce(reduce, start);
const machine = { kind: 'machine', name: 'nas', tab: 'overview' } as const;

describe('going and coming back', () => {
  test('Esc leads back along the way one came', () => {
    const ui = after(
      { kind: 'go', view: { kind: 'sequence' } },
      { kind: 'go', view: machine },
      { kind: 'back' },
    );
    expect(viewOf(ui).kind).toBe('sequence');
    expect(viewOf(reduce(ui, { kind: 'back' })).kind).toBe('machines');
  });

  test('at the machines Esc shows all of them again, and then does nothing', () => {
    const filtered = after({ kind: 'filter', text: 'web' });
    expect(reduce(filtered, { kind: 'back' }).filter).toBe('');
    expect(reduce(start, { kind: 'back' })).toBe(start);
  });

  const go = (kind: 'machines' | 'sequence' | 'run' | 'log' | 'help'): UiAction => ({
    kind: 'go',
    view: { kind },
  });
  const wayOf = (ui: Ui): readonly string[] => ui.stack.map(({ kind }) => kind);

  test('from the log to the run or the machine it was opened from', () => {
    expect(wayOf(after(go('run'), go('log'), { kind: 'back' }))).toEqual(['machines', 'run']);
    expect(viewOf(after({ kind: 'go', view: machine }, go('log'), { kind: 'back' }))).toEqual(machine);
  });

  test('to and fro between two places makes the way back no longer', () => {
    const ui = after(go('run'), go('log'), go('run'), go('log'), go('run'));
    expect(wayOf(ui)).toEqual(['machines', 'log', 'run']);
  });

  test('at the machines every way begins anew', () => {
    expect(wayOf(after(go('run'), go('log'), go('machines')))).toEqual(['machines']);
  });

  test('what was opened from the help leads back to before the help', () => {
    expect(wayOf(after(go('run'), go('help'), go('log')))).toEqual(['machines', 'run', 'log']);
  });

  test('the same view is not opened on top of itself', () => {
    expect(after(go('help'), go('help')).stack).toHaveLength(2);
    expect(wayOf(after(go('machines'), go('machines')))).toEqual(['machines']);
  });
});

describe('what is remembered', () => {
  test('every view keeps its own place', () => {
    const ui = after(
      { kind: 'scroll', scroll: { selected: 'nas', top: 3 } },
      { kind: 'go', view: { kind: 'sequence' } },
    );
    expect(scrollOf(ui)).toEqual({ selected: null, top: 0 });
    expect(scrollOf(reduce(ui, { kind: 'back' }))).toEqual({ selected: 'nas', top: 3 });
  });

  test('the log begins at its end', () => {
    expect(scrollOf(after({ kind: 'go', view: { kind: 'log' } })).top).toBe('end');
  });

  test('marks are set and taken away by name', () => {
    const ui = after(
      { kind: 'mark', names: ['nas', 'web'], on: true },
      { kind: 'mark', names: ['web'], on: false },
    );
    expect([...ui.marked]).toEqual(['nas']);
  });

  test('sorting by the same thing again turns the order round', () => {
    expect(after({ kind: 'sort', by: 'state' }).sort).toEqual({ by: 'state', reversed: false });
    expect(after({ kind: 'sort', by: 'state' }, { kind: 'sort', by: 'state' }).sort.reversed).toBe(true);
  });
});
