/** Why the screen cannot be shown here, as a sentence that names the way out; null when it can. Imports no Ink. */
export const terminalProblem = (
  env: Record<string, string | undefined>,
  stdin: { readonly isTTY?: boolean | undefined },
  stdout: { readonly isTTY?: boolean | undefined },
): string | null => {
  const instead =
    'use the plain commands instead: `lab status`, `lab plan`, `lab run`; `lab help` lists them all';
  if (stdout.isTTY !== true) return `the screen needs a terminal, and the output is none; ${instead}`;
  if (stdin.isTTY !== true)
    return `the screen needs a terminal to read keys from, and the input is none; ${instead}`;
  if (env.TERM === 'dumb' || env.TERM === undefined || env.TERM === '')
    return `the screen needs a terminal that can move its cursor (TERM is "${env.TERM ?? ''}"); ${instead}`;
  return null;
};
