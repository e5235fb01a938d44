import type { Line } from './line.ts';
import { span } from './line.ts';
import type { Pen } from './pen.ts';
import type { Tone } from './theme.ts';

/** A value over time, one cell for each; null for a moment that had none: `bad` marks it as a failure. */
export type Beat = { readonly value: number | null; readonly tone: Tone; readonly sign: string | null };

/** The newest values that fit, scaled between nothing and the highest of them. Signs stand where there is no value. */
export const sparkline = (beats: readonly Beat[], width: number, pen: Pen): Line => {
  const { levels } = pen.glyphs;
  const shown = beats.slice(-width);
  const highest = shown.reduce((most, { value }) => Math.max(most, value ?? 0), 0);
  return shown.map(({ value, tone, sign }) => {
    if (sign !== null || value === null) return span(sign ?? pen.glyphs.unknown, tone);
    const share = highest === 0 ? 0 : value / highest;
    return span(levels[Math.min(levels.length - 1, Math.floor(share * levels.length))] ?? '', tone);
  });
};
