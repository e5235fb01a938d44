import { fail, ok, type Result } from '../failure.ts';
import type { Machine } from '../fleet/machine.ts';
import type { ClosurePath, Remote } from '../ports.ts';
import { closureCharsMax, pathInfoArgv, readPathInfo } from '../text/path-info.ts';
import { isToplevel } from './names.ts';
import { failureOf, unusableAnswer } from './problem.ts';
import { prelude } from './record.ts';

/** Argument: a toplevel. Its closure, as the store of the machine knows it; nothing in it needs root. */
export const closureScript = `${prelude}
echo lab-closure
if [ ! -e "$1" ]; then
  echo lab-absent
else
  ${pathInfoArgv.join(' ')} "$1" || exit $?
fi
echo lab-end
`;

const closureDeadlineMs = 30_000;

/** The listing between the first line and the last, which what a login shell prints stands outside of. */
const listingIn = (stdout: string): string | null =>
  /(?:^|\n)lab-closure\n(.*\n)lab-end\n?$/su.exec(stdout)?.[1] ?? null;

/** The closure of a toplevel in the store of the machine. Failure kinds: `not-there`, `ssh-*`. */
export const closure = async (
  remote: Remote,
  machine: Machine,
  toplevel: string,
  { signal }: { readonly signal?: AbortSignal },
): Promise<Result<readonly ClosurePath[]>> => {
  if (!isToplevel(toplevel)) throw new TypeError('not a toplevel');
  const answer = await remote.exec(machine, ['sh', '-c', closureScript, 'sh', toplevel], {
    deadlineMs: closureDeadlineMs,
    ...(signal === undefined ? {} : { signal }),
    outputBytesMax: closureCharsMax,
    idempotent: true,
  });
  if (!answer.ok) return fail(failureOf(machine, 'closure', answer.failure));
  const { code, stdout, stderr, truncated } = answer.value;
  const listing = code === 0 && !truncated ? listingIn(stdout) : null;
  if (listing?.trim() === 'lab-absent')
    return fail({
      kind: 'not-there',
      machine: machine.name,
      phase: 'closure',
      message: `${machine.name} no longer has ${toplevel} in its store`,
      remedy: 'look at the machine anew',
    });
  const paths = listing === null ? null : readPathInfo(listing);
  if (paths !== null) return ok(paths);
  const why =
    code === 0
      ? 'the listing cannot be read'
      : `exit ${code ?? 'by a signal'}${stderr.trim() === '' ? '' : `: ${stderr.trim().split('\n').at(-1)}`}`;
  return fail(
    failureOf(machine, 'closure', unusableAnswer(machine, 'a question for a closure', why, answer.value)),
  );
};
