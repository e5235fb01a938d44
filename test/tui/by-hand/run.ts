import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';

/**
 * The screen over a fixture, for looking at it by hand: `node test/tui/by-hand/run.ts held`, in a terminal of any size
 * and with any TERM, NO_COLOR or LANG. Keys work; what they would ask of a lab is printed at the end.
 */

const root = fileURLToPath(new URL('../../..', import.meta.url));
const out = mkdtempSync(join(tmpdir(), 'lab-by-hand-'));
try {
  await build({
    absWorkingDir: root,
    entryPoints: { open: 'test/tui/by-hand/open.ts' },
    outdir: out,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    jsx: 'automatic',
    define: { 'process.env.NODE_ENV': '"production"', 'process.env.DEV': '"false"' },
    alias: { 'react-devtools-core': join(root, 'scripts/no-devtools.ts') },
    banner: {
      js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
    },
    logLevel: 'warning',
  });
  const { open } = await import(pathToFileURL(join(out, 'open.mjs')).href);
  await open(process.argv[2] ?? 'lab');
} finally {
  rmSync(out, { recursive: true, force: true });
}
