/** Which Nix answers: the original, Determinate Nix (same numbers) or Lix (numbers of its own, from 2.90). */
export type NixVersion = {
  readonly text: string;
  readonly flavour: 'nix' | 'lix';
  readonly major: number;
  readonly minor: number;
};

/** What differs between versions and matters here. */
export type NixFeatures = {
  /**
   * `FLAKE#.attribute` looks the attribute up without trying `packages.SYSTEM.` first, so that a flake whose
   * `packages` throw can still be listed.
   */
  readonly leadingDot: boolean;
  /** `nix flake update INPUT… --flake REF`; before 2.19 the words were read as flake references. */
  readonly updateNamesInputs: boolean;
};

const versionPattern = /(\d{1,4})\.(\d{1,4})(?:[.\w+-]*)\s*$/u;

/** Reads `nix --version`: `nix (Nix) 2.8.0`, `nix (Determinate Nix 3.8.2) 2.30.1`, `nix (Lix, like Nix) 2.91.1`. */
export const parseNixVersion = (output: string): NixVersion | null => {
  const line = output.slice(0, 1_000).split('\n')[0] ?? '';
  const match = versionPattern.exec(line);
  if (match === null) return null;
  return {
    text: match[0].trim(),
    flavour: /\bLix\b/u.test(line) ? 'lix' : 'nix',
    major: Number(match[1]),
    minor: Number(match[2]),
  };
};

const atLeast = (version: NixVersion, major: number, minor: number): boolean =>
  version.major > major || (version.major === major && version.minor >= minor);

/** The oldest Nix this project was measured on. */
export const oldestNix = { major: 2, minor: 8 } as const;
export const isSupported = (version: NixVersion): boolean =>
  atLeast(version, oldestNix.major, oldestNix.minor);

/** Without a known version the forms that every version accepts are used. */
export const featuresOf = (version: NixVersion | null): NixFeatures => {
  if (version === null) return { leadingDot: false, updateNamesInputs: false };
  // Lix left at 2.18 and took the new update command over; the dot is not needed where nothing throws.
  if (version.flavour === 'lix') return { leadingDot: false, updateNamesInputs: true };
  return { leadingDot: atLeast(version, 2, 26), updateNamesInputs: atLeast(version, 2, 19) };
};
