import { constants } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { fail, ok, type Result } from '../failure.ts';
import { codeOf, messageOf } from './errors.ts';

export type FileText = {
  readonly bytes: Buffer;
  /** Changes whenever the content may have changed. */
  readonly version: string;
};

type Facts = { readonly dev: bigint; readonly ino: bigint; readonly size: bigint; readonly mtimeNs: bigint };
const versionIn = ({ dev, ino, size, mtimeNs }: Facts): string => `${dev}:${ino}:${size}:${mtimeNs}`;

const chunkBytes = 65_536;

/** The file whole, or null where there is none. A pipe, a device or a longer file is a failure, in words. */
export const readBounded = async (
  path: string,
  bytesMax: number,
): Promise<Result<FileText | null, string>> => {
  if (path === '/dev/null') return ok(null);
  let file: FileHandle | null = null;
  try {
    // Non-blocking, because opening a pipe would wait for a writer.
    file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const facts = await file.stat({ bigint: true });
    if (!facts.isFile()) return fail(`${path} is no regular file`);
    const chunks: Buffer[] = [];
    let length = 0;
    for (;;) {
      const { bytesRead, buffer } = await file.read(Buffer.alloc(chunkBytes), 0, chunkBytes, length);
      if (bytesRead === 0) break;
      length += bytesRead;
      if (length > bytesMax) return fail(`${path} is longer than ${bytesMax} bytes`);
      chunks.push(buffer.subarray(0, bytesRead));
    }
    return ok({ bytes: Buffer.concat(chunks, length), version: versionIn(facts) });
  } catch (error) {
    const code = codeOf(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return ok(null);
    return fail(`${path} cannot be read: ${code ?? messageOf(error)}`);
  } finally {
    await file?.close().catch(() => undefined);
  }
};

/** The version that reading the file now would give; null where there is no file, or none that can be read. */
export const versionOf = async (path: string): Promise<string | null> => {
  if (path === '/dev/null') return null;
  try {
    return versionIn(await stat(path, { bigint: true }));
  } catch {
    return null;
  }
};
