import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import cron from 'node-cron';
import { describe, expect, test } from 'vitest';
import { isCronText } from '../../../src/tui/config/cron-text.ts';
import { readConfig, settingsOf } from '../../../src/tui/config/read-config.ts';
import { configJsonSchema } from '../../../src/tui/config/schema.ts';
import { skins } from '../../../src/tui/draw/skins.ts';

const problemsOf = (text: string): readonly string[] => {
  const read = readConfig(text);
  return read.ok ? [] : read.problems;
};
const settings = (config: object, flake = '/etc/nixos', colorFgBg?: string) => {
  const read = readConfig(JSON.stringify(config));
  if (!read.ok) throw new Error(read.problems.join());
  return settingsOf(read.config, { flake, colorFgBg });
};

describe('a configuration that is wrong says where and what was expected', () => {
  test.each([
    ['{', 'it is no JSON: Expected property name'],
    ['[]', 'the file: expected object'],
    ['{"skn":"paper"}', 'there is no setting "skn"; did you mean "skin"?'],
    ['{"skin":"solarized"}', 'skin: expected "auto", "harbour", "ember", "paper", or an object'],
    ['{"skin":{"base":"paper","page":{"bad":"red"}}}', 'skin.page.bad: expected a colour as #rrggbb'],
    ['{"skin":{"base":"paper","page":{"bda":"#aa0000"}}}', 'skin.page: there is no "bda" in it'],
    ['{"keys":{"run":["f12"]}}', 'keys.run[0]: expected a key: one character'],
    ['{"keys":{"rebot":["x"]}}', 'keys.rebot: there is no command "rebot"; did you mean "reboot"?'],
    ['{"keys":{"run":["x"],"ssh":["x"]}}', 'keys.ssh: x already means run'],
    ['{"keys":{"ssh":["ctrl-c"]}}', 'keys.ssh: Ctrl-C keeps its meaning'],
    ['{"keys":{"ssh":["esc"]}}', 'keys.ssh[0]: expected a key'],
    ['{"refresh":{"probe":"often"}}', 'refresh.probe: expected a cron expression'],
    ['{"refresh":{"probe":"* * 25 * * *"}}', 'refresh.probe: expected a cron expression'],
  ])('%s', (text, problem) => {
    expect(problemsOf(text).join('\n')).toContain(problem);
  });

  test('all of it at once', () => {
    expect(problemsOf('{"keys":{"rnu":["x"],"ssh":["ctrl-c"]}}')).toHaveLength(2);
  });
});

describe('a configuration', () => {
  test('that is empty means the defaults', () => {
    expect(settings({})).toEqual({ skin: skins.harbour, keys: new Map() });
  });

  test('names a skin, or changes tokens of one', () => {
    expect(settings({ skin: 'paper' }).skin).toBe(skins.paper);
    const own = settings({ skin: { base: 'ember', page: { bad: '#ff0000' } } }).skin;
    expect(own.page).toEqual({ ...skins.ember.page, bad: '#ff0000' });
    expect(settings({ skin: 'auto' }, '/etc/nixos', '0;15').skin).toBe(skins.paper);
  });

  test('may tell labs apart by their skin', () => {
    const config = { skin: 'paper', labs: { '/home/amy/work': { skin: 'ember' } } };
    expect(settings(config, '/home/amy/work').skin).toBe(skins.ember);
    expect(settings(config, '/home/amy/home').skin).toBe(skins.paper);
  });
});

test('the published schema is the one that files are read with', () => {
  const published: unknown = JSON.parse(
    readFileSync(new URL('../../../schema/config.json', import.meta.url), 'utf8'),
  );
  expect(published).toEqual(JSON.parse(JSON.stringify(configJsonSchema())));
});

test('what is taken for a cron expression, the library that schedules by it takes, too', () => {
  const field = fc.constantFrom('*', '0', '5', '1-4', '*/2', '1,3', '7', '59', '60', '9-2', '*/0', 'x', '');
  fc.assert(
    fc.property(fc.array(field, { minLength: 4, maxLength: 7 }), (parts) => {
      const text = parts.join(' ');
      if (isCronText(text)) expect({ text, taken: cron.validate(text) }).toEqual({ text, taken: true });
    }),
  );
  expect(isCronText('*/30 * * * * *')).toBe(true);
  expect(isCronText('0 4 * * 6')).toBe(true);
});
