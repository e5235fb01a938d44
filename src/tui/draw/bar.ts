import type { Pen } from './pen.ts';

/** A bar of `width` cells; `share` is between 0 and 1. Full only when all is done. */
export const barText = (share: number, width: number, pen: Pen): string => {
  const bounded = Math.max(0, Math.min(1, share));
  const filled = bounded >= 1 ? width : Math.min(width - 1, Math.floor(bounded * width));
  return pen.glyphs.full.repeat(Math.max(0, filled)) + pen.glyphs.empty.repeat(width - Math.max(0, filled));
};
