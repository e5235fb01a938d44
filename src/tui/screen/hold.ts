import { goalWords } from '../../plan/goal-words.ts';
import type { MachinePlan } from '../../plan/plan.ts';
import { progressOf } from '../../run/progress.ts';
import { recordsOfMachine } from '../../run/records.ts';
import { reportOf } from '../../run/report.ts';
import type { RunState } from '../../run/state.ts';
import { statusWords, tookWords } from '../../run/telling.ts';
import { blank, cellsOf, flowing, type Line, labelled, line, span } from '../draw/line.ts';
import { type Pane, textPane } from './pane.ts';
import { evidenceLines, machinesBody } from './result.ts';
import type { RunScene } from './run-scene.ts';
import { retryWords, skipWords, steerable } from './steerable.ts';
import { ageWords, closureWords, endWords } from './words.ts';

/** A run that needs somebody: what happened, what is known, what is not, and what each choice would do. */

export const needsSomebody = ({ ended }: RunState): boolean =>
  ended !== null && (ended.result === 'held' || ended.result === 'failed' || ended.result === 'interrupted');

/** What can be done about it: the command that does it, and what that would do. */
export type Choice = {
  readonly command: 'retry' | 'skip' | 'run' | 'roll-back-run' | 'ssh' | 'dismiss';
  readonly key: string;
  readonly does: string;
  /** Why it makes no sense here; null when it does. */
  readonly not: string | null;
};

/** Whether the run goes on from where it is, by itself: nothing has failed that would have to be tried again. */
export const goesOnFromHere = ({ ended, approvedAt }: RunState): boolean =>
  ended?.result === 'interrupted' && approvedAt !== null;

/** The machine that the run stands still for: what is done from here is done to it. */
export const machineInNeed = (run: RunState): string | null =>
  reportOf(run)?.failure?.machine ??
  run.plan?.machines.find((entry) => progressOf(run, entry).status === 'failed')?.machine.name ??
  null;

/** Why there is nothing to return from; null when machines were changed. */
export const whyNotRollBack = (run: RunState): string | null => {
  const activated = (run.plan?.machines ?? []).filter(
    (entry) => entry.activation !== null && progressOf(run, entry).touched,
  );
  return activated.length > 0 ? null : 'this run activated nothing on any machine';
};

const steerChoice = (run: RunState, command: 'retry' | 'skip'): Choice => {
  const { machine, not } = steerable(run, command, null);
  const key = command === 'retry' ? 't' : 'K';
  if (machine === null)
    return {
      command,
      key,
      does: command === 'retry' ? 'try again what failed, and go on' : 'go on without a machine',
      not: not ?? '',
    };
  return command === 'retry'
    ? {
        command,
        key,
        does: `try again: ${retryWords(run, machine)}; then the run goes on with what is left of its plan`,
        not,
      }
    : { command, key, does: `skip and go on: the run ${skipWords(machine)}`, not };
};

export const choicesOf = (run: RunState): readonly Choice[] => [
  goesOnFromHere(run)
    ? {
        command: 'retry',
        key: 't',
        does: 'take the run up where it is: each step in doubt is looked at before anything is done',
        not: null,
      }
    : steerChoice(run, 'retry'),
  steerChoice(run, 'skip'),
  {
    command: 'run',
    key: 'r',
    does: 'a new run: looks at everything anew and shows its plan; what is done already is not repeated',
    not: null,
  },
  {
    command: 'roll-back-run',
    key: 'b',
    does: 'return the machines that this run activated to what they ran before, in reverse order; shows its plan first',
    not: whyNotRollBack(run),
  },
  {
    command: 'ssh',
    key: 's',
    does: `a shell on ${machineInNeed(run) ?? 'a machine'}, to see for yourself; d shows all that is known of it`,
    not: machineInNeed(run) === null ? 'no machine is to blame; 1 lists them' : null,
  },
  {
    command: 'dismiss',
    key: 'x',
    does: 'stop here: put this away; nothing is changed, and the history (7) keeps it',
    not: null,
  },
];

const knownOf = (entry: MachinePlan, run: RunState, scene: RunScene, nameWidth: number): readonly Line[] => {
  const { snapshot, now, pen, width } = scene;
  const { name } = entry.machine;
  const { status } = progressOf(run, entry);
  const seen = snapshot.observations.get(name);
  const { text } = statusWords[status];
  const verdict = snapshot.health.get(name);
  const says =
    seen === undefined
      ? 'not looked at since'
      : seen.kind === 'unreachable'
        ? `does not answer (${ageWords(now - seen.at)}): ${seen.error.message}`
        : [
            `answers (${ageWords(now - seen.at)})`,
            `runs ${closureWords(seen.current, name)}${entry.wanted === null ? '' : seen.current === entry.wanted ? ', as planned' : ', not what was planned'}`,
            ...(entry.prior !== null && seen.bootId !== entry.prior.bootId
              ? ['rebooted since the plan']
              : []),
            ...(verdict === undefined ? [] : [`${verdict.verdict}: ${verdict.summary}`]),
          ].join('; ');
  const bad = status === 'failed' || seen?.kind === 'unreachable';
  const sign = bad
    ? pen.glyphs.bad
    : status === 'done' || status === 'nothing'
      ? pen.glyphs.good
      : pen.glyphs.idle;
  const label = span(`  ${sign} ${name} (${text})`, bad ? 'bad' : 'strong');
  const labelWidth = nameWidth + 6;
  // A name that has no room beside what is known of it stands above it.
  return cellsOf(label.text) <= labelWidth
    ? labelled(label, labelWidth, pen.clean(says), 'plain', width - 1)
    : [[label], ...labelled(span(''), 6, pen.clean(says), 'plain', width - 1)];
};

