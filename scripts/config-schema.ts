import { writeFileSync } from 'node:fs';
import { configJsonSchema } from '../src/tui/config/schema.ts';

/** Writes schema/config.json, the published JSON Schema of the configuration, from the schema that files are read with. */
writeFileSync(
  new URL('../schema/config.json', import.meta.url),
  `${JSON.stringify(configJsonSchema(), null, 2)}\n`,
);
