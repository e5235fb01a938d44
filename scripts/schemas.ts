import { writeFileSync } from 'node:fs';
import { jsonSchemaOf, published } from '../src/cli/documents/documents.ts';
import { configJsonSchema } from '../src/tui/config/schema.ts';

/** Writes schema/: what files are read with, and what `--json` prints, as JSON Schemas. Formatted by `npm run schemas`. */
const write = (name: string, schema: object): void =>
  writeFileSync(new URL(`../schema/${name}.json`, import.meta.url), `${JSON.stringify(schema, null, 2)}\n`);

write('config', configJsonSchema());
for (const [name, schema] of Object.entries(published)) write(name, jsonSchemaOf(name, schema));