const unknownLines = (run: RunState, scene: RunScene): readonly Line[] => {
  const { snapshot, pen, width } = scene;
  const items = (run.plan?.machines ?? []).flatMap((entry): string[] => {
    const { name } = entry.machine;
    // What is to be tried again is in no doubt: it was seen to fail.
    const doubtful =
      progressOf(run, entry).retried === null
        ? recordsOfMachine(run, name).filter(({ status }) => status === 'unknown' || status === 'open')
        : [];
    const seen = snapshot.observations.get(name);
    return [
      ...doubtful.map(({ step }) => `${name}: whether "${step.kind}" took effect; nobody saw its end`),
      ...(seen?.kind === 'unreachable' && entry.decision.kind === 'act'
        ? [`${name}: what it runs now, and whether it is well; it does not answer`]
        : []),
      ...(seen === undefined ? [`${name}: how it is; it has not been looked at since`] : []),
    ];
  });
  return items.length === 0
    ? [line('  nothing that this run touched', 'quiet')]
    : items.flatMap((text) =>
        labelled(span(`  ${pen.glyphs.unknown} `, 'warn'), 4, pen.clean(text), 'warn', width - 1),
      );
};

/** What a read-only screen does, too. */
const harmless: ReadonlySet<Choice['command']> = new Set(['ssh', 'dismiss']);

/** What can be done from here; of a run that is over and done with, nothing. */
const choiceLines = ({ width, pen, use }: RunScene, run: RunState): readonly Line[] =>
  use === 'replay'
    ? []
    : [
        blank,
        line(' WHAT EACH CHOICE WOULD DO', 'title'),
        ...(use === 'acting'
          ? []
          : labelled(
              span('  '),
              2,
              'This screen was opened read-only: `lab retry`, `lab skip` and `lab rollback` act on the run, and so does any other screen.',
              'quiet',
              width - 1,
            )),
        ...choicesOf(run)
          .filter(({ command }) => use === 'acting' || harmless.has(command))
          .flatMap(({ key, does, not }) =>
            labelled(
              span(`  ${key}  `, not === null ? 'accent' : 'quiet'),
              5,
              pen.clean(not === null ? does : `(not now) ${does}: ${not}`),
              not === null ? 'plain' : 'quiet',
              width - 1,
            ),
          ),
      ];

export const holdPane = (scene: RunScene, run: RunState): Pane => {
  const { width, pen, snapshot } = scene;
  const report = reportOf(run);
  if (report === null || run.ended === null) return textPane([]);
  const { text, tone } = endWords(report.result);
  const { failure } = report;
  const wrap = (indent: number, words: string, how: 'plain' | 'strong' | 'bad' | 'quiet'): readonly Line[] =>
    labelled(span(' '.repeat(indent)), indent, pen.clean(words), how, width - 1);
  const nameWidth = Math.min(
    Math.floor(width / 3),
    Math.max(
      ...(run.plan?.machines ?? []).map(
        (entry) => entry.machine.name.length + statusWords[progressOf(run, entry).status].text.length + 3,
      ),
      12,
    ),
  );
  const concerned = (run.plan?.machines ?? []).filter(({ decision }) => decision.kind === 'act');
  return {
    ...textPane([
      line(' WHAT HAPPENED', 'title'),
      ...wrap(2, report.reason, 'plain'),
      ...(failure === null || failure.message === report.reason ? [] : wrap(2, failure.message, 'bad')),
      ...(failure === null ? [] : evidenceLines(failure, '    ', width, pen)),
      ...(failure === null
        ? []
        : labelled(span('  what to do', 'quiet'), 14, pen.clean(failure.remedy), 'strong', width - 1)),
      blank,
      line(' WHAT IS KNOWN', 'title'),
      ...(concerned.length === 0 ? [line('  no machine was to be changed', 'quiet')] : []),
      ...concerned.flatMap((entry) => knownOf(entry, run, scene, nameWidth)),
      blank,
      line(' WHAT IS NOT KNOWN', 'title'),
      ...unknownLines(run, scene),
      ...choiceLines(scene, run),
      blank,
      line(' EVERY MACHINE', 'title'),
      ...machinesBody(run, run.lock?.changes ?? snapshot.lockChanges, width, pen),
    ]),
    head: [
      ...flowing(
        [
          span(` ${pen.glyphs[tone === 'bad' ? 'bad' : 'warn']} Run ${text}`, tone),
          span(`  ${goalWords(run.goal)}, ${tookWords(report)}`, 'plain'),
          span(`  ${report.run}`, 'quiet'),
        ],
        width - 1,
        2,
      ),
      blank,
    ],
  };
};
