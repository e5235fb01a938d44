import { fuzzyScore } from '../state/fuzzy.ts';
import { keyLabel } from '../state/keys.ts';
import type { Scene } from '../state/scene.ts';
import type { Act } from '../state/ui.ts';
import { reasonAgainst } from './command.ts';
import { keysOfCommand } from './keymap.ts';
import { attempt, commands } from './registry.ts';

/** Everything that can be done or opened, found by typing a few letters of it. */
export type PaletteEntry = {
  readonly name: string;
  readonly title: string;
  readonly key: string;
  /** Why it cannot be done now; null when it can. */
  readonly disabled: string | null;
  readonly acts: (scene: Scene) => readonly Act[];
};

const entriesMax = 200;

const commandEntries = (scene: Scene): readonly PaletteEntry[] =>
  commands
    .filter(({ id, group }) => group !== 'Move' && id !== 'palette')
    .map((command) => {
      const [key] = keysOfCommand(command, scene.settings);
      return {
        name: command.id,
        title: command.title,
        key: key === undefined ? '' : keyLabel(key),
        disabled: reasonAgainst(command, scene),
        acts: (now) => attempt(command, now, ''),
      };
    });

const machineEntries = ({ rows }: Scene): readonly PaletteEntry[] =>
  rows.map(({ name, role, state }) => ({
    name,
    title: ['machine', role, state.text].filter((text) => text !== '').join(', '),
    key: '',
    disabled: null,
    acts: () => [{ kind: 'go', view: { kind: 'machine', name, tab: 'overview' } }],
  }));

/** What the letters typed so far find, the best first. Without letters: all commands, as `?` orders them. */
export const paletteEntries = (text: string, scene: Scene): readonly PaletteEntry[] => {
  const wanted = text.trim().toLowerCase();
  if (wanted === '') return commandEntries(scene);
  return [...commandEntries(scene), ...machineEntries(scene)]
    .flatMap((entry) => {
      const byName = fuzzyScore(wanted, entry.name.toLowerCase());
      const titleText = entry.title.toLowerCase();
      // In a sentence only whole runs of letters count: single letters are found in any.
      const byTitle = titleText.includes(wanted) ? 100 - titleText.indexOf(wanted) / 10 : null;
      const score = Math.max(byName ?? Number.NEGATIVE_INFINITY, byTitle ?? Number.NEGATIVE_INFINITY);
      return Number.isFinite(score) ? [{ entry, score: score - (entry.disabled === null ? 0 : 0.5) }] : [];
    })
    .sort((a, b) => b.score - a.score)
    .slice(0, entriesMax)
    .map(({ entry }) => entry);
};
