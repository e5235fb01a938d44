import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { record } from './recording/record.ts';
import { stories } from './recording/story.ts';

/** `npm run record -- [--story NAME] [--out DIR]`: records the demo into DIR/NAME.svg and DIR/NAME.cast. */

const root = fileURLToPath(new URL('..', import.meta.url));
const { values } = parseArgs({
  options: {
    story: { type: 'string', default: 'demo' },
    out: { type: 'string', default: join(root, 'docs') },
  },
});

const story = stories.find(({ name }) => name === values.story);
if (story === undefined) {
  process.stderr.write(`--story: one of ${stories.map(({ name }) => name).join(', ')}\n`);
  process.exit(2);
}
await import('./build.ts');
const { cast, svg, frames } = await record(story);
mkdirSync(values.out, { recursive: true });
for (const [ending, text] of [
  ['svg', svg],
  ['cast', cast],
] as const) {
  const file = join(values.out, `${story.name}.${ending}`);
  writeFileSync(file, text);
  process.stdout.write(`${file}: ${(Buffer.byteLength(text) / 1_024).toFixed(0)} KiB\n`);
}
process.stdout.write(`${frames.length} pictures\n`);
