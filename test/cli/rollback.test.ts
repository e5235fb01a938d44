import { describe, expect, test } from 'vitest';
import { createStage, exampleMachines } from './stage.ts';

const golden = (name: string): string => `golden/${name}.txt`;

describe('lab generations', () => {
  test('lists them, newest first, with what runs and what would boot', async () => {
    const stage = createStage({ machines: exampleMachines });
    const { shown, exitCode } = await stage.run('generations', 'grey-area');
    await expect(shown).toMatchFileSnapshot(golden('generations'));
    expect(exitCode).toBe(0);
  });

  test('tells of machines that do not answer', async () => {
    const stage = createStage({
      machines: exampleMachines,
      faults: { 'grey-area': [{ kind: 'offline' }] },
    });
    const { out, exitCode } = await stage.run('generations', 'grey-area', 'reverse-proxy');
    expect(out).toMatch(/^grey-area: .*\n {6}→ /mu);
    expect(out).toMatch(/^reverse-proxy\n/mu);
    expect(exitCode).toBe(3);
  });

  test('as JSON', async () => {
    const { out } = await createStage({ machines: exampleMachines }).run(
      'generations',
      'grey-area',
      '--json',
    );
    expect(JSON.parse(out)).toMatchObject({
      schema: 'lab/generations/1',
      machines: [
        {
          machine: 'grey-area',
          failure: null,
          generations: [{ number: 41, isDefault: true }, { number: 40 }],
        },
      ],
    });
  });
});
