import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { configPathOf, openConfig } from '../../src/compose/config-file.ts';
import { type LookExpressions, lookDefaults } from '../../src/compose/look-schedule.ts';
import { tellConfig } from '../../src/compose/tell-config.ts';
import { skins } from '../../src/tui/draw/skins.ts';
import type { Settings } from '../../src/tui/state/settings.ts';

const home = (): { readonly env: Record<string, string>; readonly write: (text: string) => void } => {
  const folder = mkdtempSync(join(tmpdir(), 'lab-config-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const env = { XDG_CONFIG_HOME: folder };
  mkdirSync(join(folder, 'lab'));
  return {
    env,
    // As editors do it: a new file in place of the old one.
    write: (text) => {
      writeFileSync(join(folder, 'new'), text);
      renameSync(join(folder, 'new'), configPathOf(env));
    },
  };
};

const told = (what: 'check' | 'schema' | 'example', env: Record<string, string>) => {
  let text = '';
  const add = (more: string): void => {
    text += more;
  };
  return { code: tellConfig(what, env, { out: add, err: add }), text };
};

test('without a file the defaults hold', () => {
  const { env } = home();
  expect(openConfig(env, '/etc/nixos')).toMatchObject({ problem: null, settings: { skin: skins.harbour } });
  expect(told('check', env)).toMatchObject({ code: 0, text: /does not exist: the defaults hold/u });
});

test('a broken file changes nothing, and says what is wrong with it', () => {
  const { env, write } = home();
  write('{"skin":"neon"}');
  const config = openConfig(env, '/etc/nixos');
  expect(config.settings.skin).toBe(skins.harbour);
  expect(config.problem).toMatch(/lab\/config\.json: skin: expected "auto".*`lab config` lists everything/u);
  expect(told('check', env)).toMatchObject({ code: 2, text: /✖ skin: expected/u });
});

test('a change is told, and so is what is wrong with it; deleting the file brings the defaults back', async () => {
  const { env, write } = home();
  write('{"skin":"paper"}');
  const config = openConfig(env, '/etc/nixos');
  expect(config.settings.skin).toBe(skins.paper);
  const news: (Settings | { readonly problem: string })[] = [];
  onTestFinished(config.watch((item) => void news.push(item)));
  write('{"skin":"ember","keys":{}}');
  await expect.poll(() => news.at(-1)).toMatchObject({ skin: skins.ember });
  write('{"skin":');
  await expect.poll(() => news.at(-1)).toMatchObject({ problem: /no JSON/u });
  rmSync(configPathOf(env));
  await expect.poll(() => news.at(-1)).toMatchObject({ skin: skins.harbour });
});

test('other times of looking are told; a broken file leaves them as they are', async () => {
  const { env, write } = home();
  write('{"refresh":{"observe":"*/5 * * * * *"}}');
  const { looks } = openConfig(env, '/etc/nixos');
  expect(looks.first).toEqual({ observe: '*/5 * * * * *', probe: lookDefaults.probe });
  const news: LookExpressions[] = [];
  onTestFinished(looks.watch((item) => void news.push(item)));
  write('{"refresh":{"observe":"whenever"}}');
  await expect.poll(() => openConfig(env, '/etc/nixos').problem).toMatch(/refresh/u);
  write('{"refresh":{"observe":"*/5 * * * * *","probe":"30 * * * * *"}}');
  await expect.poll(() => news).toEqual([{ observe: '*/5 * * * * *', probe: '30 * * * * *' }]);
  rmSync(configPathOf(env));
  await expect.poll(() => news.at(-1)).toEqual(lookDefaults);
});

test('the example that is printed is a good configuration', () => {
  const { env, write } = home();
  write(told('example', env).text);
  expect(told('check', env)).toMatchObject({ code: 0, text: /nothing is wrong/u });
});
