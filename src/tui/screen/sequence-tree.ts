import { dependencyMap } from '../../fleet/graph.ts';
import type { Machine } from '../../fleet/machine.ts';
import { type Line, line, span } from '../draw/line.ts';
import type { Pen } from '../draw/pen.ts';
import type { MachineRow } from './machine-row.ts';

/** Who needs whom, as a tree: below a machine those that need it. One with several needs stands below each of them. */

export type TreeEntry = { readonly key: string | null; readonly line: Line };

export const treeEntries = (
  machines: readonly Machine[],
  rows: ReadonlyMap<string, MachineRow>,
  pen: Pen,
): readonly TreeEntry[] => {
  const needs = dependencyMap(machines);
  const neededBy = new Map<string, string[]>();
  for (const [name, wanted] of needs)
    for (const dependency of wanted) neededBy.set(dependency, [...(neededBy.get(dependency) ?? []), name]);
  const shown = new Set<string>();
  const entries: TreeEntry[] = [];
  const { branch, last: lastBranch, vertical } = pen.glyphs;

  const add = (name: string, lead: string, stem: string): void => {
    const again = shown.has(name);
    shown.add(name);
    const row = rows.get(name);
    const others = (needs.get(name) ?? []).length;
    const children = [...(neededBy.get(name) ?? [])].sort();
    entries.push({
      // The cursor stands on a machine once, where it is shown with what hangs on it.
      key: again ? null : name,
      line: [
        span(` ${lead}`, 'quiet'),
        span(`${row?.state.glyph ?? pen.glyphs.unknown} `, row?.state.tone ?? 'quiet'),
        span(name, again ? 'quiet' : 'strong'),
        span(row === undefined ? '' : `  ${row.state.text}`, row?.state.tone ?? 'quiet'),
        span(others > 1 && stem !== '' ? `  needs ${others} machines` : '', 'quiet'),
        span(again && children.length > 0 ? '  (what needs it: see above)' : '', 'quiet'),
      ],
    });
    if (again) return;
    for (const [index, child] of children.entries()) {
      const isLast = index === children.length - 1;
      add(child, `${stem}${isLast ? lastBranch : branch} `, `${stem}${isLast ? ' ' : vertical}  `);
    }
  };

  for (const { name } of [...machines].sort((a, b) => (a.name < b.name ? -1 : 1)))
    if ((needs.get(name) ?? []).length === 0) add(name, '', '');
  const left = machines.filter(({ name }) => !shown.has(name)).map(({ name }) => name);
  if (left.length === 0) return entries;
  return [
    ...entries,
    { key: null, line: [] },
    { key: null, line: line('On or behind a dependency cycle', 'bad') },
    ...left.sort().map((name) => ({
      key: name,
      line: [
        span(` ${pen.glyphs.bad} `, 'bad' as const),
        span(name, 'strong' as const),
        span(`  needs ${(needs.get(name) ?? []).join(', ')}`, 'plain' as const),
      ],
    })),
  ];
};
