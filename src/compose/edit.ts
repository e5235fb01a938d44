import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Failure } from '../failure.ts';
import { withoutPasswords } from '../text/passwords.ts';

/** Which file holds the configuration of a machine, and the editor that opens it. */

const failure = (machine: string, message: string, remedy: string): Failure => ({
  kind: 'edit',
  machine,
  phase: 'edit',
  message,
  remedy,
});

/** Where people keep the configuration of one machine, the likeliest first. */
const placesOf = (machine: string): readonly string[] =>
  ['hosts', 'machines', 'nixos', 'systems'].flatMap((folder) => [
    join(folder, machine, 'configuration.nix'),
    join(folder, machine, 'default.nix'),
    join(folder, `${machine}.nix`),
  ]);

/** The folder of a local flake, or null for one that lies elsewhere. */
const folderOf = (flake: string, cwd: string): string | null => {
  const [plain = ''] = flake.replace(/^(?:path|git\+file):(?:\/\/)?/u, '').split(/[?#]/u);
  return /^[a-z][a-z0-9+.-]*:/iu.test(plain) ? null : resolve(cwd, plain);
};

export const editArgv = (
  machine: string,
  around: {
    readonly flake: string;
    readonly cwd: string;
    readonly env: Readonly<Record<string, string | undefined>>;
  },
): readonly string[] | Failure => {
  const folder = folderOf(around.flake, around.cwd);
  if (folder === null)
    return failure(
      machine,
      `${withoutPasswords(around.flake)} is no folder of this machine`,
      'edit it where it lies',
    );
  const path = [...placesOf(machine), 'flake.nix']
    .map((place) => join(folder, place))
    .find((candidate) => existsSync(candidate));
  if (path === undefined)
    return failure(machine, `${folder} holds no flake.nix`, 'open lab with --flake DIR');
  // Editors are set with options (`code --wait`): words, never a shell's line.
  const editor = (around.env.VISUAL || around.env.EDITOR || 'vi').split(/\s+/u).filter((word) => word !== '');
  return [...editor, path];
};
