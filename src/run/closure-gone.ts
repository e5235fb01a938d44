import type { Generation } from '../ports.ts';
import { actDeadlines, type PerformContext } from './step-context.ts';

/** What to do where a toplevel that is to be returned to is no longer on its machine: nobody copies it there again. */

const namedMax = 5;

/** Pure: from the generations that are left, the newest first; null where they could not be read. */
export const returnsLeft = (
  machine: string,
  gone: string,
  generations: readonly Pick<Generation, 'number' | 'toplevel' | 'isCurrent'>[] | null,
): string => {
  if (generations === null) return `\`lab generations ${machine}\` tells what is left on it`;
  const left = generations.filter(({ toplevel, isCurrent }) => toplevel !== gone && !isCurrent);
  const [newest] = left;
  if (newest === undefined)
    return `no other generation is left on it to return to: \`lab deploy ${machine}\` brings what the flake says`;
  const numbers = left.slice(0, namedMax).map(({ number }) => number);
  const more = left.length > namedMax ? ` and ${left.length - namedMax} more` : '';
  return `generations that are still on it: ${numbers.join(', ')}${more}; \`lab rollback ${machine} --to ${newest.number}\``;
};

export const otherReturns = async (
  gone: string,
  { target, entry, signal }: PerformContext,
): Promise<string> => {
  const options = { deadlineMs: actDeadlines.generationsMs, signal };
  const read = await target.generations(entry.machine, options);
  return returnsLeft(entry.machine.name, gone, read.ok ? read.value : null);
};
