import { goToRow } from '../screen/pane.ts';
import { nextMatch } from '../state/find.ts';
import type { Scene } from '../state/scene.ts';
import { type Act, notice, searchOf } from '../state/ui.ts';
import type { View } from '../state/view.ts';
import { type Command, command, hint } from './command.ts';

/** `/` in its three meanings: a filter of machines (list.ts), fewer lines or rows, and going to what holds a text. */

/** Here every line stands for itself, so those that do not hold the text can go. */
export const searchable = ({ view }: { readonly view: View }): boolean =>
  view.kind === 'log' ||
  view.kind === 'help' ||
  view.kind === 'history' ||
  view.kind === 'inputs' ||
  (view.kind === 'machine' && view.tab === 'logs');

/** Here lines belong together: one goes from match to match. */
const findable = (scene: Scene): boolean => scene.view.kind !== 'machines' && !searchable(scene);

/** Goes to the next match of `text`, and says which of how many it is. */
export const goToMatch = (
  scene: Pick<Scene, 'pane' | 'scroll' | 'bodyHeight'>,
  text: string,
  by: 1 | -1,
  stay = false,
): readonly Act[] => {
  const { pane, scroll, bodyHeight } = scene;
  const found = nextMatch(pane, scroll, text, by, stay);
  return found === null ? [] : [{ kind: 'scroll', scroll: goToRow(pane, scroll, bodyHeight, found.index) }];
};

const goOn = (scene: Scene, by: 1 | -1): readonly Act[] => {
  const text = searchOf(scene.ui);
  const found = nextMatch(scene.pane, scene.scroll, text, by);
  return found === null
    ? [notice(`nothing here holds "${text}"`)]
    : [...goToMatch(scene, text, by), notice(`${text}: ${found.at} of ${found.of}`, 'quiet')];
};

const nothingSought = (scene: Scene): string | null =>
  searchOf(scene.ui) !== '' && findable(scene) ? null : 'nothing is being looked for here: / begins';

export const findCommands: readonly Command[] = [
  command({
    id: 'search',
    aliases: ['grep'],
    group: 'Move',
    title: 'in logs, inputs, history and help: show only what holds a text; ! in front: what does not',
    keys: ['/', 'f'],
    when: searchable,
    hint: hint('search', 20),
    disabledReason: (scene) =>
      searchable(scene) ? null : 'only in logs, inputs, history and help; elsewhere / finds',
    run: ({ ui }, argument) =>
      argument === ''
        ? [{ kind: 'input', input: { kind: 'search', text: searchOf(ui), before: searchOf(ui) } }]
        : [{ kind: 'search', text: argument }],
  }),
  command({
    id: 'find',
    group: 'Move',
    title: 'go to the next line that holds a text; n and N go on',
    keys: ['/', 'f'],
    when: findable,
    hint: ({ view }) => (view.kind === 'run' ? { text: 'find', rank: 60 } : { text: 'find', rank: 40 }),
    disabledReason: (scene) => (findable(scene) ? null : 'here / shows only what holds a text'),
    run: (scene, argument) => {
      const before = searchOf(scene.ui);
      return argument === ''
        ? [{ kind: 'input', input: { kind: 'find', text: '', before, from: scene.scroll } }]
        : [{ kind: 'search', text: argument }, ...goToMatch(scene, argument, 1, true)];
    },
  }),
  command({
    id: 'next-match',
    group: 'Move',
    title: 'the next line that holds what is looked for',
    keys: ['n'],
    when: (scene) => nothingSought(scene) === null,
    hint: hint('next', 3),
    disabledReason: nothingSought,
    run: (scene) => goOn(scene, 1),
  }),
  command({
    id: 'match-before',
    group: 'Move',
    title: 'the line before this that holds what is looked for',
    keys: ['N'],
    when: (scene) => nothingSought(scene) === null,
    disabledReason: nothingSought,
    run: (scene) => goOn(scene, -1),
  }),
];
