import { goalWords } from '../../plan/goal-words.ts';
import type { RunState } from '../../run/state.ts';
import { barText } from '../draw/bar.ts';
import { blank, flowing, type Line, labelled, line, span } from '../draw/line.ts';
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

const preparationLines = (run: RunState, { now, spinner, width, pen }: RunScene): readonly Line[] =>
  run.preparations.flatMap((record) => {
    const open = record.endedAt === null;
    const { glyphs } = pen;
    const [glyph, tone]: [string, Tone] =
      record.failure !== null ? [glyphs.bad, 'bad'] : open ? [spinner, 'busy'] : [glyphs.good, 'good'];
    const took = stopwatch((record.endedAt ?? now) - record.startedAt);
    const note = record.failure?.message ?? record.note;
    const amount = open ? amountIn(record.note) : null;
    return [
      [
        span(`  ${glyph} `, tone),
        span(preparationWords[record.work].padEnd(22), open ? 'strong' : 'plain'),
        span(took.padStart(7), 'quiet'),
      ],
      ...(amount === null
        ? []
        : [
            [
              span(`    ${barText(amount.share, Math.min(40, width - 24), pen)} `, 'busy'),
              span(amount.words, 'strong'),
            ],
          ]),
      ...(note === ''
        ? []
        : labelled(
            span('    '),
            4,
            pen.clean(note),
            record.failure === null ? 'quiet' : 'bad',
            width - 1,
          ).slice(0, 2)),
    ];
  });

export const preparingPane = (scene: RunScene): Pane => {
  const { snapshot, now, spinner } = scene;
  const { run } = snapshot;
  const begun = run === null ? '' : `, ${stopwatch(now - run.startedAt)}`;
  return {
    ...textPane(run === null ? [line(`  ${spinner} beginning`, 'busy')] : preparationLines(run, scene)),
    head: [
      ...flowing(
        [
          span(` Preparing: ${run === null ? 'a run' : goalWords(run.goal)}${begun}`, 'strong'),
          span('  no machine is touched before you approve the plan', 'quiet'),
        ],
        scene.width - 1,
        2,
      ),
      blank,
    ],
    foot: logFoot(scene),
  };
};
