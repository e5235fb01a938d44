import { type Line, span, widthOf } from './line.ts';

/** Which form of its name the open tab shows, and which the others: the first that fits. */
const arrangements = [
  [0, 0],
  [0, 1],
  [0, 2],
  [0, 3],
  [1, 3],
] as const;

/**
 * Names side by side, the open one in brackets: in full where they fit, else all but the open one short, else those by
 * their keys alone. `forms`: in full, short, shorter, the key.
 */
export const tabStrip = (
  names: readonly {
    readonly forms: readonly [string, string, string, string];
    readonly open: boolean;
    readonly alert: boolean;
  }[],
  width: number,
): Line => {
  const strips = arrangements.map(
    ([ofOpen, ofOthers]): Line =>
      names.map(({ forms, open, alert }) =>
        open
          ? span(`${ofOthers === 2 ? ' ' : ''}[${forms[ofOpen]}]`, 'strong', 'tab')
          : span(ofOthers === 2 ? ` ${forms[ofOthers]}` : ` ${forms[ofOthers]} `, alert ? 'warn' : 'quiet'),
      ),
  );
  return strips.find((strip) => widthOf(strip) <= width) ?? strips.at(-1) ?? [];
};
