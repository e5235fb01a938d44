import { type Benchmark, isOver, median, type Outcome, type Row } from './harness.ts';

const figure = (value: number, unit: Row['unit']): string =>
  unit === '×' || value < 10 ? value.toFixed(2) : value.toFixed(0);

const cellsOf = (row: Row): readonly string[] => {
  const { values, unit, target } = row;
  const over = isOver(row);
  return [
    row.against === null ? row.what : `${row.what} / ${row.against}`,
    `${figure(median(values), unit)} ${unit}`,
    `${figure(Math.min(...values), unit)} – ${figure(Math.max(...values), unit)}`,
    target === null ? '' : `≤ ${target} ${unit}`,
    over === null ? '' : over ? 'OVER' : 'ok',
    row.detail,
  ];
};

/** Lines of one benchmark as a table. */
export const linesOf = (benchmark: Benchmark, rounds: number, outcome: Outcome): readonly string[] => {
  const title = `${benchmark.name}: ${benchmark.about}`;
  if (outcome.kind === 'missing') return [title, `  COULD NOT BE RUN: ${outcome.why}`];
  const table = [['', 'median', 'low – high', 'target', '', 'medians'], ...outcome.report.rows.map(cellsOf)];
  const widths = (table[0] ?? []).map((_, column) =>
    Math.max(...table.map((cells) => cells[column]?.length ?? 0)),
  );
  return [
    `${title} (${rounds} rounds)`,
    ...table.map((cells) =>
      `  ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')}`.trimEnd(),
    ),
    ...outcome.report.notes.map((note) => `  · ${note}`),
  ];
};

/** One benchmark as data. */
export const dataOf = (benchmark: Benchmark, rounds: number, outcome: Outcome): object =>
  outcome.kind === 'missing'
    ? { name: benchmark.name, missing: outcome.why }
    : {
        name: benchmark.name,
        rounds,
        rows: outcome.report.rows.map((row) => ({
          ...row,
          median: median(row.values),
          over: isOver(row),
        })),
        notes: outcome.report.notes,
      };
