import { z } from 'zod';
import { fail, ok, type Result } from '../failure.ts';
import type { Machine } from '../fleet/machine.ts';
import type { ExecResult, Generation, Remote } from '../ports.ts';
import { sanitiseLine } from '../text/sanitise.ts';
import { Parts, partsFunctions, partsIn, storePath } from './boot-parts.ts';
import { toplevelPattern } from './names.ts';
import { failureOf, unusableAnswer } from './problem.ts';
import { prelude, readRecord } from './record.ts';

/** How many generations are read: the newest, beside those that are asked for. */
export const generationsMax = 100;

/**
 * Lists the system profile. Argument: a number that must be among them, or nothing; the one that the profile leads to,
 * and the one before it, always are. A generation whose toplevel is no longer there is left out. Newest is the highest
 * number: the profile may lead to any of them.
 */
export const generationsScript = `${prelude}${partsFunctions}
echo lab-generations
profiles=/nix/var/nix/profiles
link current /run/current-system
link booted /run/booted-system
default=
if [ -L "$profiles/system" ]; then default=$(readlink "$profiles/system"); fi
put default "$default"
numbers() { sed -n 's,^\\(.*/\\)*system-\\([0-9][0-9]*\\)-link$,\\2,p'; }
all() { ls -1 "$profiles" 2>/dev/null | numbers | sort -rn; }
here=$(echo "$default" | numbers)
{
  all | head -n ${generationsMax}
  all | sed -n "/^$here$/{p;n;p;}"
  echo "system-$1-link" | numbers
} | sort -rnu |
  while read -r number; do
    at=$profiles/system-$number-link
    if [ -d "$at" ]; then
      put generation "$number $(stat -c %Y "$at") $(readlink -f "$at")"
      if [ -r "$at/nixos-version" ]; then put "$number-version" "$(head -n 1 "$at/nixos-version" | head -c 256)"; fi
      parts "$number" "$at"
    fi
  done
echo lab-end
`;

/** More than the parts of so many generations need: five paths and a kernel command line each. */
const answerBytesMax = 2 * 1024 * 1024;

const Line = z
  .string()
  .max(512)
  .regex(/^\d{1,9} \S* \S+$/)
  .transform((line) => line.split(' '))
  .pipe(z.tuple([z.string(), z.string(), z.string().max(255).regex(toplevelPattern)]));
const seconds = z
  .string()
  .regex(/^\d{1,12}$/)
  .transform((text) => Number(text) * 1_000)
  .nullable()
  .catch(null);

/** What the answer of `generationsScript` says, or in words why it says nothing. */
export const parseGenerations = (result: ExecResult): readonly Generation[] | string => {
  const record = readRecord('generations', result);
  if (typeof record === 'string') return record;
  const { first, all } = record;
  const [current, booted] = [storePath.parse(first('current')), storePath.parse(first('booted'))];
  const leadsTo = /^(?:.*\/)?system-(\d{1,9})-link$/.exec(first('default') ?? '')?.[1];
  return all('generation')
    .slice(0, generationsMax + 3)
    .flatMap((line): readonly Generation[] => {
      const parsed = Line.safeParse(line);
      if (!parsed.success) return [];
      const [number, at, toplevel] = parsed.data;
      const version = sanitiseLine(first(`${number}-version`) ?? '', 128).trim();
      return [
        {
          number: Number(number),
          toplevel,
          at: seconds.parse(at),
          isDefault: number === leadsTo,
          isCurrent: toplevel === current,
          isBooted: toplevel === booted,
          nixosVersion: version === '' ? null : version,
          parts: Parts.parse(partsIn(record, number)),
        },
      ];
    });
};

/** Reads the generations as the ssh user; nothing in it needs root. */
export const generations = async (
  remote: Remote,
  machine: Machine,
  { number, deadlineMs, signal }: { deadlineMs: number; signal?: AbortSignal; number?: number },
): Promise<Result<readonly Generation[]>> => {
  const argv = ['sh', '-c', generationsScript, 'sh', number === undefined ? '' : String(number)];
  const answer = await remote.exec(machine, argv, {
    deadlineMs,
    ...(signal === undefined ? {} : { signal }),
    outputBytesMax: answerBytesMax,
    idempotent: true,
  });
  if (!answer.ok) return fail(failureOf(machine, 'generations', answer.failure));
  const read = parseGenerations(answer.value);
  if (typeof read !== 'string') return ok(read);
  const error = unusableAnswer(machine, 'a question for its generations', read, answer.value);
  return fail(failureOf(machine, 'generations', error));
};
