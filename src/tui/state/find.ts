import { lineTest } from '../screen/lines-with.ts';
import { foundIndex, type Pane, type Scroll, selectedIndex } from '../screen/pane.ts';

/** Finding in what is on show, where lines belong together and none may be left out. */

const textOf = (pane: Pane, index: number): string =>
  pane
    .lineAt(index)
    .map(({ text }) => text)
    .join('');

/** Rows that hold the text and that one can go to, from the top. */
export const matchesOf = (pane: Pane, text: string): readonly number[] => {
  const passes = lineTest(text);
  if (passes === null) return [];
  const found: number[] = [];
  for (let index = 0; index < pane.count; index += 1) {
    const reachable = pane.kind === 'text' || pane.keyAt(index) !== null;
    if (reachable && passes(textOf(pane, index))) found.push(index);
  }
  return found;
};

/** Where one stands: on the row under the cursor, on the line found last, or at the top of the window. */
const hereOf = (pane: Pane, scroll: Scroll): number => {
  if (pane.kind === 'list') return selectedIndex(pane, scroll);
  const found = foundIndex(scroll);
  return found >= 0 ? found : scroll.top === 'end' ? pane.count : scroll.top - 1;
};

/** The next match from here on (`by` 1, or -1 for the one before), round at the ends; `here` counts with `stay`. */
export const nextMatch = (
  pane: Pane,
  scroll: Scroll,
  text: string,
  by: 1 | -1,
  stay = false,
): { readonly index: number; readonly at: number; readonly of: number } | null => {
  const all = matchesOf(pane, text);
  const here = hereOf(pane, scroll);
  const index =
    by === 1
      ? (all.find((one) => (stay ? one >= here : one > here)) ?? all[0])
      : (all.findLast((one) => one < here) ?? all.at(-1));
  return index === undefined ? null : { index, at: all.indexOf(index) + 1, of: all.length };
};
