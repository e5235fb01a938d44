import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Column, placeColumns } from '../../../src/tui/screen/table.ts';

type Id = 'name' | 'state' | 'drift' | 'extra';
const columns: readonly Column<Id>[] = [
  { id: 'name', title: 'NAME', rank: 0, good: 12, least: 8, most: 20 },
  { id: 'extra', title: 'EXTRA', rank: 3, good: 10, least: null, most: 30 },
  { id: 'state', title: 'STATE', rank: 1, good: 10, least: 8, most: 10 },
  { id: 'drift', title: 'DRIFT', rank: 2, good: 20, least: 10, most: 40 },
];
const place = (width: number, ideal = 100) =>
  placeColumns(columns, () => ideal, width).map(({ id, width: cells }) => `${id} ${cells}`);

test('a wide terminal shows every column, as wide as it needs', () => {
  expect(place(200)).toEqual(['name 20', 'extra 30', 'state 10', 'drift 40']);
});

test('the least important column goes first', () => {
  expect(place(46)).toEqual(['name 12', 'state 10', 'drift 20']);
});

test('where it is narrow, what matters makes do with less', () => {
  expect(place(32)).toEqual(['name 10', 'state 8', 'drift 10']);
  expect(place(20)).toEqual(['name 10', 'state 8']);
});

test('short contents leave room for more columns', () => {
  expect(place(40, 5)).toEqual(['name 5', 'extra 5', 'state 5', 'drift 5']);
});

test('columns never take more than there is, and never lose their order', () => {
  fc.assert(
    fc.property(fc.integer({ min: 20, max: 300 }), fc.integer({ min: 0, max: 80 }), (width, ideal) => {
      const placed = placeColumns(columns, () => ideal, width);
      const taken = placed.reduce((sum, { width: cells }) => sum + cells, 0) + 2 * (placed.length - 1);
      expect(taken).toBeLessThanOrEqual(width);
      const order = columns.map(({ id }) => id).filter((id) => placed.some((column) => column.id === id));
      expect(placed.map(({ id }) => id)).toEqual(order);
    }),
  );
});
