import type { Failure } from '../../failure.ts';
import type { LabSnapshot } from '../../flow/session.ts';
import { lookOfPlan } from '../../flow/session-blockers.ts';
import type { RunResult } from '../../run/event.ts';
import { blank, type Line, labelled, line, span } from '../draw/line.ts';
import type { Tone } from '../draw/theme.ts';
import { holdPane, needsSomebody } from './hold.ts';
import { type Pane, textPane } from './pane.ts';
import { planPane } from './plan.ts';
import { resultPane } from './result.ts';
import { livePane } from './run-live.ts';
import { preparingPane } from './run-preparing.ts';
import type { RunScene } from './run-scene.ts';
import { endWords } from './words.ts';

const refusedPane = (failure: Failure, { width, pen }: RunScene): Pane =>
  textPane([
    line(` ${pen.glyphs.bad} The run could not begin`, 'bad'),
    blank,
    ...labelled(span('  what happened', 'quiet'), 17, pen.clean(failure.message), 'plain', width - 1),
    ...labelled(span('  what to do', 'quiet'), 17, pen.clean(failure.remedy), 'strong', width - 1),
    ...(failure.detail ?? []).map((text) => line(`    ${pen.clean(text)}`, 'quiet')),
  ]);

const nothingToBegin = (demo: boolean): string =>
  demo
    ? 'This demo was opened read-only: nothing can be begun in it.'
    : 'This screen was opened read-only. A run that begins elsewhere, by the timer, by `lab run` or on another screen, shows here by itself; 7 shows past ones.';

const nonePane = ({ snapshot, width, use }: RunScene): Pane =>
  textPane([
    blank,
    line('  No run yet.', 'strong'),
    blank,
    ...(use === 'acting'
      ? beginLines(snapshot.demo, width)
      : labelled(span(''), 2, nothingToBegin(snapshot.demo), 'plain', width - 1)),
  ]);

const beginLines = (demo: boolean, width: number): readonly Line[] => [
  ...(
    [
      ['u', 'update flake.lock, build, deploy, and reboot what needs it'],
      ['r', 'the same with flake.lock as it is'],
      ['D', 'deploy only'],
      ['R', 'reboot the marked machines, or the one under the cursor'],
    ] as const
  ).flatMap(([key, what]) => labelled(span(`  ${key}`, 'accent'), 5, what, 'plain', width - 1)),
  blank,
  ...labelled(
    span(''),
    2,
    demo
      ? 'This is the demo: everything happens in a simulated lab.'
      : 'Each first shows its plan; no machine is touched before you approve it.',
    'quiet',
    width - 1,
  ),
];

const lockChangesOf = ({ run, lockChanges }: LabSnapshot): LabSnapshot['lockChanges'] =>
  run?.lock?.changes ?? lockChanges;

/** The run in whatever phase it is: nothing, being prepared, a plan that waits, live, over, or refused. */
export const runPane = (scene: RunScene): Pane => {
  const { snapshot, width, pen } = scene;
  const { phase, run } = snapshot;
  switch (phase.kind) {
    case 'none':
      return nonePane(scene);
    case 'preparing':
      return preparingPane(scene);
    case 'awaiting-approval':
      return run?.plan == null
        ? preparingPane(scene)
        : planPane(run.plan, lockChangesOf(snapshot), run.remarks, width, pen, {
            diffs: snapshot.closureDiffs,
            look: lookOfPlan(snapshot),
            now: scene.now,
            answerBy: run.plan.madeAt + run.answerWithinMs,
          });
    case 'running':
      return run === null ? preparingPane(scene) : livePane(scene, run, phase.stopRequested);
    case 'ended':
      if (run === null) return nonePane(scene);
      return needsSomebody(run) ? holdPane(scene, run) : resultPane(run, lockChangesOf(snapshot), width, pen);
    case 'refused':
      return refusedPane(phase.failure, scene);
    default:
      return phase satisfies never;
  }
};

export type RunWords = {
  readonly text: string;
  /** The same for a narrow terminal. */
  readonly brief: string;
  readonly tone: Tone;
};

/** A run in a few words, for the title bar; null when there is none to speak of. */
export const runWords = (snapshot: LabSnapshot): RunWords | null => {
  const { phase, run } = snapshot;
  switch (phase.kind) {
    case 'none':
      return null;
    case 'preparing':
      return { text: 'preparing a run', brief: 'preparing', tone: 'busy' };
    case 'awaiting-approval':
      return { text: 'a plan waits for you (3)', brief: 'plan waits (3)', tone: 'warn' };
    case 'running':
      if (phase.stopRequested) return { text: 'run stopping', brief: 'run stopping', tone: 'warn' };
      return run?.pausedBy == null
        ? { text: 'run under way', brief: 'run on (3)', tone: 'busy' }
        : { text: 'run paused (3)', brief: 'run paused', tone: 'warn' };
    case 'ended':
      return run?.ended == null ? null : endedWords(run.ended.result);
    case 'refused':
      return { text: 'run refused (3)', brief: 'run refused', tone: 'bad' };
    default:
      return phase satisfies never;
  }
};

const endedWords = (result: RunResult): RunWords => {
  const { text, tone } = endWords(result);
  const worthReading = result !== 'done' && result !== 'declined';
  const more = worthReading ? ' (3)' : '';
  return { text: `run ${text}${more}`, brief: `run ${result}${more}`, tone };
};
