/**
 * The seams between the pure core and the world, in domain verbs. The real adapters and the simulated world
 * implement the same ports, so the production engine runs over both. No port method rejects for an expected
 * failure: it resolves to a tagged value. Every method takes a signal and ends soon after it aborts.
 *
 * Everybody takes them from here; `src/ports/` holds them, family by family.
 */

export type * from './ports/acting.ts';
export type * from './ports/clock.ts';
export type * from './ports/connection.ts';
export type * from './ports/health.ts';
export type * from './ports/lease.ts';
export type * from './ports/nix.ts';
export type * from './ports/observation.ts';
export { systemStates } from './ports/observation.ts';
export type * from './ports/target.ts';
