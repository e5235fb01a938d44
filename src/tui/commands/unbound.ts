import { type KeyName, keyLabel } from '../state/keys.ts';
import type { Scene } from '../state/scene.ts';
import { type Command, reasonAgainst } from './command.ts';

/** What is said where a key means nothing: fingers bring habits from other tools, and silence teaches nothing. */

const habits: Readonly<Record<KeyName, string>> = {
  'ctrl-k': 'no key kills anything here: x stops a run, in its view (3)',
  'ctrl-x': 'no key kills anything here: x stops a run, in its view (3)',
  'ctrl-s': 'c copies what is shown',
  'ctrl-e': '+ gives rows the room of what stands below them',
  'ctrl-g': 'Esc leads back',
  'ctrl-o': 'Esc leads back',
  '-': 'Esc leads back',
  J: 'j and PgDn move',
  H: 'w wraps the lines of logs',
  W: 'v compares packages',
  h: 'Esc leads back, [ and ] turn tabs',
  i: 'd or Enter opens what is under the cursor',
  m: 'Space marks',
  V: 'Space marks, * marks all',
  Z: 'q quits',
};

/** A short word about a key that does nothing here; `meant`: commands that have it elsewhere. */
export const wordsOnUnbound = (key: KeyName, meant: readonly Command[], scene: Scene): string => {
  const [first, ...others] = meant;
  const label = keyLabel(key);
  // Of several meanings none is nearer than the others.
  if (others.length > 0)
    return `${label} means nothing here; elsewhere: ${meant.map(({ id }) => id).join(', ')}`;
  if (first !== undefined) {
    const reason = reasonAgainst(first, scene);
    const where = scene.view.kind === 'help' ? 'not in the help: Esc leads back' : 'not in this view';
    return `${label} ("${first.id}"): ${reason ?? where}`;
  }
  return habits[key] ?? `${label} means nothing here; ? lists the keys`;
};
