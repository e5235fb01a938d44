import { createHash } from 'node:crypto';
import type { HealthCheck, Machine } from '../fleet/machine.ts';

/** What a check looks at, whatever it is called and however patiently it looks: 16 hex digits. */
const aimOf = ({ name, timeoutSeconds, retries, intervalSeconds, ...aim }: HealthCheck): string =>
  createHash('sha256')
    .update(JSON.stringify(Object.entries(aim).sort(([a], [b]) => (a < b ? -1 : 1))))
    .digest('hex')
    .slice(0, 16);

export const aimsOf = ({ healthChecks }: Machine): readonly string[] => healthChecks.map(aimOf);

/**
 * The checks, by their place in the machine's list, that it had not when a run last brought it to its goal: they come
 * with what is deployed now, so that they fail before it says nothing. None while no run has done that.
 */
export const newChecksOf = (machine: Machine, had: readonly string[] | undefined): readonly number[] =>
  had === undefined ? [] : aimsOf(machine).flatMap((aim, index) => (had.includes(aim) ? [] : [index]));
