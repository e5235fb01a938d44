import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { bundling } from '../../../scripts/bundling.ts';

/**
 * The screen over a fixture, for looking at it by hand: `node test/tui/by-hand/run.ts held`, in a terminal of any size
 * and with any TERM, NO_COLOR or LANG. Keys work; what they would ask of a lab is printed at the end.
 */

const out = mkdtempSync(join(tmpdir(), 'lab-by-hand-'));
try {
  await build({
    ...bundling,
    entryPoints: { open: 'test/tui/by-hand/open.ts' },
    outdir: out,
    outExtension: { '.js': '.mjs' },
  });
  const { open } = await import(pathToFileURL(join(out, 'open.mjs')).href);
  await open(process.argv[2] ?? 'lab');
} finally {
  rmSync(out, { recursive: true, force: true });
}
