/** Output as it came, and when, in seconds from the beginning. */
export type Output = { readonly at: number; readonly text: string };

/** An asciicast of version 2: a header, and a line for each piece of output. https://docs.asciinema.org/manual/asciicast/v2/ */
export const asciicastOf = (
  outputs: readonly Output[],
  header: { readonly width: number; readonly height: number; readonly title: string },
): string =>
  [
    JSON.stringify({
      ...{ version: 2, ...header, idle_time_limit: 3 },
      env: { TERM: 'xterm-256color', SHELL: '/bin/sh' },
    }),
    ...outputs.map(({ at, text }) => JSON.stringify([Number(at.toFixed(3)), 'o', text])),
    '',
  ].join('\n');
