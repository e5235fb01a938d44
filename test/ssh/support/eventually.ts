import { vi } from 'vitest';

/** Long enough for a machine that is busy with other things; a check that holds ends the wait at once. */
const patienceMs = 30_000;
const pollMs = 20;

/** Waits until the check no longer throws. */
export const eventually = (check: () => void | Promise<void>): Promise<void> =>
  vi.waitFor(check, { timeout: patienceMs, interval: pollMs });
