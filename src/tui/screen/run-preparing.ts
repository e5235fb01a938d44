import { bytesWords } from '../../plan/closure-words.ts';
import { goalWords } from '../../plan/goal-words.ts';
import type { Amount } from '../../ports.ts';
import type { PreparationRecord } from '../../run/preparations.ts';
import type { RunState } from '../../run/state.ts';
import { barText } from '../draw/bar.ts';
import { blank, cellsOf, flowing, type Line, labelled, line, span } from '../draw/line.ts';
import type { Pen } from '../draw/pen.ts';
import type { Tone } from '../draw/theme.ts';
import { amountIn } from './amount.ts';
import { type Pane, textPane } from './pane.ts';
import { logFoot, type RunScene } from './run-scene.ts';
import { stopwatch } from './words.ts';

/** A run before its plan: update, evaluation, observation, build. */

const preparationWords = {
  update: 'update flake.lock',
  evaluate: 'evaluate the flake',
  observe: 'look at the machines',
  build: 'build every system',
  plan: 'make the plan',
} as const;

const amountWords: Readonly<Record<Amount['of'], string>> = {
  systems: 'systems',
  builds: 'builds',
  paths: 'paths copied',
  bytes: 'bytes copied',
};

const wideFrom = 60;
/** What is done and how long it took. */
const worksCells = 33;

/** A bar for each thing that Nix counts; where it does not, for the numbers in what was said last. */
const amountLines = (
  { amounts, built, note }: PreparationRecord,
  width: number,
  pen: Pen,
): readonly Line[] => {
  const told = amountIn(note);
  const cells = Math.max(6, Math.min(40, width - 40));
  const wide = width >= wideFrom;
  if (amounts.length === 0)
    return told === null
      ? []
      : [[span(`    ${barText(told.share, cells, pen)} `, 'busy'), span(told.words, 'strong')]];
  return [
    ...amounts.map(
      ({ of, done, all }): Line => [
        span(wide ? `    ${amountWords[of].padEnd(13)}` : `    ${of.padEnd(8)}`, 'quiet'),
        span(barText(done / all, cells, pen), 'busy'),
        span(of === 'bytes' ? ` ${bytesWords(done)} of ${bytesWords(all)}` : ` ${done} of ${all}`, 'strong'),
      ],
    ),
    ...(built.length === 0
      ? []
      : labelled(span('    built', 'quiet'), 17, pen.clean(built.join(', ')), 'good', width - 1)),
  ];
};

/** Below so many lines what is over would leave no room for the bars of what is under way. */
const roomyFrom = 16;

/** In a small window the newest comes first. */
const inOrder = (
  records: readonly PreparationRecord[],
  { width, height }: Pick<RunScene, 'width' | 'height'>,
): readonly PreparationRecord[] => (width < wideFrom || height < roomyFrom ? records.toReversed() : records);

const preparationLines = (run: RunState, scene: RunScene): readonly Line[] => {
  const { now, spinner, width, pen } = scene;
  return inOrder(run.preparations, scene).flatMap((record) => {
    const open = record.endedAt === null;
    const { glyphs } = pen;
    const [glyph, tone]: [string, Tone] =
      record.failure !== null ? [glyphs.bad, 'bad'] : open ? [spinner, 'busy'] : [glyphs.good, 'good'];
    const took = stopwatch((record.endedAt ?? now) - record.startedAt);
    const note = pen.clean(record.failure?.message ?? record.note);
    // What is over keeps one line where it can: what is under way is further down.
    const beside = !open && record.failure === null && cellsOf(note) + worksCells + 2 < width;
    return [
      [
        span(`  ${glyph} `, tone),
        span(preparationWords[record.work].padEnd(22), open ? 'strong' : 'plain'),
        span(took.padStart(7), 'quiet'),
        ...(beside ? [span(`  ${note}`, 'quiet')] : []),
      ],
      ...(open ? amountLines(record, width, pen) : []),
      ...(note === '' || beside
        ? []
        : labelled(span('    '), 4, note, record.failure === null ? 'quiet' : 'bad', width - 1).slice(0, 2)),
    ];
  });
};

export const preparingPane = (scene: RunScene): Pane => {
  const { snapshot, now, spinner } = scene;
  const { run } = snapshot;
  const begun = run === null ? '' : `, ${stopwatch(now - run.startedAt)}`;
  const promise = 'no machine is touched before you approve the plan';
  const narrow = scene.width < wideFrom;
  return {
    ...textPane([
      ...(run === null ? [line(`  ${spinner} beginning`, 'busy')] : preparationLines(run, scene)),
      ...(narrow ? labelled(span(''), 2, promise, 'quiet', scene.width - 1) : []),
    ]),
    head: [
      ...flowing(
        [
          span(` Preparing: ${run === null ? 'a run' : goalWords(run.goal)}${begun}`, 'strong'),
          span(narrow ? '' : `  ${promise}`, 'quiet'),
        ],
        scene.width - 1,
        2,
      ),
      ...(scene.height < roomyFrom ? [] : [blank]),
    ],
    // How far it is matters more than what was said on the way: the log takes what is left.
    foot: { ...logFoot(scene), least: 0, most: 0 },
  };
};
