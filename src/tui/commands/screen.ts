import { count } from '../../text/words.ts';
import { copyBytesMax } from '../clipboard.ts';
import { selectedIndex } from '../screen/pane.ts';
import { underWay } from '../screen/words.ts';
import { commandInput } from '../state/input.ts';
import type { Scene } from '../state/scene.ts';
import { type Act, type Dialog, intent, notice } from '../state/ui.ts';
import { type Command, command, hint } from './command.ts';

const copiedLinesMax = 2_000;

const stay = { label: 'Stay', danger: false, acts: [] } as const;
const stopFirst = {
  label: 'Stop it, then quit',
  danger: true,
  acts: [intent({ kind: 'stop' }), { kind: 'leave' }],
} as const;

/** A plan was minutes in the making, and q is pressed by habit. */
const waitingDialog = (demo: boolean): Dialog => ({
  title: 'A plan waits for you',
  body: [
    'No machine was touched. To discard it puts flake.lock back where it was moved.',
    ...(demo ? [] : ['Left waiting, `lab` shows it again until its time is over.']),
  ],
  choices: [
    stay,
    ...(demo
      ? []
      : [{ label: 'Leave it waiting', danger: false, acts: [intent({ kind: 'quit' })] } as const]),
    {
      label: 'Discard it and quit',
      danger: false,
      acts: [intent({ kind: 'decline' }), { kind: 'leave' }],
    },
  ],
  focus: 0,
  typed: null,
});

/** Where a run lives decides what leaving does to it. */
const quitDialog = ({ snapshot: { demo, phase } }: Scene): Dialog => {
  const base = { title: 'A run is under way', focus: 0, typed: null };
  if (phase.kind === 'awaiting-approval') return waitingDialog(demo);
  if (phase.kind !== 'running')
    return {
      ...base,
      body: ['It is being prepared; no machine has been touched.'],
      choices: [stay, stopFirst],
    };
  const stopping = 'Stopping lets the steps under way end and begins no other; lab quits after that.';
  return demo
    ? {
        ...base,
        body: ['The run of a demo lives in this process: quitting at once ends it where it is.', stopping],
        choices: [stay, stopFirst, { label: 'Quit at once', danger: true, acts: [intent({ kind: 'quit' })] }],
      }
    : {
        ...base,
        body: [
          'It lives in a process of its own: it goes on when you leave, and `lab`, or `lab attach`, shows it again.',
          stopping,
        ],
        choices: [
          stay,
          { label: 'Leave it running', danger: false, acts: [intent({ kind: 'quit' })] },
          stopFirst,
        ],
      };
};

const quit = (scene: Scene): readonly Act[] => {
  const { snapshot, readonly } = scene;
  // Who only looks on leaves nothing behind that would have to be decided.
  if (!underWay(snapshot) || (readonly && !snapshot.demo)) return [intent({ kind: 'quit' })];
  return [{ kind: 'dialog', dialog: quitDialog(scene) }];
};

/** What is under the cursor; of a text all of it, also what is not in view. */
const copyLines = ({ pane, scroll }: Scene): readonly Act[] => {
  const textOf = (index: number): string =>
    pane
      .lineAt(index)
      .map(({ text }) => text)
      .join('')
      .trim();
  const cursor = selectedIndex(pane, scroll);
  const lines =
    cursor >= 0
      ? [textOf(cursor)]
      : Array.from({ length: Math.min(pane.count, copiedLinesMax) }, (_, i) => textOf(i));
  const text = lines.join('\n').slice(0, copyBytesMax);
  if (text.trim() === '') return [notice('there is nothing to copy here')];
  return [
    intent({ kind: 'copy', text }),
    notice(
      `copied ${lines.length === 1 ? 'the line' : count(lines.length, 'line')}, if the terminal allows it (in tmux: set-clipboard on)`,
      'quiet',
    ),
  ];
};

/** The screen itself. */
export const screenCommands: readonly Command[] = [
  command({
    id: 'command',
    group: 'Screen',
    title: 'type a command by its name; Tab completes, and again goes through what it could become',
    keys: [':'],
    hint: hint('command', 92),
    run: () => [{ kind: 'input', input: commandInput('') }],
  }),
  command({
    id: 'palette',
    group: 'Screen',
    title: 'find a command or a machine by a few letters of its name',
    keys: ['ctrl-p'],
    run: () => [{ kind: 'input', input: { kind: 'palette', text: '', index: 0 } }],
  }),
  command({
    id: 'copy',
    aliases: ['yank'],
    group: 'Screen',
    title: 'copy the line under the cursor, or all lines of a text, onto the clipboard (OSC 52)',
    keys: ['c'],
    run: copyLines,
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
      snapshot.demo && underWay(snapshot)
        ? 'the run of a demo lives in this process, and would stand still'
        : null,
    run: () => [intent({ kind: 'suspend' })],
  }),
  command({
    id: 'quit',
    aliases: ['q', 'q!', 'qa', 'exit'],
    group: 'Screen',
    title: 'quit; asks first while a run is under way',
    keys: ['q', 'ctrl-c'],
    when: ({ view }) => view.kind !== 'help',
    hint: hint('quit', 97),
    run: quit,
  }),
];
