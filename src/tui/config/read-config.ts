import type { z } from 'zod';
import { nearest } from '../../fleet/selector.ts';
import { commands } from '../commands/registry.ts';
import { skinForBackground, skins } from '../draw/skins.ts';
import type { Skin } from '../draw/theme.ts';
import { keyLabel } from '../state/keys.ts';
import type { Settings } from '../state/settings.ts';
import { ConfigFile, type SkinChoice } from './schema.ts';

/** From the text of `config.json` to settings, or to everything that is wrong with it. Pure. */

export type ConfigRead =
  | { readonly ok: true; readonly config: ConfigFile }
  | { readonly ok: false; readonly problems: readonly string[] };

/** `keys.run[0]`, as people write the place of a value. */
const place = (path: readonly PropertyKey[]): string =>
  path.reduce<string>(
    (text, part) =>
      typeof part === 'number' ? `${text}[${part}]` : text === '' ? String(part) : `${text}.${String(part)}`,
    '',
  );

const keysOfSchema = Object.keys(ConfigFile.shape);

const issueWords = (issue: z.core.$ZodIssue): readonly string[] => {
  const where = place(issue.path);
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((key) => {
      const near = where === '' ? nearest(key, keysOfSchema) : null;
      const said = where === '' ? `there is no setting "${key}"` : `${where}: there is no "${key}" in it`;
      return near === null ? said : `${said}; did you mean "${near}"?`;
    });
  if (issue.code === 'invalid_union')
    return [
      `${where}: expected "auto", ${Object.keys(skins)
        .map((name) => `"${name}"`)
        .join(', ')}, or an object with "base" and tokens`,
    ];
  return [
    `${where === '' ? 'the file' : where}: expected ${issue.message.replace(/^Invalid (?:input|option|string): (?:expected )?/u, '')}`,
  ];
};

/** These keep their meaning, whatever a file says: whoever is lost gets back with them. */
const fixedKeys: ReadonlySet<string> = new Set(['esc', 'ctrl-c']);

const keyProblems = (keys: NonNullable<ConfigFile['keys']>): readonly string[] => {
  const ids = commands.map(({ id }) => id);
  const owners = new Map<string, string>();
  return Object.entries(keys).flatMap(([id, wanted]) => {
    if (!ids.includes(id)) {
      const near = nearest(id, ids);
      return [
        `keys.${id}: there is no command "${id}"${near === null ? '; ? lists them' : `; did you mean "${near}"?`}`,
      ];
    }
    return wanted.flatMap((key) => {
      if (fixedKeys.has(key)) return [`keys.${id}: ${keyLabel(key)} keeps its meaning`];
      const owner = owners.get(key);
      owners.set(key, id);
      return owner === undefined || owner === id
        ? []
        : [`keys.${id}: ${keyLabel(key)} already means ${owner}`];
    });
  });
};

export const readConfig = (text: string): ConfigRead => {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return { ok: false, problems: [`it is no JSON: ${why}`] };
  }
  const parsed = ConfigFile.safeParse(value);
  if (!parsed.success) return { ok: false, problems: parsed.error.issues.flatMap(issueWords) };
  const problems = keyProblems(parsed.data.keys ?? {});
  return problems.length > 0 ? { ok: false, problems } : { ok: true, config: parsed.data };
};

const skinOf = (choice: SkinChoice, colorFgBg: string | undefined): Skin => {
  if (choice === 'auto') return skinForBackground(colorFgBg);
  if (typeof choice === 'string') return skins[choice];
  const base = skins[choice.base];
  return {
    name: `${base.name}, changed`,
    page: { ...base.page, ...choice.page },
    surfaces: { ...base.surfaces, ...choice.surfaces },
    onSurface: { ...base.onSurface, ...choice.onSurface },
  };
};

/** What a configuration means for the lab of this flake. */
export const settingsOf = (
  config: ConfigFile,
  surroundings: { readonly flake: string; readonly colorFgBg: string | undefined },
): Settings => {
  const lab = config.labs?.[surroundings.flake];
  return {
    skin: skinOf(lab?.skin ?? config.skin ?? 'auto', surroundings.colorFgBg),
    keys: new Map(Object.entries(config.keys ?? {})),
  };
};
