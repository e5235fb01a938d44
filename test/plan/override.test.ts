import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { blockerKinds } from '../../src/plan/blocker-kinds.ts';
import { planHash } from '../../src/plan/make-plan.ts';
import {
  isOverridden,
  type Override,
  overridesFit,
  overrideWords,
  parseOverrides,
} from '../../src/plan/override.ts';
import { Plan } from '../../src/plan/plan.ts';
import { machineNamed } from '../simulation/fleet.ts';
import { planFor } from './input.ts';

/** The words by which somebody goes ahead in spite of a blocker: exact, or an error that helps. */

const read = (...texts: readonly string[]) => {
  const parsed = parseOverrides(texts);
  return parsed.ok ? parsed.value.map(overrideWords) : `${parsed.failure.message}; ${parsed.failure.remedy}`;
};

describe('what is given', () => {
  test.each<[readonly string[], readonly string[]]>([
    [[], []],
    [['inhibited'], ['inhibited on all machines']],
    [['nas:users-logged-in'], ['users-logged-in on nas']],
    [
      ['inhibited,nas:just-booted', ' no-space-boot '],
      ['inhibited on all machines', 'just-booted on nas', 'no-space-boot on all machines'],
    ],
    [
      ['inhibited', 'inhibited', 'nas:inhibited'],
      ['inhibited on all machines', 'inhibited on nas'],
    ],
  ])('%j', (given, expected) => {
    expect(read(...given)).toEqual(expected);
  });

  test('a slip of the finger is told what was perhaps meant, and what there is', () => {
    expect(read('inhibitet')).toBe(
      `no blocker is called "inhibitet"; did you mean "inhibited"? These can be overridden: ${blockerKinds.join(', ')}`,
    );
    expect(read('nas:everything')).toContain(`these can be overridden: ${blockerKinds.join(', ')}`);
  });

  test('what can never be overridden is said to be so', () => {
    for (const word of ['no-root', 'hostkey', 'nas:unreachable', 'all'])
      expect(read(word)).toContain('cannot be overridden');
  });

  test('a machine is a name', () => {
    for (const word of [':inhibited', '@backend:inhibited', 'a b:inhibited', '-x:inhibited'])
      expect(read(word)).toContain('names no machine');
  });

  test('a machine that is not chosen is an error', () => {
    const forNas: readonly Override[] = [{ blocker: 'inhibited', machine: 'nas' }];
    expect(overridesFit(forNas, ['nas', 'app']).ok).toBe(true);
    expect(overridesFit([{ blocker: 'inhibited', machine: null }], []).ok).toBe(true);
    expect(overridesFit(forNas, ['nass'])).toMatchObject({
      failure: { kind: 'override', remedy: 'did you mean "nass:inhibited"?' },
    });
  });
});

test('whatever is given is read or refused, and what is read holds for what it names alone', () => {
  const word = fc.oneof(
    fc.string(),
    fc.constantFrom(...blockerKinds),
    fc.tuple(fc.string(), fc.constantFrom(...blockerKinds)).map(([name, kind]) => `${name}:${kind}`),
  );
  fc.assert(
    fc.property(fc.array(word, { maxLength: 6 }), fc.constantFrom(...blockerKinds), (texts, kind) => {
      const parsed = parseOverrides(texts);
      if (!parsed.ok) return;
      const said = texts.flatMap((text) => text.split(',')).map((text) => text.trim());
      for (const name of ['nas', 'app'])
        expect(isOverridden(parsed.value, name, kind)).toBe(
          said.includes(kind) || said.includes(`${name}:${kind}`),
        );
    }),
  );
});

describe('a plan', () => {
  const machines = [machineNamed('nas'), machineNamed('app')];
  test('without overrides is what it was before there were any', () => {
    expect(planFor(machines, { more: { overrides: [] } })).toEqual(planFor(machines));
    expect(planFor(machines)).not.toHaveProperty('overrides');
  });

  test('with overrides has them, is another plan, and is read back as it was written', () => {
    const plan = planFor(machines, { more: { overrides: [{ blocker: 'inhibited', machine: 'nas' }] } });
    expect(plan.overrides).toEqual([{ blocker: 'inhibited', machine: 'nas' }]);
    expect(plan.hash).not.toBe(planFor(machines).hash);
    const { hash, ...read } = Plan.parse(JSON.parse(JSON.stringify(plan)));
    expect(planHash(read)).toBe(hash);
  });
});
