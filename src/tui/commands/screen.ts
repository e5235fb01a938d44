import { underWay } from '../screen/words.ts';
import type { Scene } from '../state/scene.ts';
import { type Act, type Dialog, intent } from '../state/ui.ts';
import { type Command, command, hint } from './command.ts';

const leave: readonly Act[] = [intent({ kind: 'stop' }), { kind: 'leave' }];

const quitDialog = (scene: Scene): Dialog => ({
  title: 'A run is under way',
  body: [
    scene.snapshot.phase.kind === 'running'
      ? 'It lives in this process. Stopping lets the steps under way end and begins no other; lab quits after that.'
      : 'It is being prepared; no machine has been touched.',
  ],
  choices: [
    { label: 'Stay', danger: false, acts: [] },
    { label: 'Stop it, then quit', danger: true, acts: leave },
  ],
  focus: 0,
  typed: null,
});

const quit = (scene: Scene): readonly Act[] => {
  const { phase } = scene.snapshot;
  if (!underWay(scene.snapshot)) return [intent({ kind: 'quit' })];
  // A plan that only waits has touched nothing: to leave is to discard it.
  if (phase.kind === 'awaiting-approval') return [intent({ kind: 'decline' }), { kind: 'leave' }];
  return [{ kind: 'dialog', dialog: quitDialog(scene) }];
};

/** The screen itself. */
export const screenCommands: readonly Command[] = [
  command({
    id: 'command',
    group: 'Screen',
    title: 'type a command by its name; Tab completes',
    keys: [':'],
    hint: hint('command', 92),
    run: () => [{ kind: 'input', input: { kind: 'command', text: '' } }],
  }),
  command({
    id: 'repaint',
    group: 'Screen',
    title: 'paint the screen anew',
    keys: ['ctrl-l'],
    run: () => [intent({ kind: 'repaint' })],
  }),
  command({
    id: 'suspend',
    group: 'Screen',
    title: 'back to the shell; fg leads here again',
    keys: ['ctrl-z'],
    disabledReason: ({ snapshot }) =>
      underWay(snapshot) ? 'a run is under way in this process, and would stand still' : null,
    run: () => [intent({ kind: 'suspend' })],
  }),
  command({
    id: 'quit',
    aliases: ['q', 'exit'],
    group: 'Screen',
    title: 'quit; asks first while a run is under way',
    keys: ['q', 'ctrl-c'],
    hint: hint('quit', 97),
    run: quit,
  }),
];
