import type { LabSnapshot, Session } from '../flow/session.ts';
import { actsOfCommandLine, helpOf, isCommandLine } from './commands/registry.ts';
import { actsAt, actsOfPaste, isTyping } from './commands/typing.ts';
import type { Pen } from './draw/pen.ts';
import { endWords, underWay } from './screen/words.ts';
import type { Intent } from './state/intent.ts';
import type { KeyName } from './state/keys.ts';
import { type Moment, makeScenes, type Scene } from './state/scene.ts';
import type { Settings } from './state/settings.ts';
import { type Act, initialUi, notice, reduce, type Size, type Ui, viewOf } from './state/ui.ts';
import { intentsBetween } from './state/wants.ts';

/** What only the terminal can do. */
export type TerminalIntent = Extract<
  Intent,
  { kind: 'ssh' | 'edit' | 'copy' | 'repaint' | 'suspend' | 'quit' }
>;

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
  /** A line as it would be typed after `:`. */
  readonly run: (line: string) => void;
  /** Whether keys are text just now, so that a long chunk of them may well have been typed. */
  readonly typing: () => boolean;
  readonly resize: (size: Size) => void;
  /** Other keys or another skin from now on. */
  readonly configure: (settings: Settings) => void;
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
  readonly settings: Settings;
  /** Lines typed after `:` in earlier sessions, and what keeps one more; it gives why it could not. */
  readonly typed?: { readonly lines: readonly string[]; readonly remember: (line: string) => string | null };
  readonly onTerminal: (intent: TerminalIntent) => void;
}): Shell => {
  const { session, pen } = options;
  const scenes = makeScenes({ pen, readonly: options.readonly, help: helpOf });
  const listeners = new Set<() => void>();
  const first = session.snapshot();
  let moment: Moment = {
    ui: initialUi(options.size, options.typed?.lines),
    snapshot: first,
    now: first.now,
    beat: 0,
    settings: options.settings,
  };

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
      case 'replan':
        session.replan(intent.overrides);
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
      case 'abort':
        session.abort();
        break;
      case 'pause':
        session.pause();
        break;
      case 'unpause':
        session.unpause();
        break;
      case 'resume':
        session.resume(intent.run);
        break;
      case 'steer':
        session.steer({ what: intent.what, machine: intent.machine });
        break;
      case 'open-past':
        session.openPast(intent.run);
        break;
      case 'dismiss':
        session.dismiss();
        break;
      case 'follow-logs':
        session.followLogs(intent.machine, intent.unit);
        break;
      case 'leave-logs':
        session.leaveLogs();
        break;
      case 'read-inputs':
        session.readInputs();
        break;
      case 'preview-inputs':
        session.previewInputs(intent.inputs);
        break;
      case 'update-inputs':
        session.updateInputs(intent.inputs);
        break;
      case 'look-closure':
        session.lookAtClosure(intent.machine);
        break;
      case 'leave-closure':
        session.leaveClosure();
        break;
      case 'look-generations':
        session.lookAtGenerations(intent.machine);
        break;
      case 'ssh':
      case 'edit':
      case 'copy':
      case 'repaint':
      case 'suspend':
      case 'quit':
        options.onTerminal(intent);
        break;
      default:
        intent satisfies never;
    }
  };

  /** Only commands are kept: what was typed here by mistake may be anything, a password too. */
  const keep = (ui: Ui, line: string): Ui => {
    const problem = isCommandLine(line) ? (options.typed?.remember(line) ?? null) : null;
    return problem === null ? ui : reduce(ui, { kind: 'notice', notice: { text: problem, tone: 'warn' } });
  };

  const act = (acts: readonly Act[]): void => {
    let { ui } = moment;
    const intents: Intent[] = [];
    for (const item of acts) {
      if (item.kind === 'intent') intents.push(item.intent);
      else ui = reduce(ui, item);
      if (item.kind === 'remember') ui = keep(ui, item.line);
    }
    intents.push(...intentsBetween(moment.ui, ui));
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
    run: (line) => act([{ kind: 'notice', notice: null }, ...actsOfCommandLine(line, scene())]),
    paste: (text) => act(actsOfPaste(moment.ui, text)),
    typing: () => isTyping(moment.ui),
    resize: (size) => act([{ kind: 'size', size }]),
    configure: (settings) => publish({ ...moment, settings }),
    tick: () => {
      const { snapshot } = moment;
      const now = Math.max(moment.now, session.now());
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
  const { text, tone } = endWords(result);
  return { ...fresh, notice: { text: `the run has ended, ${text}: 3 shows it`, tone } };
};
