import type { LabSnapshot, Session } from '../flow/session.ts';
import { actsOfCommandLine, actsOfKey, completed, helpOf } from './commands/registry.ts';
import type { Pen } from './draw/pen.ts';
import { canTake } from './screen/dialog-box.ts';
import { leastSize } from './screen/frame-rows.ts';
import { resultWords, underWay } from './screen/words.ts';
import { editText, type KeyName, typedTextMax } from './state/keys.ts';
import { type Moment, makeScenes, type Scene } from './state/scene.ts';
import {
  type Act,
  type Dialog,
  type Input,
  type Intent,
  initialUi,
  notice,
  reduce,
  type Size,
  type Ui,
  viewOf,
} from './state/ui.ts';

/** What only the terminal can do. */
export type TerminalIntent = Extract<Intent, { kind: 'ssh' | 'repaint' | 'suspend' | 'quit' }>;

/**
 * The screen without a terminal: takes keys, sizes and the session's news, and holds the moment that is to be drawn.
 * Keys act at once on the newest state, however many arrive between two frames.
 */
export type Shell = {
  readonly moment: () => Moment;
  readonly scene: () => Scene;
  readonly subscribe: (listener: () => void) => () => void;
  readonly key: (key: KeyName) => void;
  readonly paste: (text: string) => void;
  /** Whether keys are text just now, so that a long chunk of them may well have been typed. */
  readonly typing: () => boolean;
  readonly resize: (size: Size) => void;
  /** Lets time pass; to be called several times a second. Makes no frame where nothing moves. */
  readonly tick: () => void;
  readonly tell: (text: string, tone?: 'warn' | 'bad' | 'quiet') => void;
  readonly close: () => void;
};

/** While nothing goes on, ages on the screen move in steps of this size. */
const idleStepMs = 10_000;

const isBusy = (snapshot: LabSnapshot): boolean =>
  snapshot.phase.kind === 'preparing' ||
  snapshot.phase.kind === 'running' ||
  snapshot.evaluation.refreshing ||
  snapshot.observing.size > 0 ||
  snapshot.probing.size > 0;

export const createShell = (options: {
  readonly session: Session;
  readonly size: Size;
  readonly pen: Pen;
  readonly readonly: boolean;
  readonly onTerminal: (intent: TerminalIntent) => void;
}): Shell => {
  const { session, pen } = options;
  const scenes = makeScenes({ pen, readonly: options.readonly, help: helpOf });
  const listeners = new Set<() => void>();
  const first = session.snapshot();
  let moment: Moment = { ui: initialUi(options.size), snapshot: first, now: first.now, beat: 0 };

  const publish = (next: Moment): void => {
    if (next === moment) return;
    moment = next;
    for (const listener of listeners) listener();
  };
  const scene = (): Scene => scenes(moment);

  const perform = (intent: Intent): void => {
    switch (intent.kind) {
      case 'refresh':
        session.refresh();
        break;
      case 'probe':
        session.probe(intent.machines);
        break;
      case 'prepare':
        session.prepare(intent.goal, intent.machines);
        break;
      case 'approve':
        session.approve();
        break;
      case 'decline':
        session.decline();
        break;
      case 'stop':
        session.stop();
        break;
      case 'dismiss':
        session.dismiss();
        break;
      case 'ssh':
      case 'repaint':
      case 'suspend':
      case 'quit':
        options.onTerminal(intent);
        break;
      default:
        intent satisfies never;
    }
  };

  const act = (acts: readonly Act[]): void => {
    let { ui } = moment;
    const intents: Intent[] = [];
    for (const item of acts) {
      if (item.kind === 'intent') intents.push(item.intent);
      else ui = reduce(ui, item);
    }
    if (ui !== moment.ui) publish({ ...moment, ui });
    for (const item of intents) perform(item);
    leaveIfDone();
  };

  const leaveIfDone = (): void => {
    if (moment.ui.leaving && !underWay(session.snapshot())) options.onTerminal({ kind: 'quit' });
  };

  const takeSnapshot = (): void => {
    const snapshot = session.snapshot();
    if (snapshot === moment.snapshot) return;
    const ui = afterNews(moment.ui, moment.snapshot, snapshot);
    publish({ ...moment, ui, snapshot, now: Math.max(snapshot.now, moment.now) });
    leaveIfDone();
  };

  const unsubscribe = session.subscribe(takeSnapshot);

  return {
    moment: () => moment,
    scene,
    subscribe: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    key: (key) => act(actsAt(scene(), key)),
    paste: (text) => act(actsOfPaste(moment.ui, text)),
    typing: () => moment.ui.input !== null || (moment.ui.dialog?.typed ?? null) !== null,
    resize: (size) => act([{ kind: 'size', size }]),
    tick: () => {
      const { snapshot } = moment;
      const fresh = session.snapshot().now;
      const now = Math.max(
        moment.now,
        fresh !== snapshot.now ? fresh : snapshot.now + options.elapsed() - readAt,
      );
      if (isBusy(snapshot)) publish({ ...moment, now, beat: moment.beat + 1 });
      else if (now - moment.now >= idleStepMs) publish({ ...moment, now });
    },
    tell: (text, tone = 'warn') => act([notice(text, tone)]),
    close: () => {
      unsubscribe();
      listeners.clear();
    },
  };
};

