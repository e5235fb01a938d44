import { z } from 'zod';
import { limits } from '../fleet/limits.ts';
import { type NixEvent, withoutColours } from './internal-json.ts';

/** What the fleet expression says through `builtins.trace` while it evaluates. */
export type Marker =
  | { readonly kind: 'names'; readonly names: readonly string[]; readonly first: readonly string[] }
  | { readonly kind: 'begin'; readonly name: string }
  /** `json` is the text of the record. */
  | { readonly kind: 'ok'; readonly name: string; readonly json: string };

/** Attribute names are read generously: those that cannot be machine names are reported, not dropped. */
const Names = z.object({
  names: z.array(z.string().max(limits.textLengthMax)).max(20 * limits.machinesMax),
  first: z.array(z.string().max(limits.nameLengthMax)).max(limits.machinesMax),
});

const markerAt = '@lab ';
/** A trace begins with its label, which newer versions may colour. */
const labelCharsMax = 40;

/** The marker that a message carries, or null. Names in markers hold no spaces: others are never asked for. */
export const markerOf = (event: NixEvent): Marker | null => {
  if (event.kind !== 'message' || event.raw !== null) return null;
  const at = event.text.indexOf(markerAt);
  if (at === -1 || at > labelCharsMax || withoutColours(event.text.slice(0, at)) !== 'trace: ') return null;
  const words = event.text.slice(at + markerAt.length);
  const space = words.indexOf(' ');
  const verb = words.slice(0, space);
  const rest = words.slice(space + 1);
  switch (verb) {
    case 'begin':
      return { kind: 'begin', name: withoutColours(rest).trim() };
    case 'ok': {
      const end = rest.indexOf(' ');
      return end === -1 ? null : { kind: 'ok', name: rest.slice(0, end), json: rest.slice(end + 1) };
    }
    case 'names': {
      try {
        const names = Names.safeParse(JSON.parse(rest));
        return names.success ? { kind: 'names', ...names.data } : null;
      } catch {
        return null;
      }
    }
    default:
      return null;
  }
};

/** The machine that an error's trace names (`@lab host NAME`, innermost first), or null where traces are hidden. */
export const hostOf = (event: NixEvent): string | null => {
  if (event.kind !== 'message') return null;
  return /@lab host ([A-Za-z0-9_][A-Za-z0-9_.-]*)/u.exec(withoutColours(event.text))?.[1] ?? null;
};

const inputsNamedMax = 1_000;

/**
 * The inputs that Nix says it locked only in memory, by path from the root: the lock file lacks them, or an
 * override took their place.
 */
export const inputsLockedInMemory = (event: NixEvent): readonly string[] => {
  if (event.kind !== 'message' || !event.text.includes('not writing modified lock file')) return [];
  return [...withoutColours(event.text).matchAll(/• \w+ input '([^'\n]{1,300})'/gu)]
    .slice(0, inputsNamedMax)
    .map((match) => match[1] ?? '');
};
