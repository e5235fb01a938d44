import { readFileSync } from 'node:fs';

/** Of Linux, on every architecture it still runs on. */
const ticksPerSecond = 100;

/** User and system time of all children that have ended, their own children included, in milliseconds; null but on Linux. */
const childCpuMs = (): number | null => {
  try {
    // The name in parentheses may hold anything; cutime and cstime are the 14th and 15th field after it.
    const fields = readFileSync('/proc/self/stat', 'utf8').split(') ').at(-1)?.split(' ') ?? [];
    return ((Number(fields[13]) + Number(fields[14])) / ticksPerSecond) * 1_000;
  } catch {
    return null;
  }
};

/** What a piece of work took: by the clock, and on the processor by the processes it started. */
export type Cost = { readonly wallMs: number; readonly cpuMs: number | null };

export const costOf = async (work: () => Promise<void>): Promise<Cost> => {
  const cpuBefore = childCpuMs();
  const begun = performance.now();
  await work();
  const wallMs = performance.now() - begun;
  const cpuAfter = childCpuMs();
  return { wallMs, cpuMs: cpuBefore === null || cpuAfter === null ? null : cpuAfter - cpuBefore };
};
