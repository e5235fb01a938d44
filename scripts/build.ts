import { chmodSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { withBuiltinsByName } from './builtins.ts';
import { bundling } from './bundling.ts';

/** Makes dist/: one entry and lazily loaded chunks, so that a plain command never loads the screen. */

const root = fileURLToPath(new URL('..', import.meta.url));

const { outputFiles } = await build({
  ...bundling,
  entryPoints: { main: 'src/main.ts' },
  outdir: 'dist',
  write: false,
  sourcemap: 'linked',
});

// Only now: a build that fails leaves what was there. It comes whole, for two may build at the same time.
const whole = mkdtempSync(join(root, 'dist-'));
for (const { path, text } of outputFiles)
  writeFileSync(join(whole, basename(path)), path.endsWith('.js') ? withBuiltinsByName(text) : text);
chmodSync(whole, 0o755);
rmSync(join(root, 'dist'), { recursive: true, force: true });
try {
  renameSync(whole, join(root, 'dist'));
} catch (error) {
  rmSync(whole, { recursive: true, force: true });
  // Somebody else was faster, and built the same.
  if (!(error instanceof Error && 'code' in error && (error.code === 'ENOTEMPTY' || error.code === 'EEXIST')))
    throw error;
}
