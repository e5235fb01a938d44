import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { type ConfigRead, readConfig, settingsOf } from '../tui/config/read-config.ts';
import type { Settings } from '../tui/state/settings.ts';
import { type LookExpressions, type LookTimes, lookDefaults } from './look-schedule.ts';
import type { Surroundings } from './surroundings.ts';

/** The configuration of the screen on disk: found, read, and read anew when it changes. */

/** A file larger than this is no configuration. */
const configCharsMax = 256 * 1024;
/** How often the file is read again: by name, so that editors which replace it are noticed too. */
const lookEveryMs = 1_000;

export const configPathOf = (env: Surroundings['env']): string =>
  join(env.XDG_CONFIG_HOME || join(env.HOME ?? homedir(), '.config'), 'lab', 'config.json');

/** What the file says; null where there is none. */
export const readConfigFile = (path: string): ConfigRead | null => {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    return { ok: false, problems: [error instanceof Error ? error.message : String(error)] };
  }
  return text.length > configCharsMax
    ? { ok: false, problems: [`it is larger than ${configCharsMax / 1_024} KiB`] }
    : readConfig(text);
};

/** All problems in one line, for the place where the screen tells news. */
const problemLine = (path: string, problems: readonly string[]): string =>
  `${path}: ${problems.slice(0, 3).join('; ')}${problems.length > 3 ? `; and ${problems.length - 3} more` : ''} (\`lab config\` lists everything)`;

export type OpenConfig = {
  readonly screenReader: boolean;
  /** When the lab is looked at. */
  readonly looks: LookTimes;
  readonly settings: Settings;
  /** What is wrong with the file, in one line: then the defaults hold. */
  readonly problem: string | null;
  /** Tells of every change of the file, until the returned function is called. A broken file changes no setting. */
  readonly watch: (listener: (news: Settings | { readonly problem: string }) => void) => () => void;
};

/** Tells every value of `read` that differs from the one before, until the returned function is called. */
const tellChanges = <Value>(first: Value, read: () => Value, listener: (news: Value) => void) => {
  let before = first;
  const look = (): void => {
    const news = read();
    if (isDeepStrictEqual(news, before)) return;
    before = news;
    listener(news);
  };
  // Not by its date: a change between the first reading and the first look at the date would never be told.
  const timer = setInterval(look, lookEveryMs).unref();
  return () => clearInterval(timer);
};

/** The settings for the lab of this flake. */
export const openConfig = (env: Surroundings['env'], flake: string): OpenConfig => {
  const path = configPathOf(env);
  const around = { flake, colorFgBg: env.COLORFGBG };
  const now = (): Settings | { readonly problem: string } => {
    const read = readConfigFile(path);
    if (read === null) return settingsOf({}, around);
    return read.ok ? settingsOf(read.config, around) : { problem: problemLine(path, read.problems) };
  };
  const file = readConfigFile(path);
  const looksOf = (read: ConfigRead | null): LookExpressions => ({
    ...lookDefaults,
    ...(read?.ok === true ? read.config.refresh : {}),
  });
  let looks = looksOf(file);
  const looksNow = (): LookExpressions => {
    const read = readConfigFile(path);
    if (read === null || read.ok) looks = looksOf(read);
    return looks;
  };
  const first = now();
  const broken = 'problem' in first;
  return {
    screenReader: file?.ok === true && file.config.screenReader === true,
    looks: { first: looks, watch: (listener) => tellChanges(looks, looksNow, listener) },
    settings: broken ? settingsOf({}, around) : first,
    problem: broken ? first.problem : null,
    watch: (listener) => tellChanges<Settings | { readonly problem: string }>(first, now, listener),
  };
};
