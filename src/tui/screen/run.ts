import type { Failure } from '../../failure.ts';
import type { LabSnapshot } from '../../flow/session.ts';
import type { RunResult } from '../../run/event.ts';
import { blank, labelled, line, span } from '../draw/line.ts';
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

const nonePane = ({ snapshot }: RunScene): Pane =>
  textPane([
    blank,
    line('  No run yet.', 'strong'),
    blank,
    [span('  u  ', 'accent'), span('update flake.lock, build, deploy, and reboot what needs it')],
    [span('  r  ', 'accent'), span('the same with flake.lock as it is')],
    [span('  D  ', 'accent'), span('deploy only')],
    [span('  R  ', 'accent'), span('reboot the marked machines, or the one under the cursor')],
    blank,
    line(
      snapshot.demo
        ? '  This is the demo: everything happens in a simulated lab.'
        : '  Each first shows its plan; no machine is touched before you approve it.',
      'quiet',
    ),
  ]);

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
        : planPane(run.plan, lockChangesOf(snapshot), run.remarks, width, pen);
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

/** A run in a few words, for the title bar; null when there is none to speak of. */
export const runWords = (snapshot: LabSnapshot): { readonly text: string; readonly tone: Tone } | null => {
  const { phase, run } = snapshot;
  switch (phase.kind) {
    case 'none':
      return null;
    case 'preparing':
      return { text: 'preparing a run', tone: 'busy' };
    case 'awaiting-approval':
      return { text: 'a plan waits for you (3)', tone: 'warn' };
    case 'running':
      return phase.stopRequested
        ? { text: 'run stopping', tone: 'warn' }
        : { text: 'run under way', tone: 'busy' };
    case 'ended':
      return run?.ended == null ? null : endedWords(run.ended.result);
    case 'refused':
      return { text: 'run refused (3)', tone: 'bad' };
    default:
      return phase satisfies never;
  }
};

const endedWords = (result: RunResult): { readonly text: string; readonly tone: Tone } => {
  const { text, tone } = endWords(result);
  const worthReading = result !== 'done' && result !== 'declined';
  return { text: `run ${text}${worthReading ? ' (3)' : ''}`, tone };
};
