import { lockHash } from '../../src/nix-integration/lock-file.ts';
import { writeLock } from '../../src/nix-integration/write-lock.ts';
import type { RunProcess } from '../../src/process/run.ts';
import { ended } from '../process/ended.ts';

/** A process that writes one lock after the other, to be killed. Arguments: path of flake.lock, sizes as JSON. */

export const textsOf = (lengths: readonly number[]): readonly string[] =>
  lengths.map((length, index) => String(index).repeat(length));

/** No work tree: what is waited for is the file. */
const git: RunProcess = async () => ({ ...ended, code: 128 });

const [path, sizes] = process.argv.slice(2);
if (import.meta.main && path !== undefined && sizes !== undefined) {
  const texts = textsOf(JSON.parse(sizes));
  process.stdout.write('begins\n');
  for (let turn = 1; turn < 100_000; turn += 1) {
    const [previous = '', text = ''] = [texts[(turn - 1) % texts.length], texts[turn % texts.length]];
    const written = await writeLock(git, { path, previous, text, movedHash: lockHash(text) });
    if (!written.ok) throw new Error(written.failure.message);
  }
}
