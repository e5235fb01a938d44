import { z } from 'zod';
import { type Failure, fail, ok, type Result } from '../failure.ts';
import { MachineName } from '../fleet/machine.ts';
import { nearest } from '../fleet/selector.ts';
import { blockerKinds, type BlockerKind as Kind } from './blocker-kinds.ts';

/**
 * The words by which a person goes ahead in spite of what holds a machine back. Overrides are part of the plan, so they are approved with it, written down, and kept by whoever resumes the run.
 */

const BlockerKind = z.enum(blockerKinds);
/** `machine: null`: on all machines. */
export const Override = z.object({ blocker: BlockerKind, machine: MachineName.nullable() });
export type Override = z.infer<typeof Override>;
export const overridesMax = 200;

const wrong = (message: string, remedy: string): Failure => ({
  kind: 'override',
  machine: null,
  phase: 'override',
  message,
  remedy,
});

/** What is asked for under names such as these stays refused, so the error says so. */
const neverOverridden: ReadonlySet<string> = new Set([
  'no-root',
  'another-machine',
  'hostkey',
  'host-key',
  'unreachable',
  'dependency',
  'dependencies',
  'blocked',
  'all',
]);

const parseOverride = (text: string): Result<Override> => {
  const colon = text.lastIndexOf(':');
  const machine = colon === -1 ? null : text.slice(0, colon);
  const word = text.slice(colon + 1);
  const blocker = BlockerKind.safeParse(word);
  const shown = text.slice(0, 100);
  if (!blocker.success) {
    const known = `these can be overridden: ${blockerKinds.join(', ')}`;
    const near = nearest(word.slice(0, 100), blockerKinds);
    return fail(
      neverOverridden.has(word)
        ? wrong(`"${shown}" cannot be overridden`, known)
        : wrong(
            `no blocker is called "${shown}"`,
            near === null ? known : `did you mean "${near}"? ${known[0]?.toUpperCase()}${known.slice(1)}`,
          ),
    );
  }
  if (machine !== null && !MachineName.safeParse(machine).success)
    return fail(
      wrong(`"${shown}" names no machine`, 'write BLOCKER for all machines, or MACHINE:BLOCKER for one'),
    );
  return ok({ blocker: blocker.data, machine });
};

export const sameOverride = (one: Override, other: Override): boolean =>
  one.blocker === other.blocker && one.machine === other.machine;

/** `BLOCKER` or `MACHINE:BLOCKER`, several with commas between. The first word that is neither is the error. */
export const parseOverrides = (texts: readonly string[]): Result<readonly Override[]> => {
  const overrides: Override[] = [];
  const words = texts
    .flatMap((text) => text.split(','))
    .map((text) => text.trim())
    .filter((text) => text !== '');
  if (words.length > overridesMax)
    return fail(wrong(`${words.length} overrides are more than ${overridesMax}`, 'name fewer'));
  for (const word of words) {
    const parsed = parseOverride(word);
    if (!parsed.ok) return parsed;
    if (!overrides.some((known) => sameOverride(known, parsed.value))) overrides.push(parsed.value);
  }
  return ok(overrides);
};

/** An override for a machine that is not among those chosen is a slip of the finger, and must not pass for one. */
export const overridesFit = (overrides: readonly Override[], chosen: readonly string[]): Result<void> => {
  for (const { blocker, machine } of overrides) {
    if (machine === null || chosen.includes(machine)) continue;
    const near = nearest(machine, chosen);
    return fail(
      wrong(
        `the override ${machine}:${blocker} is for ${machine}, which is not among the machines chosen`,
        near === null ? 'choose it too, or leave the override out' : `did you mean "${near}:${blocker}"?`,
      ),
    );
  }
  return ok(undefined);
};

/** What of these is overridden on this machine. */
export const isOverridden = (overrides: readonly Override[], machine: string, blocker: Kind): boolean =>
  overrides.some(
    (override) => override.blocker === blocker && (override.machine === null || override.machine === machine),
  );

/** `users-logged-in on all machines` */
export const overrideWords = ({ blocker, machine }: Override): string =>
  `${blocker} on ${machine ?? 'all machines'}`;
