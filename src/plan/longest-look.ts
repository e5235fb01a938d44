import type { Machine } from '../fleet/machine.ts';

/** The most that one look at the health of a machine may take; what has not been told by then is unknown. Milliseconds. */
export const lookMostMs = 120_000;

/**
 * How long one look at a machine whose checks pass at last may take: one that passes at its last try, and those that come
 * one after the other because there are many. Milliseconds.
 */
export const longestLookMs = ({ healthChecks }: Pick<Machine, 'healthChecks'>): number =>
  Math.min(
    lookMostMs,
    healthChecks.reduce(
      (sum, { timeoutSeconds, retries, intervalSeconds }) =>
        sum + ((retries + 1) * timeoutSeconds + retries * intervalSeconds) * 1_000,
      0,
    ),
  );
