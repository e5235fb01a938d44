import type { RunId } from '../../run/event.ts';
import type { Tone } from '../draw/theme.ts';
import type { Sort, SortBy } from '../screen/arrange.ts';
import type { MachineTab } from '../screen/machine.ts';
import { atEnd, atTop, type Scroll } from '../screen/pane.ts';
import { type Input, typedWith } from './input.ts';
import type { Intent } from './intent.ts';
import { beginsAtEnd, type View, viewKey } from './view.ts';

/** What the screen itself remembers: where one is, what is marked, what is being typed. Everything else is the session's. */

export type Dialog = {
  readonly title: string;
  readonly body: readonly string[];
  /** The safe choice comes first and has the focus. */
  readonly choices: readonly DialogChoice[];
  readonly focus: number;
  /** Names that have to be typed, one after the other, before any choice but the first can be taken. */
  readonly typed: { readonly names: readonly string[]; readonly text: string } | null;
};
type DialogChoice = {
  readonly label: string;
  readonly danger: boolean;
  readonly acts: readonly Act[];
};

type Notice = { readonly text: string; readonly tone: Tone };
export type Size = { readonly columns: number; readonly rows: number };

export type Ui = {
  readonly size: Size;
  /** Never empty; the last is on show. */
  readonly stack: readonly View[];
  readonly scrolls: ReadonlyMap<string, Scroll>;
  readonly filter: string;
  /** What lines have to hold to be shown, by view. */
  readonly searches: ReadonlyMap<string, string>;
  /** Which unit's log is followed, by machine; all of the journal where none is named. */
  readonly units: ReadonlyMap<string, string>;
  /** How many events of a past run are shown; all where nothing is said. */
  readonly moments: ReadonlyMap<RunId, number>;
  readonly sort: Sort;
  readonly marked: ReadonlySet<string>;
  /** Which of the sets of columns the table of machines shows, where one line has no room for all. */
  readonly columnSet: number;
  /** Rows alone, without what stands below them. */
  readonly rowsOnly: boolean;
  /** Long lines of logs are wrapped; null where nobody has chosen: in narrow windows they are. */
  readonly wrap: boolean | null;
  /** The sequence as a tree of needs. */
  readonly tree: boolean;
  /** The sequence of the marked machines alone. */
  readonly onlyMarked: boolean;
  readonly input: Input | null;
  /** Lines that were typed after `:`, the newest last, none twice. */
  readonly typed: readonly string[];
  readonly dialog: Dialog | null;
  readonly notice: Notice | null;
  /** Quit as soon as the run has ended. */
  readonly leaving: boolean;
};

export type UiAction =
  /** Esc leads back to where one came from; the machines are where every way begins. */
  | { readonly kind: 'go'; readonly view: View }
  | { readonly kind: 'back' }
  | { readonly kind: 'tab'; readonly tab: MachineTab }
  | { readonly kind: 'scroll'; readonly scroll: Scroll }
  | { readonly kind: 'filter'; readonly text: string }
  | { readonly kind: 'search'; readonly text: string }
  | { readonly kind: 'unit'; readonly machine: string; readonly unit: string | null }
  | { readonly kind: 'moment'; readonly run: RunId; readonly at: number }
  | { readonly kind: 'sort'; readonly by: SortBy }
  | { readonly kind: 'mark'; readonly names: readonly string[]; readonly on: boolean }
  | { readonly kind: 'columns'; readonly set: number }
  | { readonly kind: 'rows-only'; readonly on: boolean }
  | { readonly kind: 'wrap'; readonly on: boolean }
  | { readonly kind: 'sequence'; readonly tree: boolean; readonly onlyMarked: boolean }
  | { readonly kind: 'input'; readonly input: Input | null }
  | { readonly kind: 'remember'; readonly line: string }
  | { readonly kind: 'dialog'; readonly dialog: Dialog | null }
  | { readonly kind: 'notice'; readonly notice: Notice | null }
  | { readonly kind: 'size'; readonly size: Size }
  | { readonly kind: 'leave' };

export type Act = UiAction | { readonly kind: 'intent'; readonly intent: Intent };

export const intent = (value: Intent): Act => ({ kind: 'intent', intent: value });
export const notice = (text: string, tone: Tone = 'warn'): Act => ({
  kind: 'notice',
  notice: { text, tone },
});

