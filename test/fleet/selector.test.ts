import { describe, expect, test } from 'vitest';
import type { Fleet } from '../../src/fleet/machine.ts';
import { nearest, selectMachines } from '../../src/fleet/selector.ts';
import { machineNamed } from '../simulation/fleet.ts';

const fleet: Fleet = {
  machines: [
    machineNamed('grey-area', { role: 'application-server', groups: ['backend', 'infrastructure'] }),
    machineNamed('reverse-proxy', { role: 'edge', groups: ['infrastructure'] }),
    machineNamed('sleeper-service', { role: 'nas', groups: ['storage'] }),
    machineNamed('web.1', { groups: ['web'] }),
    machineNamed('web.2', { groups: ['web'] }),
  ],
  failed: [{ name: 'broken', message: 'syntax error', remedy: 'repair it' }],
};

const chosen = (...selectors: string[]): readonly string[] | string => {
  const result = selectMachines(fleet, selectors);
  return result.ok ? result.value : `${result.failure.message} → ${result.failure.remedy}`;
};
const all = ['broken', 'grey-area', 'reverse-proxy', 'sleeper-service', 'web.1', 'web.2'];

describe('a selector', () => {
  test.each<[readonly string[], readonly string[]]>([
    [[], all],
    [['grey-area'], ['grey-area']],
    [
      ['grey-area', 'web.1'],
      ['grey-area', 'web.1'],
    ],
    [['grey-area,web.1'], ['grey-area', 'web.1']],
    [['web.*'], ['web.1', 'web.2']],
    [['web.?'], ['web.1', 'web.2']],
    [['*-*'], ['grey-area', 'reverse-proxy', 'sleeper-service']],
    [['@infrastructure'], ['grey-area', 'reverse-proxy']],
    [['role:nas'], ['sleeper-service']],
    [['!web.*'], ['broken', 'grey-area', 'reverse-proxy', 'sleeper-service']],
    [['@infrastructure', '!role:edge'], ['grey-area']],
    [['!role:edge', '@infrastructure'], ['grey-area']],
    [
      ['*', '!@web', '!broken'],
      ['grey-area', 'reverse-proxy', 'sleeper-service'],
    ],
    [['broken'], ['broken']],
    [[' grey-area , '], ['grey-area']],
  ])('%j chooses %j', (selectors, expected) => {
    expect(chosen(...selectors)).toEqual(expected);
  });

  test('takes a dot for a dot and a bracket for a bracket', () => {
    expect(chosen('web?1')).toEqual(['web.1']);
    expect(chosen('web[.]1*')).toMatch(/no machine matches/u);
  });

  test.each<[string, string]>([
    ['gray-area', 'did you mean "grey-area"?'],
    ['@infrastucture', 'did you mean "@infrastructure"?'],
    ['role:naz', 'did you mean "role:nas"?'],
    ['!sleper-service', 'did you mean "sleeper-service"?'],
    ['completely-different', 'run `lab machines`'],
    ['xyz*', 'run `lab machines`'],
  ])('%s matches nothing, and the answer helps: %s', (selector, help) => {
    expect(chosen(selector)).toContain(`no machine matches "${selector}"`);
    expect(chosen(selector)).toContain(help);
  });

  test('one slip among good ones is an error, not a smaller choice', () => {
    expect(chosen('grey-area', 'wbe.1')).toContain('no machine matches "wbe.1"');
  });
});

test('nearest prefers the fewest slips, then the alphabet', () => {
  expect(nearest('cat', ['bat', 'cart', 'dog'])).toBe('bat');
  expect(nearest('CAT', ['cat'])).toBe('cat');
  expect(nearest('cat', ['elephant'])).toBeNull();
  expect(nearest('', [])).toBeNull();
});
