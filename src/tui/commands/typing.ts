import { count } from '../../text/words.ts';
import { canTake } from '../screen/dialog-box.ts';
import { leastSize } from '../screen/frame-rows.ts';
import { matchesOf } from '../state/find.ts';
import { type CommandInput, commandInput, type Input } from '../state/input.ts';
import { editText, type KeyName, typedTextMax } from '../state/keys.ts';
import type { Scene } from '../state/scene.ts';
import { type Act, type Dialog, notice, type Ui } from '../state/ui.ts';
import { goToMatch } from './find.ts';
import { paletteEntries } from './palette.ts';
import { actsOfCommandLine, actsOfKey, completed, linesOf } from './registry.ts';

/** Whether keys are text just now. */
export const isTyping = ({ input, dialog }: Ui): boolean => input !== null || dialog?.typed != null;

/** What a key does at this moment: to the dialog, to the line being typed, or as a command. */
export const actsAt = (scene: Scene, key: KeyName): readonly Act[] => {
  const { ui } = scene;
  if (key === 'ctrl-l') return actsOfKey(key, scene);
  if (ui.size.columns < leastSize.columns || ui.size.rows < leastSize.rows)
    return key === 'q' || key === 'ctrl-c' ? actsOfKey(key, scene) : [];
  const clear: readonly Act[] = ui.notice === null ? [] : [{ kind: 'notice', notice: null }];
  if (ui.dialog !== null) return [...clear, ...actsOfDialog(ui.dialog, key)];
  if (ui.input !== null) return [...clear, ...actsOfInput(ui.input, key, scene)];
  return [...clear, ...actsOfKey(key, scene)];
};

const show = (dialog: Dialog): readonly Act[] => [{ kind: 'dialog', dialog }];
const shut: Act = { kind: 'dialog', dialog: null };

const actsOfDialog = (dialog: Dialog, key: KeyName): readonly Act[] => {
  const { choices, typed } = dialog;
  const turn = (by: number): readonly Act[] =>
    show({ ...dialog, focus: (dialog.focus + by + choices.length) % choices.length });
  switch (key) {
    case 'esc':
    case 'ctrl-c':
      return [shut];
    case 'tab':
    case 'right':
      return turn(1);
    case 'shift-tab':
    case 'left':
      return turn(-1);
    case 'enter': {
      const choice = choices[dialog.focus];
      if (choice === undefined) return [];
      if (!canTake(dialog, dialog.focus))
        return [notice(`first type ${typed?.names[0] ?? 'the name'}; Esc cancels`)];
      // Whoever typed a name meant to go on: that Enter took the first choice must not pass in silence.
      const given = dialog.focus === 0 && typed?.names.length === 0;
      return [
        shut,
        ...choice.acts,
        ...(given
          ? [notice(`${choice.label}: nothing was done; after the name, Tab goes on to the choice`)]
          : []),
      ];
    }
    default:
      break;
  }
  if (typed === null)
    switch (key) {
      case 'l':
        return turn(1);
      case 'h':
        return turn(-1);
      case 'q':
      case 'n':
        return [shut];
      case 'y':
        return [notice('y answers nothing: Tab chooses, Enter takes')];
      default:
        return [];
    }
  const [wanted, ...others] = typed.names;
  const text = wanted === undefined ? null : editText(typed.text, key);
  if (text === null) return [];
  // The name is complete: the next one is asked for, or the choices are open. The focus stays where it is.
  return show({ ...dialog, typed: text === wanted ? { names: others, text: '' } : { ...typed, text } });
};

const close: Act = { kind: 'input', input: null };

const actsOfInput = (input: Input, key: KeyName, scene: Scene): readonly Act[] => {
  if (key === 'esc' || key === 'ctrl-c')
    return [
      close,
      ...(input.kind === 'filter' || input.kind === 'search'
        ? [{ kind: input.kind, text: input.before } as const]
        : input.kind === 'find'
          ? [{ kind: 'search', text: input.before } as const, { kind: 'scroll', scroll: input.from } as const]
          : []),
    ];
  if (key === 'backspace' && input.text === '') return [close];
  switch (input.kind) {
    case 'palette':
      return actsOfPalette(input, key, scene);
    case 'command':
      return actsOfCommandInput(input, key, scene);
    case 'search':
    case 'filter': {
      if (key === 'enter') return [close];
      const text = editText(input.text, key);
      return text === null ? [] : typedInto(input, text);
    }
    case 'find': {
      if (key === 'enter') return found(input.text, scene);
      const text = editText(input.text, key);
      return text === null ? [] : find(input, text, scene);
    }
    default:
      return input satisfies never;
  }
};

/** Goes to the first match from where one was, while it is being typed. */
const find = (input: Extract<Input, { kind: 'find' }>, text: string, scene: Scene): readonly Act[] => [
  ...typedInto(input, text),
  { kind: 'scroll', scroll: input.from },
  ...(text === '' ? [] : goToMatch({ ...scene, scroll: input.from }, text, 1, true)),
];

