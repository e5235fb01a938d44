import { moveBy, moveToEdge, pageOf, type Scroll } from '../screen/pane.ts';
import type { KeyName } from '../state/keys.ts';
import type { Scene } from '../state/scene.ts';
import { type Command, command } from './command.ts';

const move = (id: string, keys: readonly KeyName[], title: string, to: (scene: Scene) => Scroll): Command =>
  command({ id, group: 'Move', title, keys, run: (scene) => [{ kind: 'scroll', scroll: to(scene) }] });

const by =
  (rows: number) =>
  ({ pane, scroll, bodyHeight }: Scene): Scroll =>
    moveBy(pane, scroll, bodyHeight, rows);

const page =
  (sign: 1 | -1) =>
  ({ pane, scroll, bodyHeight }: Scene): Scroll =>
    moveBy(pane, scroll, bodyHeight, sign * pageOf(pane, bodyHeight));

const half =
  (sign: 1 | -1) =>
  ({ pane, scroll, bodyHeight }: Scene): Scroll =>
    moveBy(pane, scroll, bodyHeight, sign * Math.max(1, Math.floor(pageOf(pane, bodyHeight) / 2)));

const edge =
  (which: 'first' | 'last') =>
  ({ pane, scroll, bodyHeight }: Scene): Scroll =>
    moveToEdge(pane, scroll, bodyHeight, which);

/** Within what is on show. */
export const moveCommands: readonly Command[] = [
  move('down', ['j', 'down'], 'one down', by(1)),
  move('up', ['k', 'up'], 'one up', by(-1)),
  move('page-down', ['pgdn', 'ctrl-f', '.'], 'one page down', page(1)),
  move('page-up', ['pgup', 'ctrl-b', ','], 'one page up', page(-1)),
  command({
    id: 'read-on',
    group: 'Move',
    title: 'one page down, in a text',
    keys: ['space'],
    // A cursor on a row is moved by nobody who means to mark it.
    when: ({ pane }) => pane.kind === 'text',
    disabledReason: ({ pane }) => (pane.kind === 'text' ? null : 'only in a text'),
    run: (scene) => [{ kind: 'scroll', scroll: page(1)(scene) }],
  }),
  move('half-down', ['ctrl-d'], 'half a page down', half(1)),
  move('half-up', ['ctrl-u'], 'half a page up', half(-1)),
  move('top', ['g', 'home'], 'to the first line', edge('first')),
  move('bottom', ['G', 'end'], 'to the last line', edge('last')),
];
