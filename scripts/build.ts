import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { withBuiltinsByName } from './builtins.ts';

/** Makes dist/: one entry and lazily loaded chunks, so that a plain command never loads the screen. */

const root = fileURLToPath(new URL('..', import.meta.url));

const { outputFiles } = await build({
  absWorkingDir: root,
  entryPoints: { main: 'src/main.ts' },
  outdir: 'dist',
  write: false,
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node24',
  jsx: 'automatic',
  sourcemap: 'linked',
  legalComments: 'none',
  define: { 'process.env.NODE_ENV': '"production"', 'process.env.DEV': '"false"' },
  alias: { 'react-devtools-core': `${root}/scripts/no-devtools.ts` },
  // Native accelerators of ssh2: never built here, and ssh2 goes on without them.
  external: ['cpu-features', '*.node'],
  // Bundled CommonJS still expects these three.
  banner: {
    js: "const require = globalThis.process.getBuiltinModule('node:module').createRequire(import.meta.url), __filename = import.meta.filename, __dirname = import.meta.dirname;",
  },
  logLevel: 'warning',
});

// Only now: a build that fails leaves what was there.
rmSync(`${root}/dist`, { recursive: true, force: true });
mkdirSync(`${root}/dist`);
for (const { path, text } of outputFiles)
  writeFileSync(path, path.endsWith('.js') ? withBuiltinsByName(text) : text);
