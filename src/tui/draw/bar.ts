import type { Pen } from './pen.ts';

/** A bar of `width` cells; `share` is between 0 and 1. Full only when all is done. */
export const barText = (share: number, width: number, pen: Pen): string => {
  // Windows are drawn at sizes, down to one cell, that leave a bar less than nothing.
  const cells = Math.max(0, width);
  const bounded = Math.max(0, Math.min(1, share));
  const filled = bounded >= 1 ? cells : Math.max(0, Math.min(cells - 1, Math.floor(bounded * cells)));
  return pen.glyphs.full.repeat(filled) + pen.glyphs.empty.repeat(cells - filled);
};
