import type { LabSnapshot } from '../../flow/session.ts';
import { blank, type Line, labelled, line, span } from '../draw/line.ts';
import type { Pen } from '../draw/pen.ts';
import { type Pane, textPane } from './pane.ts';

/** Everything that is wrong with the fleet as configured, and everything odd. */
export const problemCount = ({ problems, evaluation }: LabSnapshot): number =>
  problems.length + (evaluation.value?.discrepancies.length ?? 0) + (evaluation.failure === null ? 0 : 1);

export const problemsPane = (snapshot: LabSnapshot, width: number, pen: Pen): Pane => {
  const { problems, evaluation } = snapshot;
  const { glyphs, clean } = pen;
  const lines: readonly Line[] = [
    ...(evaluation.failure === null
      ? []
      : [
          ...labelled(span(` ${glyphs.bad} `, 'bad'), 3, clean(evaluation.failure.message), 'bad', width - 1),
          ...labelled(span('   '), 3, clean(evaluation.failure.remedy), 'plain', width - 1),
          ...(evaluation.failure.detail ?? []).map((text) =>
            line(`   ${glyphs.vertical} ${clean(text)}`, 'quiet'),
          ),
          blank,
        ]),
    ...problems.flatMap(({ severity, message, remedy }) => [
      ...labelled(
        span(` ${severity === 'error' ? glyphs.bad : glyphs.warn} `, severity === 'error' ? 'bad' : 'warn'),
        3,
        clean(message),
        severity === 'error' ? 'bad' : 'warn',
        width - 1,
      ),
      ...labelled(span('   '), 3, clean(remedy), 'plain', width - 1),
      blank,
    ]),
    ...(evaluation.value?.discrepancies ?? []).flatMap(({ message }) => [
      ...labelled(span(` ${glyphs.warn} `, 'warn'), 3, clean(message), 'warn', width - 1),
      blank,
    ]),
  ];
  return textPane(lines, [
    evaluation.value === null
      ? line('   the flake has not been evaluated yet', 'quiet')
      : line(` ${glyphs.good} nothing is wrong with the fleet as configured`, 'good'),
  ]);
};
