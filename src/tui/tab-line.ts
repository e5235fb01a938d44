import { type Line, span, spread, widthOf } from './draw/line.ts';
import type { Scene } from './state/scene.ts';
import { tabs } from './views.ts';

/** Names side by side, the open one in brackets: in full where they fit, else short, else by their keys alone. */
export const tabStrip = (
  names: readonly { readonly forms: readonly string[]; readonly open: boolean; readonly alert: boolean }[],
  width: number,
): Line => {
  const most = Math.max(...names.map(({ forms }) => forms.length));
  const strip = (form: number): Line =>
    names.map(({ forms, open, alert }) => {
      const text = forms[Math.min(form, forms.length - 1)] ?? '';
      return open
        ? span(`[${forms[Math.min(form, 1)] ?? text}]`, 'strong', 'tab')
        : span(` ${text} `, alert ? 'warn' : 'quiet');
    });
  for (let form = 0; form < most; form += 1) if (widthOf(strip(form)) <= width) return strip(form);
  return strip(most - 1);
};

/** The tabs, and where one is beyond them. */
export const tabsLine = (scene: Scene): Line => {
  const { ui, view, pen } = scene;
  const here = ui.stack.findLast(({ kind }) => tabs.some((tab) => tab.kind === kind))?.kind ?? 'machines';
  const crumb = view.kind === 'machine' ? view.name : view.kind === 'help' ? 'help' : '';
  const right: Line =
    crumb === '' ? [] : [span(` ${pen.glyphs.crumb} `, 'quiet'), span(`${pen.clean(crumb)} `, 'strong')];
  const left = tabStrip(
    tabs.map(({ kind, key, title, short, badge }) => {
      const more = badge?.(scene) ?? '';
      return {
        forms: [`${key} ${title}${more}`, `${key} ${short}${more}`, `${key}${more === '' ? '' : '!'}`],
        open: kind === here && view.kind !== 'help',
        alert: more !== '',
      };
    }),
    ui.size.columns - widthOf(right),
  );
  return spread(left, right, ui.size.columns, pen.glyphs.more);
};