/** What news do to the screen: another phase of the run begins at the top, and says so where it is not on show. */
const afterNews = (ui: Ui, before: LabSnapshot, after: LabSnapshot): Ui => {
  if (before.phase.kind === after.phase.kind) return ui;
  const scrolls = new Map(ui.scrolls);
  scrolls.delete('run');
  // A dialog speaks of the phase in which it was opened; its choices may mean something else by now.
  const fresh: Ui = { ...ui, scrolls, dialog: null };
  if (viewOf(ui).kind === 'run') return fresh;
  if (after.phase.kind === 'awaiting-approval')
    return { ...fresh, notice: { text: 'the plan is ready: 3 shows it', tone: 'warn' } };
  const result = after.phase.kind === 'ended' ? after.run?.ended?.result : undefined;
  if (result === undefined) return fresh;
  return {
    ...fresh,
    notice: {
      text: `the run has ended, ${resultWords[result].text}: 3 shows it`,
      tone: resultWords[result].tone,
    },
  };
};

const actsAt = (scene: Scene, key: KeyName): readonly Act[] => {
  const { ui } = scene;
  if (key === 'ctrl-l') return actsOfKey(key, scene);
  if (ui.size.columns < leastSize.columns || ui.size.rows < leastSize.rows)
    return key === 'q' || key === 'ctrl-c' ? actsOfKey(key, scene) : [];
  const clear: readonly Act[] = ui.notice === null ? [] : [{ kind: 'notice', notice: null }];
  if (ui.dialog !== null) return actsOfDialog(ui.dialog, key);
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
      if (choice === undefined || !canTake(dialog, dialog.focus)) return [];
      return [shut, ...choice.acts];
    }
    default:
      break;
  }
  if (typed === null) return key === 'l' ? turn(1) : key === 'h' ? turn(-1) : [];
  const [wanted, ...others] = typed.names;
  const text = wanted === undefined ? null : editText(typed.text, key);
  if (text === null) return [];
  // The name is complete: the next one is asked for, or the choices are open. The focus stays where it is.
  return show({ ...dialog, typed: text === wanted ? { names: others, text: '' } : { ...typed, text } });
};

const actsOfInput = (input: Input, key: KeyName, scene: Scene): readonly Act[] => {
  const close: Act = { kind: 'input', input: null };
  if (key === 'esc' || key === 'ctrl-c')
    return [close, ...(input.kind === 'filter' ? [{ kind: 'filter', text: input.before } as const] : [])];
  if (key === 'enter')
    return [close, ...(input.kind === 'command' ? actsOfCommandLine(input.text, scene) : [])];
  if (key === 'backspace' && input.text === '') return [close];
  const text =
    key === 'tab' && input.kind === 'command' ? completed(input.text, scene) : editText(input.text, key);
  return text === null ? [] : typedInto(input, text);
};

/** The new text of the line; a filter already works while it is being typed. */
const typedInto = (input: Input, text: string): readonly Act[] => [
  { kind: 'input', input: { ...input, text } },
  ...(input.kind === 'filter' ? [{ kind: 'filter', text } as const] : []),
];

/** Pasted text goes into the line being typed, its first line only; anywhere else it does nothing. */
const actsOfPaste = ({ input, dialog }: Ui, text: string): readonly Act[] => {
  if (dialog?.typed != null) return [notice('a pasted name proves nothing: please type it')];
  if (dialog !== null) return [];
  if (input === null) return [notice('pasted text was ignored')];
  const [line = ''] = text.split(/[\r\n]/u);
  const clean = [...line].filter((char) => !/\p{C}/u.test(char)).join('');
  return typedInto(input, (input.text + clean).slice(0, typedTextMax));
};
