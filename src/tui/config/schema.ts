import { z } from 'zod';
import { skinNames } from '../draw/skins.ts';
import { surfaces, tones } from '../draw/theme.ts';
import { isCronText } from './cron-text.ts';

/** The shape of `config.json`: everything in it is optional. Published as JSON Schema (`lab config --schema`). */

const colour = z
  .string()
  .regex(/^#[0-9a-fA-F]{6}$/u, 'a colour as #rrggbb')
  .describe('A colour as #rrggbb.');

const tokens = <Name extends string>(names: readonly Name[], what: string) =>
  z
    .strictObject(
      Object.fromEntries(names.map((name) => [name, colour.exactOptional()])) as Record<
        Name,
        z.ZodExactOptional<typeof colour>
      >,
    )
    .describe(what);

const OwnSkin = z.strictObject({
  base: z.enum(skinNames).describe('The skin that gives every token not named here.'),
  page: tokens(tones, 'Tones on the page.').exactOptional(),
  surfaces: tokens(
    surfaces,
    'What lies behind the cursor row, bars, tabs, dialogs and buttons.',
  ).exactOptional(),
  onSurface: tokens(tones, 'Tones on those surfaces.').exactOptional(),
});
export type OwnSkin = z.infer<typeof OwnSkin>;

const SkinChoice = z
  .union([z.enum(['auto', ...skinNames]), OwnSkin])
  .describe(
    'A skin by name, `auto` (by COLORFGBG, where the terminal sets it), or a base with tokens replaced.',
  );
export type SkinChoice = z.infer<typeof SkinChoice>;

export const keyNamePattern =
  /^(?:enter|space|tab|shift-tab|up|down|left|right|pgup|pgdn|home|end|backspace|delete|ctrl-space|ctrl-[a-z\\]|[\x21-\x7e])$/u;

const Key = z
  .string()
  .regex(keyNamePattern, 'a key: one character, or enter, space, tab, up, pgdn, home, ctrl-x …')
  .describe('One printable ASCII character (`D` is Shift-D), or a name such as `enter`, `pgdn`, `ctrl-x`.');

const Cron = z
  .string()
  .max(100)
  .refine((text) => isCronText(text), 'a cron expression, as in "*/30 * * * * *"');

export const ConfigFile = z
  .strictObject({
    $schema: z.string().max(4_096).exactOptional(),
    skin: SkinChoice.exactOptional(),
    labs: z
      .record(z.string().max(4_096), z.strictObject({ skin: SkinChoice.exactOptional() }))
      .describe(
        'What differs for one lab, by its flake as the title bar names it: a skin that tells labs apart.',
      )
      .exactOptional(),
    screenReader: z
      .boolean()
      .describe('Print lines instead of drawing a screen, as --screen-reader does.')
      .exactOptional(),
    refresh: z
      .strictObject({
        observe: Cron.describe(
          'When to look at what the machines run. By default every 30 seconds.',
        ).exactOptional(),
        probe: Cron.describe('When to run the health checks. By default once a minute.').exactOptional(),
      })
      .describe('When the screen looks anew, as cron expressions; with six fields the first are seconds.')
      .exactOptional(),
    keys: z
      .record(z.string().max(64), z.array(Key).max(8))
      .describe(
        'By command, as `?` names it: the keys that mean it instead of its own. An empty list takes them all away.',
      )
      .exactOptional(),
  })
  .describe('Configuration of the screen of lab.');
export type ConfigFile = z.infer<typeof ConfigFile>;

/** The published JSON Schema. */
export const configJsonSchema = (): object => ({
  ...z.toJSONSchema(ConfigFile, { target: 'draft-2020-12' }),
  title: 'lab configuration',
});
