import { withoutPasswords } from '../text/passwords.ts';
import { count } from '../text/words.ts';
import { searchable } from './commands/find.ts';
import { paletteEntries } from './commands/palette.ts';
import { completionsOf, type Hint, hintsOf, meaningOf } from './commands/registry.ts';
import {
  blank,
  cutTextStart,
  fitLine,
  type Line,
  line,
  onSurface,
  span,
  spread,
  widthOf,
  wrapText,
} from './draw/line.ts';
import { overlay } from './screen/box.ts';
import { completionLine } from './screen/completions.ts';
import { dialogLines } from './screen/dialog-box.ts';
import { frameRows, leastSize } from './screen/frame-rows.ts';
import { type State, staleAfterMs } from './screen/machine-state.ts';
import { paletteLines } from './screen/palette-box.ts';
import { bodyLines, placeIn } from './screen/pane.ts';
import { runWords } from './screen/run.ts';
import { ageWords } from './screen/words.ts';
import type { Scene } from './state/scene.ts';
import { searchOf } from './state/ui.ts';
import { tabsLine } from './tab-line.ts';

/** The whole screen: exactly `rows` lines of exactly `columns` cells. Pure. */
export const frameOf = (scene: Scene): readonly Line[] => {
  const { size, dialog, input } = scene.ui;
  if (size.columns < leastSize.columns || size.rows < leastSize.rows) return tooSmall(scene);
  const { air, body } = frameRows(size);
  const lines: readonly Line[] = [
    titleLine(scene),
    tabsLine(scene),
    ...Array.from({ length: air }, () => fitLine(blank, size.columns, '')),
    ...bodyLines(scene.pane, scene.scroll, size.columns, body, scene.pen),
    ...(longNotice(scene) ?? [statusLine(scene), hintLine(scene)]),
  ];
  if (dialog !== null) return overlay(lines, dialogLines(dialog, size, scene.pen), size);
  return input?.kind === 'palette'
    ? overlay(
        lines,
        paletteLines({ ...input, entries: paletteEntries(input.text, scene) }, size, scene.pen),
        size,
      )
    : lines;
};

const tooSmall = ({ ui: { size }, snapshot, pen }: Scene): readonly Line[] => {
  const run = runWords(snapshot);
  const texts = [
    'The terminal is too small:',
    `${size.columns} x ${size.rows}, and lab needs ${leastSize.columns} x ${leastSize.rows}.`,
    'Enlarge it, or press q.',
    ...(run === null ? [] : [run.text]),
  ];
  return Array.from({ length: size.rows }, (_, row) =>
    fitLine(line(pen.clean(texts[row] ?? ''), row === 0 ? 'warn' : 'plain'), size.columns, pen.glyphs.more),
  );
};

/** When the oldest of what is shown was seen; null where nothing was. */
const oldestSeen = (rows: Scene['rows']): number | null =>
  rows.reduce<number | null>(
    (oldest, { seenAt }) => (seenAt === null ? oldest : oldest === null ? seenAt : Math.min(oldest, seenAt)),
    null,
  );

/** How old the oldest of what is shown is, also while it is being read anew: what hangs must not hide its age. */
const ageSpan = ({ snapshot, now, spinner }: Scene, oldest: number | null, brief: boolean): Line => {
  const looking = snapshot.evaluation.refreshing || snapshot.observing.size > 0 || snapshot.probing.size > 0;
  const looks: Line = looking && !brief ? [span(`${spinner} `, 'busy')] : [];
  if (oldest === null) return looking ? [span(`${spinner} looking `, 'busy')] : [];
  const age = now - oldest;
  const words = brief ? ageWords(age) : `seen ${ageWords(age)}`;
  return [...looks, span(`${words} `, age > staleAfterMs ? 'warn' : 'quiet')];
};

/** How much the title bar says, from everything to what must be said on forty columns. */
const titleForms = [
  { path: 16, name: 'full', run: 'full', age: 'full' },
  { path: 0, name: 'full', run: 'full', age: 'full' },
  { path: 0, name: 'brief', run: 'full', age: 'full' },
  { path: 0, name: 'brief', run: 'brief', age: 'full' },
  { path: 0, name: 'brief', run: 'brief', age: 'brief' },
  { path: 0, name: 'least', run: 'brief', age: 'brief' },
] as const;

