import { createHmac, randomBytes } from 'node:crypto';
import { type FileHandle, mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fail, ok, type Result } from '../failure.ts';
import { codeOf, messageOf } from './errors.ts';
import { keyTypeOf } from './known-hosts.ts';

const directoryMode = 0o700;
const fileMode = 0o600;
const saltLength = 20;

/** The host field that hides the name, as HashKnownHosts writes it. */
export const hashedHostField = (name: string, salt: Buffer): string =>
  `|1|${salt.toString('base64')}|${createHmac('sha1', salt).update(name).digest('base64')}`;

const endsOpen = async (file: FileHandle): Promise<boolean> => {
  const { size } = await file.stat();
  if (size === 0) return false;
  const last = Buffer.alloc(1);
  await file.read(last, 0, 1, size - 1);
  return last[0] !== 0x0a;
};

/**
 * Appends one line and makes it durable. One write in append mode, so that two processes cannot mix their lines.
 * The failure says in words why it could not be written.
 */
export const recordHostKey = async (entry: {
  readonly file: string | null;
  readonly name: string;
  readonly key: Buffer;
  readonly hash: boolean;
}): Promise<Result<void, string>> => {
  const keyType = keyTypeOf(entry.key);
  if (keyType === null) return fail('the key cannot be read');
  if (entry.file === null || entry.file === '/dev/null')
    return fail('UserKnownHostsFile names no file that keeps what is written');
  const hosts = entry.hash ? hashedHostField(entry.name, randomBytes(saltLength)) : entry.name;
  let file: FileHandle | null = null;
  try {
    await mkdir(dirname(entry.file), { recursive: true, mode: directoryMode });
    file = await open(entry.file, 'a+', fileMode);
    const lead = (await endsOpen(file)) ? '\n' : '';
    await file.appendFile(`${lead}${hosts} ${keyType} ${entry.key.toString('base64')}\n`);
    await file.datasync();
    return ok(undefined);
  } catch (error) {
    return fail(`${entry.file}: ${codeOf(error) ?? messageOf(error)}`);
  } finally {
    await file?.close().catch(() => undefined);
  }
};
