import type { KeyName } from '../state/keys.ts';
import type { Scene } from '../state/scene.ts';
import type { Act } from '../state/ui.ts';

export const commandGroups = ['Go to', 'Move', 'List', 'Machine', 'Run', 'Screen'] as const;

/**
 * One thing a person can do. The registry of these is the only source of the keymap, the hint bar, the help screen,
 * and the commands after `:`.
 */
export type Command = {
  /** Its name after `:`. */
  readonly id: string;
  readonly aliases: readonly string[];
  readonly group: (typeof commandGroups)[number];
  /** What it does, for the help screen. */
  readonly title: string;
  /** Keys that mean it, wherever `when` holds; the first is the one shown. */
  readonly keys: readonly KeyName[];
  /** Where its keys mean this and the hint bar may offer it. `:` finds it everywhere. */
  readonly when: (scene: Scene) => boolean;
  /** In the hint bar: a word, and its place from the left. Null keeps it out. */
  readonly hint: (scene: Scene) => { readonly text: string; readonly rank: number } | null;
  /** `changes`: leads to changes of the flake or of machines, so a read-only screen refuses it. */
  readonly danger: 'none' | 'changes';
  /** Why it cannot be done now, as a sentence; null when it can. `argument` as for `run`. */
  readonly disabledReason: (scene: Scene, argument: string) => string | null;
  /** `argument` is what stood after the name; empty for a key. */
  readonly run: (scene: Scene, argument: string) => readonly Act[];
  /** Words that can stand after the name. */
  readonly completions: (scene: Scene) => readonly string[];
};

const defaults = {
  aliases: [],
  keys: [],
  when: () => true,
  hint: () => null,
  danger: 'none',
  disabledReason: () => null,
  completions: () => [],
} as const;

type Given = Pick<Command, 'id' | 'group' | 'title' | 'run'> & Partial<Command>;

export const command = (given: Given): Command => ({ ...defaults, ...given });

export const hint = (text: string, rank: number) => () => ({ text, rank });

/** Why a command cannot be done now, read-only screens included. */
export const reasonAgainst = (wanted: Command, scene: Scene, argument = ''): string | null =>
  wanted.danger !== 'none' && scene.readonly
    ? 'this screen was opened read-only'
    : wanted.disabledReason(scene, argument);
