/** A trouble that Nix meets often, what gives it away, and what helps. */
export type Trouble = {
  readonly kind: string;
  readonly pattern: RegExp;
  /** In place of Nix's own words where those are hard to read. */
  readonly message?: string;
  readonly remedy: string;
};

/** Known troubles: what Nix says, and what helps. The first that matches counts. */
const known: readonly Trouble[] = [
  {
    kind: 'git-missing',
    pattern: /executing 'git': No such file or directory/u,
    message: 'git is not installed here, or not in PATH, and the flake is in a repository.',
    remedy: 'Install git, or add it to PATH.',
  },
  {
    kind: 'nix-experimental',
    pattern: /experimental Nix feature/u,
    remedy: 'The flake uses a feature that is off: add it to experimental-features in nix.conf.',
  },
  {
    kind: 'foreign-repository',
    pattern: /not owned by current user|dubious ownership|safe\.directory/u,
    remedy: 'Run lab as the owner of the repository, or: git config --global --add safe.directory REPOSITORY',
  },
  {
    kind: 'untracked',
    pattern: /is not tracked by Git|does not contain a '\/?[^']*flake\.nix' file/u,
    remedy: 'Git does not track the file, so Nix does not see it: git add -N FILE',
  },
  {
    kind: 'not-a-flake',
    pattern:
      /could not find a flake\.nix|is not a flake|does not contain a 'flake\.nix'|flake\.nix' must be an attribute set/u,
    remedy: 'Give --flake the folder that holds flake.nix.',
  },
  {
    kind: 'no-outputs',
    pattern: /lacks attribute 'outputs'/u,
    message: 'flake.nix has no outputs.',
    remedy: 'Declare outputs in flake.nix, and in them the machines as nixosConfigurations.',
  },
  {
    kind: 'no-configurations',
    pattern: /does not provide attribute .*nixosConfigurations/su,
    message: 'The flake has no nixosConfigurations.',
    remedy: 'Declare the machines in the flake output nixosConfigurations.',
  },
  {
    kind: 'syntax',
    pattern: /^syntax error/u,
    remedy: 'Correct the file there.',
  },
  {
    kind: 'flake-reference',
    pattern: /is not a valid URL|is not an absolute path/u,
    remedy: 'This Nix reads only plain characters in paths: rename the folder.',
  },
  {
    kind: 'import-from-derivation',
    pattern: /import-from-derivation|allow-import-from-derivation/u,
    remedy: 'The configuration builds something while it is evaluated: allow-import-from-derivation is off.',
  },
  {
    kind: 'build-users',
    pattern: /build-users-group|the group '[^']*' specified/u,
    remedy:
      'Create the group nixbld with its users, as the Nix installer does, or set build-users-group to nothing in nix.conf.',
  },
  {
    kind: 'read-only',
    pattern: /Read-only file system|remounting \S+ writable/u,
    remedy:
      'Where Nix writes is read-only: its store, or the folder of the flake. `mount` and the kernel log say why.',
  },
  {
    kind: 'json',
    pattern: /json\.exception\.parse_error/u,
    remedy:
      'A JSON file is damaged, most likely flake.lock after a merge: `git diff flake.lock`, then restore it and lock again.',
  },
  {
    kind: 'nix-store',
    pattern:
      /(?:opening lock file|creating directory|cannot open|cannot connect to).*(?:\/nix\/|daemon-socket|big-lock)/su,
    remedy: 'This user may not use the Nix store: start nix-daemon, or run as a user it serves.',
  },
  {
    kind: 'signature',
    pattern: /lacks a (?:valid )?signature|lacks a signature by a trusted key/u,
    remedy: 'The machine does not trust this sender: deploy as root, or name the user in its trusted-users.',
  },
  {
    kind: 'network',
    pattern: /unable to download|Could(?:n't| not) resolve host|Connection timed out|Network is unreachable/u,
    remedy: 'Check the network of this machine, then try again.',
  },
  {
    kind: 'disk-full',
    pattern: /No space left on device|disk full/u,
    remedy: 'Free space where Nix writes: in its store (nix-collect-garbage), or in the temporary folder.',
  },
  {
    kind: 'hash-mismatch',
    pattern: /hash mismatch/u,
    remedy: 'An input is not what the lock file says: update that input, or restore it.',
  },
  {
    kind: 'infinite-recursion',
    pattern: /infinite recursion|stack overflow|max-call-depth/u,
    remedy: 'A value of the configuration depends on itself: look at what was changed last.',
  },
];

/** The trouble that an error of Nix is an instance of, or null. */
export const troubleIn = (text: string): Trouble | null =>
  known.find(({ pattern }) => pattern.test(text)) ?? null;
