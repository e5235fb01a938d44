import { selectedKey } from '../screen/pane.ts';
import { turnsOf } from '../screen/replay.ts';
import type { Scene } from '../state/scene.ts';
import { type Act, type Dialog, intent, notice } from '../state/ui.ts';
import { type Command, command, hint } from './command.ts';

/** Past runs and the inputs of flake.lock. */

const inHistory = ({ view }: Scene): boolean => view.kind === 'history';
const inReplay = ({ view }: Scene): boolean => view.kind === 'replay';
const inInputs = ({ view }: Scene): boolean => view.kind === 'inputs';

const openRun = (scene: Scene, argument: string): readonly Act[] => {
  const run = argument !== '' ? argument : inHistory(scene) ? selectedKey(scene.pane, scene.scroll) : null;
  const known = (scene.snapshot.past ?? []).find(
    (past) => past.run === run || past.run.startsWith(argument || ' '),
  );
  return known === undefined
    ? [notice(run === null ? 'put the cursor on a run: 7' : `the history holds no run "${run}"`)]
    : [{ kind: 'go', view: { kind: 'replay', run: known.run } }];
};

/** Moves the moment that a replay shows. */
const scrub =
  (to: (at: number, scene: Scene) => number) =>
  (scene: Scene): readonly Act[] => {
    const { view, snapshot, ui } = scene;
    const events = snapshot.opened?.events ?? [];
    if (view.kind !== 'replay' || events.length === 0) return [];
    const at = ui.moments.get(view.run) ?? events.length;
    return [{ kind: 'moment', run: view.run, at: Math.max(1, Math.min(to(at, scene), events.length)) }];
  };

const nextTurn = (at: number, { snapshot }: Scene): number =>
  turnsOf(snapshot.opened?.events ?? []).find((turn) => turn > at) ?? Number.POSITIVE_INFINITY;
const turnBefore = (at: number, { snapshot }: Scene): number =>
  turnsOf(snapshot.opened?.events ?? []).findLast((turn) => turn < at) ?? 1;

const scrubber = (
  id: string,
  keys: readonly string[],
  title: string,
  to: Parameters<typeof scrub>[0],
  word: { readonly text: string; readonly rank: number } | null = null,
): Command =>
  command({
    id,
    group: 'List',
    title,
    keys,
    when: inReplay,
    hint: () => word,
    disabledReason: (scene) => (inReplay(scene) ? null : 'only in the replay of a past run: 7, Enter'),
    run: scrub(to),
  });

const asked = (scene: Scene, argument: string): readonly string[] => {
  if (argument !== '') return argument.split(/\s+/u);
  const input = inInputs(scene) ? selectedKey(scene.pane, scene.scroll) : null;
  // An input of an input is moved with the one that brings it.
  return input === null ? [] : [input.split('/')[0] ?? input];
};

const updateDialog = (inputs: readonly string[], moves: number): Dialog => ({
  title: 'Move flake.lock?',
  body: [
    `${inputs.length === 0 ? 'All inputs move' : `${inputs.join(', ')} moves`} to the newest version: ${moves} in all, as shown.`,
    'Only flake.lock is written. No machine is touched: r then plans, builds and deploys. Git takes the file back.',
  ],
  choices: [
    { label: 'Cancel', danger: false, acts: [] },
    { label: 'Move', danger: false, acts: [intent({ kind: 'update-inputs', inputs })] },
  ],
  focus: 0,
  typed: null,
});

const whyNotMove = ({ snapshot: { inputsPreview, phase } }: Scene): string | null =>
  phase.kind === 'preparing' || phase.kind === 'running' || phase.kind === 'awaiting-approval'
    ? 'a run is under way, and holds flake.lock as it is'
    : inputsPreview?.value == null
      ? 'ask first what would move: Space, or U for all'
      : inputsPreview.value.changes.length === 0
        ? 'nothing would move'
        : null;

export const pastCommands: readonly Command[] = [
  command({
    id: 'replay',
    aliases: ['open-run'],
    group: 'Go to',
    title: 'open a past run, and go through its events',
    keys: ['enter', 'd'],
    when: inHistory,
    hint: ({ snapshot }) => ((snapshot.past ?? []).length > 0 ? { text: 'replay', rank: 5 } : null),
    run: openRun,
    completions: ({ snapshot }) => (snapshot.past ?? []).map(({ run }) => run),
  }),
  scrubber('event-back', ['left'], 'the replay one event back', (at) => at - 1, { text: 'back', rank: 3 }),
  scrubber('event-on', ['right'], 'the replay one event on', (at) => at + 1, { text: 'on', rank: 4 }),
  scrubber('turn-back', ['['], 'the replay back to where something was decided', turnBefore, {
    text: 'decision before',
    rank: 6,
  }),
  scrubber('turn-on', [']'], 'the replay on to where something is decided', nextTurn, {
    text: 'next decision',
    rank: 5,
  }),
  scrubber('replay-begin', ['{'], 'the replay to its beginning', () => 1),
  scrubber('replay-end', ['}'], 'the replay to its end', () => Number.POSITIVE_INFINITY),
  command({
    id: 'preview-input',
    group: 'List',
    title: 'ask what an update of this input would move; flake.lock stays as it is',
    keys: ['space'],
    when: inInputs,
    hint: hint('what would move', 5),
    run: (scene, argument) => [intent({ kind: 'preview-inputs', inputs: asked(scene, argument) })],
  }),
  command({
    id: 'preview-inputs',
    group: 'List',
    title: 'ask what an update of all inputs would move; flake.lock stays as it is',
    keys: ['U'],
    when: inInputs,
    hint: hint('of all', 6),
    run: () => [intent({ kind: 'preview-inputs', inputs: [] })],
  }),
  command({
    id: 'update-inputs',
    group: 'List',
    title: 'move flake.lock as it was shown (asks once more); no machine is touched',
    keys: ['enter'],
    danger: 'changes',
    when: inInputs,
    hint: hint('move', 7),
    disabledReason: whyNotMove,
    run: ({ snapshot: { inputsPreview } }) =>
      inputsPreview?.value == null
        ? []
        : [
            {
              kind: 'dialog',
              dialog: updateDialog(inputsPreview.inputs, inputsPreview.value.changes.length),
            },
          ],
  }),
];
