import type { KeyName } from '../state/keys.ts';
import type { Settings } from '../state/settings.ts';
import type { Command } from './command.ts';

/** Which keys mean which command: the commands' own, and what the configuration says instead. */

/** Keys that mean this command now, the one to show first. */
export const keysOfCommand = (command: Command, { keys }: Settings): readonly KeyName[] =>
  keys.get(command.id) ?? command.keys;

/** The commands of a key, those first that the configuration gives it to. */
export const commandsOfKey = (
  commands: readonly Command[],
  key: KeyName,
  settings: Settings,
): readonly Command[] => {
  const meant = commands.filter((command) => keysOfCommand(command, settings).includes(key));
  const chosen = meant.filter(({ id }) => settings.keys.has(id));
  return [...chosen, ...meant.filter((command) => !chosen.includes(command))];
};
