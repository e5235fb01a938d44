import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { runProcess } from '../../src/process/run.ts';

/** People and runs that stand in a folder which is removed under them. */

const source = (path: string): string => fileURLToPath(new URL(`../../src/${path}`, import.meta.url));
const deadlineMs = 60_000;

/** Runs this program in a folder of its own that is removed before it begins. */
const inRemovedFolder = async (argv: readonly string[]) => {
  const folder = mkdtempSync(join(tmpdir(), 'lab-folder-'));
  const script = 'cd "$0" && rmdir "$0" && exec "$@"';
  return runProcess(['sh', '-c', script, folder, ...argv], {
    deadlineMs,
    env: { LAB_STATE_DIR: join(folder, 'state') },
  });
};

test('lab answers in a folder that has been removed, and names it where it wanted something there', async () => {
  const journal = await inRemovedFolder([process.execPath, source('main.ts'), 'journal', '--runs']);
  expect(journal.stderr).not.toContain('uv_cwd');
  expect(journal.code, journal.stderr).toBe(0);
  const status = await inRemovedFolder([process.execPath, source('main.ts'), 'status']);
  expect(status.stderr).toContain('/lab-folder-');
  expect(status.code, status.stderr).toBe(2);
});

test('programs are found though the folder is removed in which they would be started', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'lab-folder-'));
  const script = `
    import { rmdirSync } from 'node:fs';
    import { standIn } from ${JSON.stringify(source('process/folder.ts'))};
    import { runProcess } from ${JSON.stringify(source('process/run.ts'))};
    standIn(${JSON.stringify(folder)});
    const here = await runProcess(['pwd'], { deadlineMs: ${deadlineMs} });
    rmdirSync(${JSON.stringify(folder)});
    const later = await runProcess(['pwd'], { deadlineMs: ${deadlineMs} });
    standIn(${JSON.stringify(folder)});
    console.log(JSON.stringify([here.stdout, later.stdout, later.startError, process.cwd()]));
  `;
  const { stdout, stderr } = await runProcess([process.execPath, '--input-type=module', '-e', script], {
    deadlineMs,
  });
  expect(JSON.parse(stdout || '[]'), stderr).toEqual([`${folder}\n`, '/\n', null, '/']);
});
