import type { LabSnapshot, Session } from '../flow/session.ts';
import { searchable } from './commands/find.ts';
import { hintsOf } from './commands/registry.ts';
import type { Line } from './draw/line.ts';
import { makePen, type Pen } from './draw/pen.ts';
import { canTake } from './screen/dialog-box.ts';
import { logEntries } from './screen/log.ts';
import { selectedIndex } from './screen/pane.ts';
import { clockTime } from './screen/words.ts';
import { createShell, type Shell, type TerminalIntent } from './shell.ts';
import type { Scene } from './state/scene.ts';
import type { Settings } from './state/settings.ts';
import { type Dialog, viewOf } from './state/ui.ts';
import { tabs } from './views.ts';

/**
 * The screen as lines, one after the other, for screen readers and for terminals that cannot move their cursor: the
 * same views, commands and dialogs, told instead of drawn. Nothing is ever drawn over.
 */

const linesMax = 200;
/** Wide enough that no column is cut: what reads it has no edges. */
const size = { columns: 400, rows: 60 } as const;

/** Signs are left out, for the words beside them say the same; sparklines become digits. */
const wordsPen = (): Pen => {
  const plain = makePen(true);
  const none = { good: '', warn: '', bad: '', unknown: '', idle: '', pointer: '', critical: '' };
  const lines = { rule: '', vertical: '', full: '', empty: '', branch: 'then', last: 'then' };
  return {
    ...plain,
    glyphs: {
      ...plain.glyphs,
      ...none,
      ...lines,
      marked: 'marked',
      below: ' (ascending)',
      above: ' (descending)',
      spinner: [''],
      levels: ['1', '2', '3', '4', '5', '6', '7', '8'],
    },
  };
};

/** A drawn line as it is read: columns are parted by commas. */
const spoken = (content: Line): string =>
  content
    .map(({ text }) => text)
    .join('')
    .trim()
    .replaceAll(/\s{2,}/gu, ', ');

const dialogText = (dialog: Dialog): readonly string[] => {
  const [name] = dialog.typed?.names ?? [];
  return [
    `Question: ${dialog.title}`,
    ...dialog.body,
    ...dialog.choices.map(
      ({ label }, index) =>
        `${index + 1}: ${label}${canTake(dialog, index) ? '' : ' (once the name is typed)'}`,
    ),
    name === undefined ? 'Type a number.' : `Type ${name} first, then a number. 1 cancels.`,
  ];
};

/** The view on show, from its first line to its last. */
export const viewText = (scene: Scene): readonly string[] => {
  const { pane, scroll, view, ui, snapshot } = scene;
  if (ui.dialog !== null) return dialogText(ui.dialog);
  const title = tabs.find(({ kind }) => kind === view.kind)?.title;
  const name =
    title ??
    (view.kind === 'machine'
      ? `${view.name}, ${view.tab}`
      : view.kind === 'replay'
        ? `Replay ${view.run}`
        : 'Help');
  const cursor = selectedIndex(pane, scroll);
  const rows = Array.from({ length: Math.min(pane.count, linesMax) }, (_, index) => {
    const text = spoken(pane.lineAt(index));
    return index === cursor && text !== '' ? `current: ${text}` : text;
  });
  return [
    `${name}.${snapshot.demo ? ' Demo, simulated.' : ''}`,
    ...pane.head.map(spoken),
    ...(pane.count === 0 ? pane.empty.map(spoken) : rows),
    ...(pane.count > linesMax ? [`and ${pane.count - linesMax} more; / shows fewer`] : []),
  ].filter((text) => text !== '');
};

