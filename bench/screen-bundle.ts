import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { leaveNothing } from './leave-nothing.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Bundles what the benchmarks of the screen start, as `scripts/build.ts` bundles `lab`. `putAway` removes it. */
export const bundleSubjects = async (): Promise<{
  readonly subject: string;
  readonly bareInk: string;
  readonly putAway: () => void;
}> => {
  const out = mkdtempSync(join(tmpdir(), 'lab-bench-screen-'));
  const putAway = leaveNothing(() => rmSync(out, { recursive: true, force: true }));
  await build({
    absWorkingDir: root,
    entryPoints: { subject: 'bench/screen-subject.ts', 'bare-ink': 'bench/bare-ink.tsx' },
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
    external: ['cpu-features', '*.node'],
    banner: {
      js: "const require = globalThis.process.getBuiltinModule('node:module').createRequire(import.meta.url), __filename = import.meta.filename, __dirname = import.meta.dirname;",
    },
    logLevel: 'warning',
  });
  return { subject: join(out, 'subject.mjs'), bareInk: join(out, 'bare-ink.mjs'), putAway };
};
