import { type Command, InvalidArgumentError, Option } from 'commander';

/**
 * What commands are declared with. The modules of `commands/` say what there is and are loaded whatever `lab` is
 * asked, also for `--help`; what commands do stands in `deeds/`, loaded when it is done.
 */

/** The optional selectors that most commands take, for commander. */
export const selectorArgument = [
  '[selectors...]',
  'machines: name, glob, @group, role:NAME, !not (default: all)',
] as const;

/** `NAME=URL`; the two-word form of Nix is joined by `joinPairs` before commander sees it. */
const pair = (text: string): readonly [string, string] => {
  const at = text.indexOf('=');
  if (at < 1 || at === text.length - 1) throw new InvalidArgumentError('expected two words: NAME VALUE');
  return [text.slice(0, at), text.slice(at + 1)];
};

export const withFlake = (command: Command): Command =>
  withFlakeAlone(command).option('--json', 'print one JSON document instead of text', false);

/** For commands that print no document: a `--json` would promise one. */
export const withFlakeAlone = (command: Command): Command =>
  command
    .addOption(
      new Option('--flake <ref>', 'the flake: a folder or a flake URL').env('LAB_FLAKE').default('.'),
    )
    .addOption(
      new Option('--override-input <name url>', 'hand this override to Nix (repeatable)')
        .default([], 'none')
        .argParser((text: string, all: readonly { name: string; url: string }[]) => {
          const [name, url] = pair(text);
          return [...all, { name, url }];
        }),
    )
    .addOption(
      new Option('--nix-option <name value>', 'hand `--option NAME VALUE` to Nix (repeatable)')
        .default([], 'none')
        .argParser((text: string, all: readonly { name: string; value: string }[]) => {
          const [name, value] = pair(text);
          return [...all, { name, value }];
        }),
    )
    .addOption(
      new Option('--ssh-config <file>', 'ssh_config to use instead of your own').env('LAB_SSH_CONFIG'),
    )
    .option('--refresh', 'evaluate anew even where the cache knows', false);

/** Options that take two words after them, as in Nix: joined into `--option=A=B` so that commander sees one value. */
const pairOptions: ReadonlySet<string> = new Set(['--override-input', '--nix-option']);

export const joinPairs = (argv: readonly string[]): readonly string[] => {
  const joined: string[] = [];
  const end = argv.indexOf('--');
  for (let index = 0; index < argv.length; index += 1) {
    const word = argv[index] ?? '';
    const inOptions = end === -1 || index < end;
    const [first, second] = [argv[index + 1], argv[index + 2]];
    if (
      inOptions &&
      pairOptions.has(word) &&
      first !== undefined &&
      second !== undefined &&
      !second.startsWith('--')
    ) {
      joined.push(`${word}=${first}=${second}`);
      index += 2;
    } else joined.push(word);
  }
  return joined;
};