/** What has happened between two snapshots, worth a line each. */
export const newsBetween = (before: LabSnapshot, after: LabSnapshot, pen: Pen): readonly string[] => {
  const known = before.run?.run === after.run?.run ? (before.run?.lastSeq ?? 0) : 0;
  const events = after.events.filter(({ seq }) => seq > known);
  const messages = after.messages.filter((message) => !before.messages.includes(message));
  const told = logEntries({ ...after, events, messages }, pen)
    .filter(({ minor }) => !minor)
    .map(
      ({ at, machine, text }) =>
        `${clockTime(at)} ${machine === null ? '' : `${machine}: `}${pen.clean(text).trim()}`,
    );
  const health = [...after.health].flatMap(([name, { verdict }]) => {
    const old = before.health.get(name)?.verdict;
    return old === undefined || old === verdict ? [] : [`${name} is ${verdict} now, was ${old}`];
  });
  const away = [...after.observations].flatMap(([name, { kind }]) => {
    const old = before.observations.get(name)?.kind;
    return old === undefined || old === kind
      ? []
      : [`${name} ${kind === 'reachable' ? 'answers again' : 'no longer answers'}`];
  });
  const ready =
    after.phase.kind === 'awaiting-approval' && before.phase.kind !== 'awaiting-approval'
      ? ['The plan is ready: 3 reads it, then approve or discard']
      : [];
  return [...told, ...health, ...away, ...ready];
};

export type Reader = {
  /** One line that was typed. */
  readonly line: (text: string) => void;
  readonly shell: Shell;
  readonly close: () => void;
};

export const createReader = (
  session: Session,
  options: {
    readonly readonly: boolean;
    readonly settings: Settings;
    readonly print: (line: string) => void;
    readonly onTerminal: (intent: TerminalIntent) => void;
  },
): Reader => {
  const { print } = options;
  const pen = wordsPen();
  const shell = createShell({
    session,
    size,
    pen,
    readonly: options.readonly,
    settings: options.settings,
    onTerminal: options.onTerminal,
  });
  let told = session.snapshot();
  const tellView = (): void => {
    for (const text of viewText(shell.scene())) print(text);
  };
  const tellNotice = (): boolean => {
    const { notice } = shell.moment().ui;
    if (notice !== null) print(pen.clean(notice.text));
    return notice !== null;
  };
  const unsubscribe = shell.subscribe(() => {
    const { snapshot } = shell.moment();
    if (snapshot === told) return;
    const first = told.evaluation.value === null && snapshot.evaluation.value !== null;
    for (const text of newsBetween(told, snapshot, pen)) print(text);
    told = snapshot;
    if (first) tellView();
  });

  const answer = (dialog: Dialog, text: string): void => {
    const choice = Number(text);
    if (Number.isInteger(choice) && choice >= 1 && choice <= dialog.choices.length) {
      const by = (choice - 1 - dialog.focus + dialog.choices.length) % dialog.choices.length;
      for (let step = 0; step < by; step += 1) shell.key('tab');
      shell.key('enter');
    } else if (dialog.typed !== null) for (const char of text) shell.key(char === ' ' ? 'space' : char);
    else if (text === '') shell.key('esc');
  };

  const line = (typed: string): void => {
    const text = typed.trim();
    const before = shell.moment().ui;
    if (before.dialog !== null) answer(before.dialog, text);
    else if (text === '') tellView();
    // A slash alone shows all again, as Esc does: no line is being typed here that could be opened.
    else if (text === '/' || text === ':') shell.key('esc');
    else if ([...text].length === 1) shell.key(text);
    else if (text.startsWith('/'))
      shell.run(`${searchable({ view: viewOf(before) }) ? 'search' : 'filter'} ${text.slice(1)}`);
    else if (text === 'hints')
      print(
        hintsOf(shell.scene())
          .map(({ key, text: word, disabled }) => `${key}: ${word}${disabled ? ' (not now)' : ''}`)
          .join('; '),
      );
    else shell.run(text.replace(/^:/u, ''));
    const after = shell.moment().ui;
    const noticed = after.notice !== before.notice && tellNotice();
    const moved =
      viewOf(after) !== viewOf(before) ||
      after.dialog !== before.dialog ||
      after.filter !== before.filter ||
      after.searches !== before.searches;
    if (moved) tellView();
    else if (after.scrolls !== before.scrolls && !noticed) {
      const { pane, scroll } = shell.scene();
      const cursor = selectedIndex(pane, scroll);
      if (cursor >= 0) print(spoken(pane.lineAt(cursor)));
    }
  };

  print(
    'lab, read line by line. Type a command or a key, then Enter. help lists them; hints says what is useful here; q leaves.',
  );
  tellView();
  return {
    line,
    shell,
    close: () => {
      unsubscribe();
      shell.close();
    },
  };
};
