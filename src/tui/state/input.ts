import type { Scroll } from '../screen/pane.ts';

/** A line being typed at the bottom. `before` is what Esc brings back. */
export type Input =
  | { readonly kind: 'filter'; readonly text: string; readonly before: string }
  /** Of the lines on show: those that hold the text. */
  | { readonly kind: 'search'; readonly text: string; readonly before: string }
  /** Goes to the next line that holds the text; `from` is where one was. */
  | { readonly kind: 'find'; readonly text: string; readonly before: string; readonly from: Scroll }
  | CommandInput
  /** `index`: which of what was found the cursor is on. */
  | { readonly kind: 'palette'; readonly text: string; readonly index: number };

/** A line after `:`. */
export type CommandInput = {
  readonly kind: 'command';
  readonly text: string;
  /** Which earlier line is shown, counted from the newest; `draft` is what Down brings back. */
  readonly recalled: number | null;
  readonly draft: string;
  /** Tab goes through what `stem` could become: which of them is shown. */
  readonly walked: { readonly stem: string; readonly at: number } | null;
};
export const commandInput = (text: string): CommandInput => ({
  kind: 'command',
  text,
  recalled: null,
  draft: '',
  walked: null,
});

/** Lines after `:` that are remembered. */
export const typedLinesMax = 100;
/** The lines with one more: each once, where it was typed last. */
export const typedWith = (lines: readonly string[], line: string): readonly string[] =>
  [...lines.filter((other) => other !== line), line].slice(-typedLinesMax);
