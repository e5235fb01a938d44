import { execFileSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A real file system of a chosen size, for some hundred files, which can be filled and made read-only. Needs root on Linux. */
export type SmallDisk = {
  readonly path: string;
  /** Takes all room that is left but `leftBytes`. */
  readonly fill: (leftBytes?: number) => void;
  readonly makeRoom: () => void;
  readonly remount: (how: 'ro' | 'rw') => void;
  readonly remove: () => void;
};

const blockBytes = 4_096;

export const smallDisk = (sizeBytes: number): SmallDisk => {
  const path = mkdtempSync(join(tmpdir(), 'lab-small-disk-'));
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${sizeBytes},nr_inodes=400`, 'tmpfs', path], {
    stdio: 'pipe',
  });
  const ballast = join(path, 'ballast');
  return {
    path,
    fill: (leftBytes = 0) => {
      const file = openSync(ballast, 'w');
      try {
        for (;;) writeSync(file, Buffer.alloc(blockBytes, 1));
      } catch (error) {
        if (!(error instanceof Error && 'code' in error && error.code === 'ENOSPC')) throw error;
      } finally {
        closeSync(file);
      }
      if (leftBytes > 0) execFileSync('truncate', ['-s', `-${leftBytes}`, ballast]);
    },
    makeRoom: () => rmSync(ballast, { force: true }),
    remount: (how) => void execFileSync('mount', ['-o', `remount,${how}`, path]),
    remove: () => {
      execFileSync('umount', ['--lazy', path]);
      rmSync(path, { recursive: true, force: true });
    },
  };
};

/** Why there can be no small disks here, or null; told loudly, for what they show is shown by nothing else. */
export const noSmallDisks = ((): string | null => {
  try {
    smallDisk(1024 * 1024).remove();
    return null;
  } catch (error) {
    const why = error instanceof Error ? (error.message.split('\n').at(-1) ?? error.message) : String(error);
    process.stderr.write(
      `\n!!! NOT TESTED HERE: full and read-only disks. They need root and mount: ${why}\n\n`,
    );
    return why;
  }
})();
