import { skins } from '../draw/skins.ts';
import type { Skin } from '../draw/theme.ts';
import type { KeyName } from './keys.ts';

/** What a person has chosen for the screen, as it holds now: it may change while the screen is open. */
export type Settings = {
  readonly skin: Skin;
  /** By command id: the keys that mean it instead of its own. They win over keys that commands have by themselves. */
  readonly keys: ReadonlyMap<string, readonly KeyName[]>;
};

export const defaultSettings: Settings = { skin: skins.harbour, keys: new Map() };
