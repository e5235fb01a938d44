import { type Line, span, spread, widthOf } from './draw/line.ts';
import { tabStrip } from './draw/tab-strip.ts';
import type { Scene } from './state/scene.ts';
import { tabs } from './views.ts';

/** The tabs, and where one is beyond them. */
export const tabsLine = (scene: Scene): Line => {
  const { ui, view, pen } = scene;
  const last = ui.stack.findLast(({ kind }) => kind === 'replay' || tabs.some((tab) => tab.kind === kind));
  const here = last?.kind === 'replay' ? 'history' : (last?.kind ?? 'machines');
  const crumb =
    view.kind === 'machine'
      ? view.name
      : view.kind === 'replay'
        ? view.run
        : view.kind === 'help'
          ? 'help'
          : '';
  const right: Line =
    crumb === '' ? [] : [span(` ${pen.glyphs.crumb} `, 'quiet'), span(`${pen.clean(crumb)} `, 'strong')];
  const left = tabStrip(
    tabs.map(({ kind, key, title, short, badge }) => {
      const more = badge?.(scene) ?? '';
      return {
        forms: [
          `${key} ${title}${more}`,
          `${key} ${short}${more}`,
          `${key}${short}${more === '' ? '' : '!'}`,
          `${key}${more === '' ? '' : '!'}`,
        ],
        open: kind === here && view.kind !== 'help',
        alert: more !== '',
      };
    }),
    ui.size.columns - widthOf(right),
  );
  return spread(left, right, ui.size.columns, pen.glyphs.more);
};
