import { setFlagsFromString } from 'node:v8';

/** How much V8 lets the heap grow before it collects garbage anew, per cent. */
const growth = 20;

/**
 * Each frame makes garbage, and a screen is open for days beside other work: the heap is let grow by less than V8 would.
 * `bin/lab` bounds the space for what is new (`--max-semi-space-size`), which only works from the start of the process.
 */
export const spareMemory = (): void => setFlagsFromString(`--heap-growing-percent=${growth}`);
