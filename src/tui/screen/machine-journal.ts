import { goalWords } from '../../plan/goal-words.ts';
import { statusWords } from '../../run/telling.ts';
import { duration, moment } from '../../text/words.ts';
import { blank, type Line, labelled, line, span } from '../draw/line.ts';
import { logEntries, logLine } from './log.ts';
import { heading, type MachineScene } from './machine-facts.ts';

/** What runs did to this machine: the one on show line by line, and those before it in a line each. */

const pastLines = ({ snapshot, row, pen, width }: MachineScene): readonly Line[] =>
  (snapshot.past ?? []).flatMap((run) => {
    const mine = run.machines.find(({ name }) => name === row.name);
    if (mine === undefined) return [];
    const words =
      mine.status === 'left-out' ? ({ text: 'left out', mark: 'bad' } as const) : statusWords[mine.status];
    const tone = words.mark ?? 'quiet';
    const sign = words.mark === null ? pen.glyphs.idle : pen.glyphs[words.mark];
    const took = mine.tookMs > 0 ? ` (${duration(mine.tookMs)})` : '';
    return [
      [
        span(` ${moment(run.startedAt).slice(0, 16)}  `, 'quiet'),
        span(`${sign} ${words.text}`.padEnd(18), tone),
        span(`${goalWords(run.goal)}, by ${pen.clean(run.by.user)} (${run.by.via})`, 'plain'),
        span(took, 'quiet'),
      ],
      ...(mine.summary === ''
        ? []
        : labelled(span('    '), 20, pen.clean(mine.summary), tone === 'bad' ? 'bad' : 'quiet', width - 1)),
    ];
  });

export const journalLines = (scene: MachineScene): readonly Line[] => {
  const { snapshot, row, pen } = scene;
  const mine = logEntries({ ...snapshot, messages: [] }, pen).filter(({ machine }) => machine === row.name);
  const past = pastLines(scene);
  return [
    ...(mine.length === 0
      ? []
      : [
          line(' THE RUN ON SHOW', 'title'),
          ...mine.map((entry) => logLine({ ...entry, machine: null }, 0, pen)),
          blank,
        ]),
    ...heading('RUNS BEFORE').slice(mine.length === 0 ? 1 : 0),
    ...(snapshot.past === null
      ? [line('  being read from the journal', 'quiet')]
      : past.length === 0
        ? [line('  no run of the journal had to do with it', 'quiet')]
        : past),
  ];
};
