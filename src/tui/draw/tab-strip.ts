import { type Line, span, widthOf } from './line.ts';

/**
 * Names side by side, the open one in brackets: in full where they fit, else short but for the open one, else by their
 * keys alone.
 */
export const tabStrip = (
  names: readonly { readonly forms: readonly string[]; readonly open: boolean; readonly alert: boolean }[],
  width: number,
): Line => {
  const most = Math.max(...names.map(({ forms }) => forms.length));
  const strip = (form: number): Line =>
    names.map(({ forms, open, alert }) => {
      const text = forms[Math.min(form, forms.length - 1)] ?? '';
      return open
        ? span(`[${forms[form > 1 ? 1 : 0] ?? text}]`, 'strong', 'tab')
        : span(` ${text} `, alert ? 'warn' : 'quiet');
    });
  for (let form = 0; form < most; form += 1) if (widthOf(strip(form)) <= width) return strip(form);
  return strip(most - 1);
};
