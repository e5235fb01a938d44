import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { mutants } from './mutants.ts';
import { mutated } from './mutate.ts';

describe('mutants', () => {
  test('each still finds the text that it breaks, and breaks something', async () => {
    const lost: string[] = [];
    for (const mutant of mutants) {
      const sound = await readFile(new URL(`../../${mutant.file}`, import.meta.url), 'utf8');
      const broken = mutated(sound, mutant);
      if (broken === null || broken === sound) lost.push(`${mutant.name}: see ${mutant.file}`);
    }
    expect(lost, 'say in test/simulation/mutants.ts where their text went').toEqual([]);
  });

  test('have names of their own', () => {
    expect(new Set(mutants.map(({ name }) => name)).size).toBe(mutants.length);
  });

  test('are found however the code is laid out, and only where they stand once', () => {
    const mutant = { text: 'if (asked && known) return', becomes: 'if (false) return' };
    expect(mutated('x();\nif (\n  asked &&\n  known\n)\n  return;', mutant)).toBe('x();\nif (false) return;');
    expect(mutated('if (asked && knownToo) return', mutant)).toBeNull();
    expect(mutated('if (asked && known) return; if (asked && known) return', mutant)).toBeNull();
  });
});
