import { describe, expect, test } from 'vitest';
import { initialUi, reduce, scrollOf, type Ui, type UiAction, viewOf } from '../../../src/tui/state/ui.ts';

const start = initialUi({ columns: 80, rows: 24 });
const after = (...actions: readonly UiAction[]): Ui => actions.reduce(reduce, start);
const machine = { kind: 'machine', name: 'nas', tab: 'overview' } as const;

describe('going and coming back', () => {
  test('Esc leads back along the way one came', () => {
    const ui = after(
      { kind: 'go', view: { kind: 'sequence' } },
      { kind: 'open', view: machine },
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

  test('a place of its own begins a new way', () => {
    const ui = after({ kind: 'open', view: machine }, { kind: 'go', view: { kind: 'log' } });
    expect(ui.stack.map(({ kind }) => kind)).toEqual(['machines', 'log']);
  });

  test('the same view is not opened on top of itself', () => {
    const help: UiAction = { kind: 'open', view: { kind: 'help' } };
    expect(after(help, help).stack).toHaveLength(2);
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