export const initialUi = (size: Size, typed: readonly string[] = []): Ui => ({
  size,
  stack: [{ kind: 'machines' }],
  scrolls: new Map(),
  filter: '',
  searches: new Map(),
  units: new Map(),
  moments: new Map(),
  sort: { by: 'name', reversed: false },
  marked: new Set(),
  columnSet: 0,
  rowsOnly: false,
  wrap: null,
  tree: false,
  onlyMarked: false,
  input: null,
  typed,
  dialog: null,
  notice: null,
  leaving: false,
});

/** Below so many columns most lines of logs would be cut. */
const wrapsBelowColumns = 80;

export const wrapsLines = ({ wrap, size }: Ui): boolean => wrap ?? size.columns < wrapsBelowColumns;

export const viewOf = ({ stack }: Ui): View => stack.at(-1) ?? { kind: 'machines' };

export const scrollOf = (ui: Ui): Scroll => {
  const view = viewOf(ui);
  return ui.scrolls.get(viewKey(view)) ?? (beginsAtEnd(view) ? atEnd : atTop);
};

/** What the lines of the view on show have to hold. */
export const searchOf = (ui: Ui): string => ui.searches.get(viewKey(viewOf(ui))) ?? '';

const withTop = (ui: Ui, view: View): Ui => ({ ...ui, stack: [...ui.stack.slice(0, -1), view] });

/** The next state of the screen. Pure. */
export const reduce = (ui: Ui, action: UiAction): Ui => {
  switch (action.kind) {
    case 'go': {
      const { view } = action;
      if (viewKey(viewOf(ui)) === viewKey(view)) return ui;
      // Each kind of view once, so that the way back is short; nobody wants back to the help they have read.
      const way = ui.stack.filter(({ kind }) => kind !== view.kind && kind !== 'machines' && kind !== 'help');
      const machines = { kind: 'machines' } as const;
      return { ...ui, stack: view.kind === 'machines' ? [machines] : [machines, ...way, view] };
    }
    case 'back':
      if (searchOf(ui) !== '') return reduce(ui, { kind: 'search', text: '' });
      if (ui.stack.length > 1) return { ...ui, stack: ui.stack.slice(0, -1) };
      return ui.filter === '' ? ui : { ...ui, filter: '' };
    case 'tab': {
      const view = viewOf(ui);
      return view.kind === 'machine' ? withTop(ui, { ...view, tab: action.tab }) : ui;
    }
    case 'scroll':
      return { ...ui, scrolls: new Map(ui.scrolls).set(viewKey(viewOf(ui)), action.scroll) };
    case 'filter':
      return { ...ui, filter: action.text };
    case 'search': {
      const searches = new Map(ui.searches);
      if (action.text === '') searches.delete(viewKey(viewOf(ui)));
      else searches.set(viewKey(viewOf(ui)), action.text);
      return { ...ui, searches };
    }
    case 'unit': {
      const units = new Map(ui.units);
      if (action.unit === null) units.delete(action.machine);
      else units.set(action.machine, action.unit);
      return { ...ui, units };
    }
    case 'moment':
      return { ...ui, moments: new Map(ui.moments).set(action.run, action.at) };
    case 'sort':
      return {
        ...ui,
        sort: { by: action.by, reversed: ui.sort.by === action.by ? !ui.sort.reversed : false },
      };
    case 'mark': {
      const marked = new Set(ui.marked);
      for (const name of action.names) {
        if (action.on) marked.add(name);
        else marked.delete(name);
      }
      return { ...ui, marked };
    }
    case 'columns':
      return { ...ui, columnSet: action.set };
    case 'rows-only':
      return { ...ui, rowsOnly: action.on };
    case 'wrap':
      return { ...ui, wrap: action.on };
    case 'sequence':
      return { ...ui, tree: action.tree, onlyMarked: action.onlyMarked };
    case 'input':
      return { ...ui, input: action.input };
    case 'remember':
      return { ...ui, typed: typedWith(ui.typed, action.line) };
    case 'dialog':
      return { ...ui, dialog: action.dialog };
    case 'notice':
      return { ...ui, notice: action.notice };
    case 'size':
      return { ...ui, size: action.size };
    case 'leave':
      return { ...ui, leaving: true };
    default:
      return action satisfies never;
  }
};
