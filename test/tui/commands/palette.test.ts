import { describe, expect, test } from 'vitest';
import { paletteEntries } from '../../../src/tui/commands/palette.ts';
import { helpOf, hintsOf } from '../../../src/tui/commands/registry.ts';
import { fuzzyScore } from '../../../src/tui/state/fuzzy.ts';
import { seedSnapshot } from '../fixtures/lab.ts';
import { liveSnapshot } from '../fixtures/runs.ts';
import { sceneOf } from '../fixtures/scene.ts';
import { opened } from '../fixtures/shell.ts';

const found = (text: string): readonly string[] =>
  paletteEntries(text, sceneOf(seedSnapshot)).map(({ name }) => name);

describe('the palette', () => {
  test('finds commands by letters of their names, and by words of what they do', () => {
    expect(found('upd')[0]).toBe('update-run');
    expect(found('srole')[0]).toBe('sort-role');
    expect(found('health checks now')).toEqual(['probe']);
  });

  test('finds machines', () => {
    expect(found('sleeper')[0]).toBe('sleeper-service');
    expect(found('grar')).toContain('grey-area');
  });

  test('says why something cannot be done now', () => {
    const [entry] = paletteEntries('update-run', sceneOf(liveSnapshot));
    expect(entry).toMatchObject({ name: 'update-run', disabled: 'a run is under way: 3 shows it' });
  });

  test('takes what the cursor is on, and closes', () => {
    const { press, type, text, lab } = opened(seedSnapshot);
    press('ctrl-p');
    type('refr');
    expect(text()).toContain('▶ refresh');
    press('enter');
    expect(lab.asked).toEqual(['refresh']);
    expect(text()).not.toContain('Command palette');
  });

  test('Esc closes it and does nothing', () => {
    const { press, type, lab, text } = opened(seedSnapshot);
    press('ctrl-p');
    type('reboot');
    press('down', 'esc');
    expect(lab.asked).toEqual([]);
    expect(text()).not.toContain('Command palette');
  });

  test('fits on a small screen', () => {
    const { press, text } = opened(seedSnapshot, { columns: 60, rows: 12 });
    press('ctrl-p', 'down', 'down');
    expect(text()).toMatch(/3 of \d+, \d+ more below/u);
  });
});

test('letters side by side, and at the beginnings of words, count most', () => {
  const ranked = (wanted: string, texts: readonly string[]): readonly string[] =>
    texts
      .flatMap((text) => {
        const score = fuzzyScore(wanted, text);
        return score === null ? [] : [{ text, score }];
      })
      .sort((a, b) => b.score - a.score)
      .map(({ text }) => text);
  expect(ranked('rs', ['overs', 'reboot-sequence', 'rs'])).toEqual(['rs', 'overs', 'reboot-sequence']);
  expect(ranked('rbs', ['reboot-sequence', 'rubbish', 'x'])[0]).toBe('reboot-sequence');
});

describe('the line after : remembers', () => {
  test('Up brings back earlier lines, Down leads to what was being typed', () => {
    const { press, type, shell } = opened(seedSnapshot);
    const line = (): string => {
      const { input } = shell.moment().ui;
      return input?.text ?? '';
    };
    for (const text of ['sequence', 'problems', 'sequence']) {
      press(':');
      type(text);
      press('enter');
    }
    press(':');
    type('dra');
    press('up');
    expect(line()).toBe('sequence');
    press('up');
    expect(line()).toBe('problems');
    press('up');
    expect(line()).toBe('problems');
    press('down', 'down');
    expect(line()).toBe('dra');
  });
});

describe('keys from the configuration', () => {
  const keys = new Map([
    ['ssh', ['j']],
    ['refresh', []],
  ]);
  const settings = { ...opened(seedSnapshot).shell.moment().settings, keys };

  test('win over what keys mean by themselves', () => {
    const { press, terminal, shell } = opened(seedSnapshot, { settings });
    press('down', 'j');
    expect(terminal).toEqual([{ kind: 'ssh', machine: 'grey-area' }]);
    press('s');
    expect(terminal).toHaveLength(1);
    expect(helpOf(shell.scene()).find(({ name }) => name === 'ssh')?.keys).toBe('j');
    expect(hintsOf(shell.scene()).find(({ text }) => text === 'ssh')?.key).toBe('j');
  });

  test('an empty list takes a key away, the command stays', () => {
    const { press, type, lab } = opened(seedSnapshot, { settings });
    press('ctrl-r');
    expect(lab.asked).toEqual([]);
    press(':');
    type('refresh');
    press('enter');
    expect(lab.asked).toEqual(['refresh']);
  });

  test('hold from the moment they are read', () => {
    const { press, terminal, shell } = opened(seedSnapshot);
    press('j');
    shell.configure(settings);
    press('j');
    expect(terminal).toHaveLength(1);
  });
});
