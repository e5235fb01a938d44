import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { jsonSchemaOf, published, publishedNames } from '../../src/cli/documents/documents.ts';
import { fail } from '../../src/failure.ts';
import { createStage, exampleMachines } from './stage.ts';

/** What `--json` prints is published, and is what is published. The stage sees to it wherever a test prints JSON. */

const folder = new URL('../../schema/', import.meta.url);

test('the published schemas are those that documents are held to', () => {
  for (const [name, schema] of Object.entries(published))
    expect(
      JSON.parse(readFileSync(new URL(`${name}.json`, folder), 'utf8')),
      '`npm run schemas` writes it',
    ).toEqual(JSON.parse(JSON.stringify(jsonSchemaOf(name, schema))));
  expect(readdirSync(folder).sort()).toEqual(
    ['config', ...publishedNames].map((name) => `${name}.json`).sort(),
  );
});

test('`lab schema` prints one, or all by name, and knows what was meant', async () => {
  const stage = createStage({ machines: exampleMachines });
  const { out } = await stage.run('schema', 'status');
  expect(JSON.parse(out)).toMatchObject({
    title: 'lab status',
    properties: { schema: { const: 'lab/status/1' } },
  });
  expect(Object.keys(JSON.parse((await stage.run('schema')).out))).toEqual(publishedNames);
  const { err, exitCode } = await stage.run('schema', 'machine');
  expect(err).toContain('did you mean machines?');
  expect(exitCode).toBe(2);
});

test('a field that is not published, or not printed, is found', () => {
  const { failure } = published;
  const printed = {
    schema: 'lab/failure/1',
    failure: { kind: 'x', machine: null, phase: 'x', message: 'x' },
  };
  expect(failure?.safeParse(printed).success).toBe(false);
  const more = { schema: 'lab/failure/1', failure: { ...printed.failure, remedy: '', more: 1 } };
  expect(failure?.parse(more)).not.toEqual(more);
  // Readers meet builds that print more.
  expect(
    JSON.stringify(z.record(z.string(), z.unknown()).parse(jsonSchemaOf('x', failure ?? z.never()))),
  ).not.toContain('additionalProperties');
});

test('every document is printed by some command, as it is published', async () => {
  const seen = new Set<string>();
  const stage = createStage({
    machines: exampleMachines,
    wants: { 'grey-area': '6.12.11', 'reverse-proxy': '6.12.11' },
    faults: { 'congenital-optimist': [{ kind: 'offline' }] },
    lockChanges: [
      { input: 'nixpkgs', kind: 'added', from: null, to: { url: 'x', rev: null, lastModified: 1 } },
    ],
    evaluation: {
      fleet: {
        machines: exampleMachines,
        failed: [{ name: 'broken', message: "attribute 'pkgz' missing", remedy: 'repair hosts/broken' }],
      },
      discrepancies: [{ kind: 'hostname-differs', machine: 'grey-area', message: 'its host name differs' }],
    },
  });
  for (const words of [
    ['machines'],
    ['check'],
    ['status', '--wanted'],
    ['health'],
    ['generations', 'grey-area'],
    ['diff'],
    ['reboot-sequence'],
    ['run', '--catch-up', '--dry-run'],
    ['plan'],
    ['deploy', 'grey-area', '--dry-run'],
    ['update', '--dry-run'],
    ['update'],
    ['run', '--yes'],
    ['status'],
    ['rollback', 'grey-area', '--yes'],
    ['journal', '--runs'],
    ['journal', '--report'],
    ['journal', '--lines', '500'],
    ['machines', 'nosuch'],
  ])
    await stage.run(...words, '--json');
  for (const name of stage.documents) seen.add(name);
  expect([...seen].sort()).toEqual([...publishedNames].sort());
});

test('a flake that cannot be read is a document, too', async () => {
  const stage = createStage({
    machines: [],
    nix: {
      evaluate: async () =>
        fail({
          kind: 'no-flake',
          machine: null,
          phase: 'evaluate',
          message: 'no flake',
          remedy: '',
          detail: ['x'],
        }),
    },
  });
  await stage.run('status', '--json');
  expect([...stage.documents]).toEqual(['failure']);
});
