import { fileURLToPath } from 'node:url';
import type { BuildOptions } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));

/** How `lab` is bundled, and what the benchmarks measure in its place: split, so that a plain command never loads the screen. */
export const bundling = {
  absWorkingDir: root,
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node24',
  jsx: 'automatic',
  legalComments: 'none',
  define: {
    'process.env.NODE_ENV': '"production"',
    'process.env.DEV': '"false"',
    // Yoga asks for its own bytes by `fetch` where there is one: that loads all of Node's HTTP client before the first frame.
    fetch: 'undefined',
  },
  alias: { 'react-devtools-core': `${root}/scripts/no-devtools.ts` },
  // Native accelerators of ssh2: never built here, and ssh2 goes on without them.
  external: ['cpu-features', '*.node'],
  // Bundled CommonJS still expects these three.
  banner: {
    js: "const require = globalThis.process.getBuiltinModule('node:module').createRequire(import.meta.url), __filename = import.meta.filename, __dirname = import.meta.dirname;",
  },
  logLevel: 'warning',
} as const satisfies BuildOptions;
