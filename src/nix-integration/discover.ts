import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Machine } from '../fleet/machine.ts';
import type { Discrepancy } from '../ports.ts';
import { sanitiseLine } from '../text/sanitise.ts';
import { directoryOf, type FlakeRef } from './flake-ref.ts';

const foldersMax = 2_000;

const isFolder = async (path: string): Promise<boolean> => {
  try {
    return (await stat(path)).isDirectory();
  } catch {
    return false;
  }
};

/** The folders in `hosts/` of a local flake; null where there is no such folder to compare with. Files are no machines. */
export const hostFolders = async (flake: FlakeRef): Promise<readonly string[] | null> => {
  const directory = directoryOf(flake);
  if (directory === null) return null;
  const hosts = join(directory, 'hosts');
  try {
    const entries = await readdir(hosts, { withFileTypes: true });
    const named = entries.filter(({ name }) => !name.startsWith('.')).slice(0, foldersMax);
    const folders = await Promise.all(
      named.map(async (entry) =>
        entry.isDirectory() || (entry.isSymbolicLink() && (await isFolder(join(hosts, entry.name))))
          ? [entry.name]
          : [],
      ),
    );
    return folders.flat().sort();
  } catch {
    return null;
  }
};

export type Seen = {
  readonly flake: FlakeRef;
  /** Names in nixosConfigurations, usable or not. */
  readonly names: readonly string[];
  readonly machines: readonly Machine[];
  readonly withoutModule: readonly string[];
  readonly folders: readonly string[] | null;
  /** Inputs that the lock file does not settle, overridden ones left out. */
  readonly unlocked: readonly string[];
};

/** Differences between the flake, the folder `hosts/` and the host names, sorted by machine. */
export const discrepanciesOf = ({
  flake,
  names,
  machines,
  withoutModule,
  folders,
  unlocked,
}: Seen): readonly Discrepancy[] => {
  const word = (name: string) => sanitiseLine(name, 80);
  const found: Discrepancy[] = [];
  for (const folder of folders ?? []) {
    if (names.includes(folder)) continue;
    found.push({
      kind: 'folder-without-configuration',
      machine: word(folder),
      message:
        `hosts/${word(folder)} has no nixosConfigurations.${word(folder)}` +
        (flake.kind === 'git' ? ` (if it is new: git add -N hosts/${word(folder)})` : ''),
    });
  }
  for (const name of folders === null ? [] : names) {
    if (folders?.includes(name) === true) continue;
    found.push({
      kind: 'configuration-without-folder',
      machine: word(name),
      message: `nixosConfigurations.${word(name)} has no folder hosts/${word(name)}`,
    });
  }
  for (const { name, hostName } of machines) {
    if (hostName === name || hostName === '') continue;
    found.push({
      kind: 'hostname-differs',
      machine: name,
      message: `nixosConfigurations.${name} calls itself ${word(hostName)} (networking.hostName)`,
    });
  }
  for (const name of withoutModule) {
    found.push({
      kind: 'without-lab-module',
      machine: name,
      message: `nixosConfigurations.${name} does not import the lab module: the defaults of lab.machine hold for it`,
    });
  }
  found.sort((a, b) => (a.machine < b.machine ? -1 : a.machine > b.machine ? 1 : 0));
  if (unlocked.length > 0) {
    found.push({
      kind: 'slow-flake',
      machine: '',
      message: `flake.lock does not settle ${unlocked.slice(0, 5).map(word).join(', ')}: Nix looks it up anew at every call, and may find another each time (nix flake lock)`,
    });
  }
  if (flake.kind === 'directory') {
    found.push({
      kind: 'slow-flake',
      machine: '',
      message: `${sanitiseLine(flake.directory)} is not read through git: Nix copies the whole folder at every call (git init, git add, and give the folder without path:)`,
    });
  }
  return found;
};
