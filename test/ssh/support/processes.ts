import { readdir, readFile } from 'node:fs/promises';

/** Command lines of living processes that contain `text`, this one left out. */
export const livingWith = async (text: string): Promise<readonly string[]> => {
  const found: string[] = [];
  for (const pid of await readdir('/proc')) {
    if (!/^\d+$/u.test(pid) || Number(pid) === process.pid) continue;
    const line = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    if (line.replaceAll('\0', ' ').includes(text)) found.push(`${pid} ${line.replaceAll('\0', ' ')}`);
  }
  return found;
};

/** A number of seconds that no other `sleep` on this machine sleeps. */
export const uniqueSeconds = (): string => String(10_000_000 + Math.floor(Math.random() * 1_000_000_000));