const titleParts = (
  scene: Scene,
  form: (typeof titleForms)[number],
  oldest: number | null,
): { readonly name: Line; readonly right: Line } => {
  const { snapshot, ui } = scene;
  const run = runWords(snapshot);
  const brief = form.run === 'brief';
  const gap = brief ? ' ' : '  ';
  const demo = form.name === 'full' ? ' DEMO, simulated ' : ' DEMO ';
  return {
    name: [
      ...(form.name === 'least' && snapshot.demo ? [] : [span(' lab ', 'strong')]),
      ...(snapshot.demo ? [span(demo, 'warn')] : []),
    ],
    right: [
      ...(scene.readonly ? [span(`read-only${gap}`, 'warn')] : []),
      ...(ui.leaving
        ? [span(`${brief ? 'quits at its end' : 'quits when the run has ended'}${gap}`, 'warn')]
        : run === null
          ? []
          : [span(`${brief ? run.brief : run.text}${gap}`, run.tone)]),
      ...ageSpan(scene, oldest, form.age === 'brief'),
    ],
  };
};

const titleLine = (scene: Scene): Line => {
  const { snapshot, ui, pen } = scene;
  const width = ui.size.columns;
  const oldest = oldestSeen(scene.rows);
  const roomBy = (form: (typeof titleForms)[number]): number => {
    const { name, right } = titleParts(scene, form, oldest);
    return width - widthOf(name) - widthOf(right) - (form.path > 0 ? 2 : 0);
  };
  const path = pen.clean(withoutPasswords(snapshot.flake));
  const form =
    titleForms.find((one) => roomBy(one) >= Math.min(one.path, path.length)) ??
    titleForms[titleForms.length - 1] ??
    titleForms[0];
  const { name, right } = titleParts(scene, form, oldest);
  const left: Line =
    form.path === 0
      ? name
      : [...name, span(` ${cutTextStart(path, Math.max(0, roomBy(form)), pen.glyphs.more)}`, 'quiet')];
  return onSurface(spread(left, right, width, pen.glyphs.more, 'bar'), 'bar');
};

/** `3 of 12 machines`, the filter and the marks. */
const placeWords = ({ ui, pane, scroll, rows, shown, view }: Scene, brief: boolean): string => {
  if (pane.noun === '' || pane.count === 0) return '';
  const { at, of } = placeIn(pane, scroll);
  const filtered = view.kind === 'machines' && ui.filter !== '';
  if (brief) return filtered ? ` ${at} of ${of} (${rows.length}) ` : ` ${at} of ${of} `;
  return ` ${at} of ${count(of, pane.noun)}${filtered ? ` (${shown.length} of ${rows.length} shown)` : ''} `;
};

/** Messages are news for this long. */
const newsMs = 30_000;

/** `3 healthy  1 offline`: the whole lab in one line, the worst first; in few cells by the signs of the states. */
const stateCounts = ({ rows }: Scene, brief: boolean): Line => {
  const counts = new Map<string, { readonly state: State; readonly count: number }>();
  for (const { state } of rows) {
    const key = brief ? state.glyph : state.text;
    counts.set(key, { state, count: (counts.get(key)?.count ?? 0) + 1 });
  }
  return [...counts.values()]
    .sort((a, b) => a.state.rank - b.state.rank)
    .map(({ state, count: many }) =>
      span(brief ? ` ${many}${state.glyph}` : ` ${many} ${state.text} `, state.tone),
    );
};

const statusLeft = (scene: Scene, brief: boolean): Line => {
  const { ui, snapshot, now, pen, rows, view } = scene;
  const { input, notice } = ui;
  if (input !== null && input.kind !== 'palette')
    return [
      span(input.kind === 'command' ? ' :' : ' /', 'accent'),
      span(pen.clean(input.text), 'strong'),
      span(pen.glyphs.full, 'accent'),
    ];
  if (notice !== null) return line(` ${pen.clean(notice.text)}`, notice.tone);
  const marked = rows.filter(({ name }) => ui.marked.has(name)).length;
  const search = searchOf(ui);
  const chosen: Line = [
    ...(search === ''
      ? []
      : [span(` ${searchable(scene) ? 'only with' : 'looking for'}: ${pen.clean(search)} `, 'accent')]),
    ...(ui.filter !== '' && view.kind === 'machines'
      ? [span(` filter: ${pen.clean(ui.filter)} `, 'accent')]
      : []),
    ...(marked > 0 ? [span(` ${pen.glyphs.marked} ${marked} marked`, 'mark')] : []),
  ];
  if (chosen.length > 0) return chosen;
  const last = snapshot.messages.at(-1);
  if (last === undefined || now - last.at > newsMs)
    return view.kind === 'machines' ? stateCounts(scene, brief) : [];
  return line(
    ` ${pen.clean(last.text)}`,
    last.level === 'info' ? 'quiet' : last.level === 'warning' ? 'warn' : 'bad',
  );
};

