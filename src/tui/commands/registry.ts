import { nearest } from '../../fleet/selector.ts';
import type { HelpEntry } from '../screen/help.ts';
import { type KeyName, keyLabel } from '../state/keys.ts';
import type { Scene } from '../state/scene.ts';
import { type Act, notice } from '../state/ui.ts';
import { beginCommands } from './begin.ts';
import { type Command, commandGroups, reasonAgainst } from './command.ts';
import { findCommands } from './find.ts';
import { goCommands } from './go.ts';
import { commandsOfKey, keysOfCommand } from './keymap.ts';
import { listCommands } from './list.ts';
import { logCommands } from './logs.ts';
import { lookCommands } from './look.ts';
import { machineCommands } from './machine.ts';
import { moveCommands } from './move.ts';
import { overrideCommands } from './override.ts';
import { pastCommands } from './past.ts';
import { screenCommands } from './screen.ts';
import { steerCommands } from './steer.ts';
import { wordsOnUnbound } from './unbound.ts';

/** Everything a person can do. Where two commands share a key, the first whose `when` holds has it. */
export const commands: readonly Command[] = [
  ...steerCommands,
  ...overrideCommands,
  ...beginCommands,
  ...pastCommands,
  ...goCommands,
  ...listCommands,
  ...machineCommands,
  ...logCommands,
  ...findCommands,
  ...lookCommands,
  ...moveCommands,
  ...screenCommands,
];

/** Does it, or says why not. */
export const attempt = (wanted: Command, scene: Scene, argument: string): readonly Act[] => {
  const reason = reasonAgainst(wanted, scene, argument);
  return reason === null ? wanted.run(scene, argument) : [notice(`${wanted.id}: ${reason}`)];
};

/** What a key does here; a disabled command answers with its reason, a key without meaning with a word on it. */
export const actsOfKey = (key: KeyName, scene: Scene): readonly Act[] => {
  const meant = commandsOfKey(commands, key, scene.settings);
  const wanted = meant.find(({ when }) => when(scene));
  return wanted === undefined
    ? [notice(wordsOnUnbound(key, meant, scene), 'quiet')]
    : attempt(wanted, scene, '');
};

const namesOf = ({ id, aliases }: Command): readonly string[] => [id, ...aliases];

const findCommand = (name: string): Command | 'none' | 'several' => {
  const exact = commands.find((candidate) => namesOf(candidate).includes(name));
  if (exact !== undefined) return exact;
  const starting = commands.filter((candidate) => namesOf(candidate).some((text) => text.startsWith(name)));
  return starting.length === 1 ? (starting[0] ?? 'none') : starting.length === 0 ? 'none' : 'several';
};

const split = (
  text: string,
): { readonly name: string; readonly argument: string; readonly spaced: boolean } => {
  const [, name = '', gap = '', argument = ''] = /^\s*(\S*)(\s*)(.*)$/u.exec(text) ?? [];
  return { name, argument: argument.trim(), spaced: gap !== '' };
};

/** Whether a line names a command. */
export const isCommandLine = (text: string): boolean => typeof findCommand(split(text).name) !== 'string';

/** What a line typed after `:` does. A name may be shortened as long as it stays clear. */
export const actsOfCommandLine = (text: string, scene: Scene): readonly Act[] => {
  const { name, argument } = split(text);
  if (name === '') return [];
  const found = findCommand(name);
  if (found === 'several') return [notice(`"${name}" could be ${completionsOf(name, scene).join(', ')}`)];
  if (found === 'none') {
    const near = nearest(name, commands.flatMap(namesOf));
    return [
      notice(
        near === null
          ? `there is no command "${name}"; ? lists them`
          : `there is no command "${name}"; did you mean "${near}"?`,
      ),
    ];
  }
  return attempt(found, scene, argument);
};

/** What the line typed so far could become: names of commands, then words that can follow one. */
export const completionsOf = (text: string, scene: Scene): readonly string[] => {
  const { name, argument, spaced } = split(text);
  if (!spaced)
    return commands
      .flatMap((candidate) =>
        namesOf(candidate)
          .filter((word) => word.startsWith(name))
          .slice(0, 1),
      )
      .sort();
  const found = findCommand(name);
  if (found === 'none' || found === 'several') return [];
  const last = argument.split(/\s+/u).at(-1) ?? '';
  return found.completions(scene).filter((word) => word.startsWith(last));
};

const commonStart = (words: readonly string[]): string =>
  words.reduce((start, word) => {
    let length = 0;
    while (length < start.length && start[length] === word[length]) length += 1;
    return start.slice(0, length);
  });

const headOf = (text: string): string => text.slice(0, text.length - (/\S*$/u.exec(text)?.[0].length ?? 0));

/** The whole lines that a line typed so far could become. */
export const linesOf = (text: string, scene: Scene): readonly string[] =>
  completionsOf(text, scene).map((word) => `${headOf(text)}${word}`);

/** What the command that is being typed does, and why it cannot be done now; null while it is not clear which. */
export const meaningOf = (text: string, scene: Scene): string | null => {
  const { name, argument } = split(text);
  const found = name === '' ? 'none' : findCommand(name);
  if (found === 'none' || found === 'several') return null;
  const reason = reasonAgainst(found, scene, argument);
  return `${found.title}${reason === null ? '' : ` (not now: ${reason})`}`;
};

/** The line after Tab: completed as far as it is clear. */
export const completed = (text: string, scene: Scene): string => {
  const words = completionsOf(text, scene);
  if (words.length === 0) return text;
  const start = commonStart(words);
  return `${headOf(text)}${start}${words.length === 1 ? ' ' : ''}`;
};

/** What a read-only screen refuses is among the help, with the reason, and is nowhere offered. */
const offeredHere = (candidate: Command, scene: Scene): ReturnType<Command['hint']> =>
  candidate.when(scene) && !(candidate.danger !== 'none' && scene.readonly) ? candidate.hint(scene) : null;

export type Hint = { readonly key: string; readonly text: string; readonly disabled: boolean };

/** What the hint bar offers here, the most useful first. */
export const hintsOf = (scene: Scene): readonly Hint[] =>
  commands
    .flatMap((candidate) => {
      const [key] = keysOfCommand(candidate, scene.settings);
      const offered = offeredHere(candidate, scene);
      return offered === null || key === undefined
        ? []
        : [{ ...offered, key: keyLabel(key), disabled: reasonAgainst(candidate, scene) !== null }];
    })
    .sort((a, b) => a.rank - b.rank);

/** Places first among what leads somewhere, in the order of their digits. */
const byGroup: readonly Command[] = [...goCommands, ...commands.filter((one) => !goCommands.includes(one))];

/** The help screen, group by group. */
export const helpOf = (scene: Scene): readonly HelpEntry[] =>
  commandGroups.flatMap((group) =>
    byGroup
      .filter((candidate) => candidate.group === group)
      .map((candidate) => ({
        group,
        keys: keysOfCommand(candidate, scene.settings).slice(0, 3).map(keyLabel).join(' '),
        name: candidate.id,
        aliases: candidate.aliases.filter((alias) => alias !== candidate.id),
        title: candidate.title,
        disabled: reasonAgainst(candidate, scene),
        here: offeredHere(candidate, scene),
      })),
  );
