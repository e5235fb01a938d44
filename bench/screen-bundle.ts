import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { bundling } from '../scripts/bundling.ts';
import { leaveNothing } from './leave-nothing.ts';

/** Bundles what the benchmarks of the screen start. `putAway` removes it. */
export const bundleSubjects = async (): Promise<{
  readonly subject: string;
  readonly bareInk: string;
  readonly putAway: () => void;
}> => {
  const out = mkdtempSync(join(tmpdir(), 'lab-bench-screen-'));
  const putAway = leaveNothing(() => rmSync(out, { recursive: true, force: true }));
  await build({
    ...bundling,
    entryPoints: { subject: 'bench/screen-subject.ts', 'bare-ink': 'bench/bare-ink.tsx' },
    outdir: out,
    outExtension: { '.js': '.mjs' },
  });
  return { subject: join(out, 'subject.mjs'), bareInk: join(out, 'bare-ink.mjs'), putAway };
};