const statusLine = (scene: Scene): Line => {
  const { ui, pen } = scene;
  const width = ui.size.columns;
  const fits = (left: Line, right: Line): boolean => widthOf(left) + widthOf(right) <= width;
  const place = (brief: boolean): Line => line(placeWords(scene, brief), 'quiet');
  for (const [brief, briefPlace] of [
    [false, false],
    [false, true],
    [true, true],
  ] as const) {
    const [left, right] = [statusLeft(scene, brief), place(briefPlace)];
    if (fits(left, right)) return spread(left, right, width, pen.glyphs.more);
  }
  const left = statusLeft(scene, true);
  // What was just said, or is being typed, matters more than where one is.
  return ui.notice !== null || ui.input !== null
    ? fitLine(left, width, pen.glyphs.more)
    : spread(left, place(true), width, pen.glyphs.more);
};

/** What was just said and is longer than a line takes that of the hints, too: until the next key nothing matters more. */
const longNotice = ({ ui, pen }: Scene): readonly Line[] | null => {
  const { columns } = ui.size;
  if (ui.notice === null || ui.input !== null) return null;
  const { text, tone } = ui.notice;
  const [first = '', ...rest] = wrapText(pen.clean(text), columns - 2);
  return rest.length === 0
    ? null
    : [first, rest.join(' ')].map((part) => fitLine(line(` ${part}`, tone), columns, pen.glyphs.more));
};

const hintSpans = ({ key, text, disabled }: Hint): Line =>
  disabled
    ? [span(`(${key} ${text})`, 'quiet'), span('  ')]
    : [span(key, 'accent'), span(` ${text}  `, 'plain')];

/** As many hints as fit; help and quit keep their place at the end. */
const hintLine = (scene: Scene): Line => {
  const { ui, pen } = scene;
  const { more } = pen.glyphs;
  const width = ui.size.columns;
  if (ui.dialog !== null || ui.input?.kind === 'palette') return fitLine(blank, width, more);
  if (ui.input?.kind === 'filter')
    return fitLine(
      line(
        ' Enter keeps it  Esc takes it back  words, @group, role:NAME, ~letters, ! in front: what does not match',
        'quiet',
      ),
      width,
      more,
    );
  if (ui.input?.kind === 'find')
    return fitLine(
      line(' Enter keeps it, then n and N go on  Esc goes back to where you were', 'quiet'),
      width,
      more,
    );
  if (ui.input?.kind === 'search')
    return fitLine(
      line(
        ' Enter keeps it  Esc takes it back  shows lines that hold the text; ! in front: that do not',
        'quiet',
      ),
      width,
      more,
    );
  if (ui.input?.kind === 'command') {
    const { text, walked } = ui.input;
    const words = completionsOf(walked?.stem ?? text, scene);
    const meaning = walked === null && words.length > 1 ? null : meaningOf(text, scene);
    return fitLine(completionLine(words, walked?.at ?? null, meaning, width, pen), width, more);
  }
  const hints = hintsOf(scene);
  const last = hints.filter(({ text }) => text === 'help' || text === 'quit');
  const kept: Hint[] = [];
  let left = width - 1 - last.reduce((sum, hint) => sum + widthOf(hintSpans(hint)), 0);
  // What can be done comes before what cannot, where there is no room for both.
  for (const hint of [
    ...hints.filter(({ disabled }) => !disabled),
    ...hints.filter(({ disabled }) => disabled),
  ]) {
    if (last.includes(hint)) continue;
    const cells = widthOf(hintSpans(hint));
    if (cells > left) continue;
    kept.push(hint);
    left -= cells;
  }
  const shown = hints.filter((hint) => kept.includes(hint));
  return fitLine([span(' '), ...[...shown, ...last].flatMap(hintSpans)], width, more);
};