const found = (text: string, { pane }: Scene): readonly Act[] => {
  const many = matchesOf(pane, text).length;
  if (text === '') return [close];
  return many === 0
    ? [close, { kind: 'search', text: '' }, notice(`nothing here holds "${text}"`)]
    : [close, notice(`${count(many, 'line')} with "${text}": n and N go through them, Esc ends it`, 'quiet')];
};

const actsOfPalette = (
  input: Extract<Input, { kind: 'palette' }>,
  key: KeyName,
  scene: Scene,
): readonly Act[] => {
  const entries = paletteEntries(input.text, scene);
  const move = (by: number): readonly Act[] => [
    {
      kind: 'input',
      input: { ...input, index: Math.max(0, Math.min(input.index + by, entries.length - 1)) },
    },
  ];
  switch (key) {
    case 'up':
    case 'ctrl-k':
    case 'ctrl-p':
    case 'shift-tab':
      return move(-1);
    case 'down':
    case 'ctrl-j':
    case 'ctrl-n':
    case 'tab':
      return move(1);
    case 'pgup':
      return move(-10);
    case 'pgdn':
      return move(10);
    case 'enter':
      return [close, ...(entries[input.index]?.acts(scene) ?? [])];
    default: {
      const text = editText(input.text, key);
      return text === null ? [] : typedInto(input, text);
    }
  }
};

/** The line that is `by` steps older (or newer) than the one shown; what was being typed comes after the newest. */
const recall = (input: CommandInput, typed: readonly string[], by: 1 | -1): readonly Act[] => {
  const at = (input.recalled ?? -1) + by;
  if (at >= typed.length) return [];
  const draft = input.recalled === null ? input.text : input.draft;
  const line =
    at < 0
      ? commandInput(draft)
      : { ...commandInput(typed[typed.length - 1 - at] ?? ''), recalled: at, draft };
  return [{ kind: 'input', input: line }];
};

/** Tab: as far as it is clear; from there on one after the other of what the line could become. */
const complete = (input: CommandInput, by: 1 | -1, scene: Scene): readonly Act[] => {
  const stem = input.walked?.stem ?? input.text;
  const further = completed(stem, scene);
  if (input.walked === null && further !== stem) return typedInto(input, further);
  const lines = linesOf(stem, scene);
  if (lines.length === 0) return [];
  const at = input.walked === null ? (by === 1 ? 0 : lines.length - 1) : input.walked.at + by;
  const turned = (at + lines.length) % lines.length;
  return [{ kind: 'input', input: { ...commandInput(lines[turned] ?? stem), walked: { stem, at: turned } } }];
};

/** The next older line that holds what was typed, as Ctrl-R does in a shell; again: the one before that. */
const search = (input: Extract<Input, { kind: 'command' }>, typed: readonly string[]): readonly Act[] => {
  const draft = input.recalled === null ? input.text : input.draft;
  const older = typed.slice(0, typed.length - 1 - (input.recalled ?? -1));
  const found = older.findLastIndex((line) => line.includes(draft));
  return found < 0
    ? []
    : [
        {
          kind: 'input',
          input: { ...input, text: typed[found] ?? '', recalled: typed.length - 1 - found, draft },
        },
      ];
};

const actsOfCommandInput = (input: CommandInput, key: KeyName, scene: Scene): readonly Act[] => {
  const { typed } = scene.ui;
  switch (key) {
    case 'up':
    case 'ctrl-p':
      return recall(input, typed, 1);
    case 'down':
    case 'ctrl-n':
      return recall(input, typed, -1);
    case 'ctrl-r':
      return search(input, typed);
    case 'tab':
      return complete(input, 1, scene);
    case 'shift-tab':
      return complete(input, -1, scene);
    case 'enter': {
      const line = input.text.trim();
      return [
        close,
        ...(line === '' ? [] : [{ kind: 'remember', line } as const]),
        ...actsOfCommandLine(line, scene),
      ];
    }
    default: {
      const text = editText(input.text, key);
      return text === null ? [] : typedInto(input, text);
    }
  }
};

/** The new text of the line; a filter already works while it is being typed. */
const typedInto = (input: Input, text: string): readonly Act[] => {
  switch (input.kind) {
    case 'filter':
    case 'search':
      return [
        { kind: 'input', input: { ...input, text } },
        { kind: input.kind, text },
      ];
    case 'find':
      return [
        { kind: 'input', input: { ...input, text } },
        { kind: 'search', text },
      ];
    case 'command':
      return [{ kind: 'input', input: commandInput(text) }];
    case 'palette':
      return [{ kind: 'input', input: { ...input, text, index: 0 } }];
    default:
      return input satisfies never;
  }
};

/** Pasted text goes into the line being typed, its first line only; anywhere else it does nothing. */
export const actsOfPaste = ({ input, dialog }: Ui, text: string): readonly Act[] => {
  if (dialog?.typed != null) return [notice('a pasted name proves nothing: please type it')];
  if (dialog !== null) return [];
  if (input === null) return [notice('pasted text was ignored')];
  const [line = ''] = text.split(/[\r\n]/u);
  const clean = [...line].filter((char) => !/\p{C}/u.test(char)).join('');
  return typedInto(input, (input.text + clean).slice(0, typedTextMax));
};
