import fc from 'fast-check';
import { expect } from 'vitest';

/** Text that wants to do harm, and what must hold of whatever becomes of it. */

const timeBoxMs = 8_000;

/**
 * Options of every property here: as many runs as there is time for, at most `numRuns`. A failure prints its seed and
 * path; `LAB_FUZZ_SEED=… LAB_FUZZ_PATH=…` replays it.
 */
export const timeBoxed = (numRuns: number): fc.Parameters<unknown> => ({
  numRuns,
  interruptAfterTimeLimit: timeBoxMs,
  markInterruptAsFailure: false,
  ...(process.env.LAB_FUZZ_SEED === undefined ? {} : { seed: Number(process.env.LAB_FUZZ_SEED) }),
  ...(process.env.LAB_FUZZ_PATH === undefined ? {} : { path: process.env.LAB_FUZZ_PATH }),
});

/** What a shell would run, what a terminal would obey, what ends a string or a line, and what is no text at all. */
const harmful = [
  "'",
  '"',
  '`touch CANARY`',
  '$(touch CANARY)',
  '${IFS}touch${IFS}CANARY',
  '; touch CANARY;',
  '| touch CANARY',
  '&& touch CANARY',
  '\ntouch CANARY\n',
  "'; touch CANARY; '",
  '\\',
  '\r',
  '\n',
  '\r\n',
  '\t',
  '\0',
  '\u0007',
  '\b\b\b\b',
  '\u001b[2J\u001b[H',
  '\u001b[31mred\u001b[0m',
  '\u001b]0;title\u0007',
  '\u001b]52;c;Y2FuYXJ5\u001b\\',
  '\u001b]8;;http://example.com\u001b\\link\u001b]8;;\u001b\\',
  '\u001bPq#0;2;0;0;0\u001b\\',
  '\u001b[6n',
  '\u001b[?1049h',
  '\u001b',
  '\u001b[',
  '\u009b31m',
  '\u009d0;title\u009c',
  '\u007f',
  '\u0085',
  '\u2028',
  '\u202eesrever\u202c',
  '\u2066isolate\u2069',
  '\u200b\u200f\ufeff',
  '\ud800',
  '\udfff',
  '\ufffd',
  '漢字',
  'é',
  '🎉',
  '..',
  '/',
  '%s%n',
  '--',
  '-',
  '*',
  '?',
  '!',
  '@',
  '=',
  ':',
  ',',
  ' ',
  '0',
  '-1',
  '99999999999999999999',
  'NaN',
  '__proto__',
  'constructor',
  'toString',
  'lab-end',
  '@nix {}',
  '{"action":"msg"}',
  '[]',
  'null',
];

export const hostileText = (maxLength = 12): fc.Arbitrary<string> =>
  fc
    .array(fc.oneof(fc.constantFrom(...harmful), fc.string({ unit: 'binary', maxLength: 6 })), { maxLength })
    .map((pieces) => pieces.join(''));

/** Words as argv can hold them: no NUL. */
export const hostileWord: fc.Arbitrary<string> = hostileText(6).map((text) => text.replaceAll('\0', ''));

/** Damages text as a cut connection, a full disk or a liar does: pieces lost, doubled, put in or exchanged. */
export const damaged = (text: string): fc.Arbitrary<string> =>
  fc
    .array(
      fc.record({
        at: fc.nat({ max: Math.max(0, text.length) }),
        remove: fc.nat({ max: 20 }),
        put: fc.oneof({ weight: 2, arbitrary: hostileText(2) }, { weight: 1, arbitrary: fc.constant('') }),
      }),
      { maxLength: 6 },
    )
    .map((edits) =>
      edits.reduce((now, { at, remove, put }) => now.slice(0, at) + put + now.slice(at + remove), text),
    );

const megabyte = 1024 * 1024;
const ofSize = (piece: string, chars: number): string => piece.repeat(Math.ceil(chars / piece.length));

/** Ten megabytes of what parsers dread: one line without end, and what makes expressions backtrack. */
export const hugeTexts: readonly (readonly [string, string])[] = [
  'x',
  ' ',
  '\n',
  '\u001b',
  '\u001b[',
  '\u001b[;',
  '\u001b];a',
  '\u009b1;',
  '=',
  'a=b\n',
  'error: ',
  'at a:1:1 ',
  'at ',
  "'/nix/store/",
  '/nix/store/a',
  '1:',
  '(',
  '{"a":',
  '[',
  '"',
  '\\',
  ', ',
  '* a',
  '|1|',
  '%h',
  '${A}',
  '\ud83c',
].map((piece) => [JSON.stringify(piece), ofSize(piece, 10 * megabyte)] as const);

/**
 * Fails when the work takes longer than a person would wait. What counts is the time of the processor that it took: a
 * machine may have other things to do as well.
 */
export const soon = async <T>(what: string, work: () => T | Promise<T>, limitMs = 3_000): Promise<T> => {
  const from = process.threadCpuUsage();
  const value = await work();
  const { user, system } = process.threadCpuUsage(from);
  expect((user + system) / 1_000, `${what} is done soon`).toBeLessThan(limitMs);
  return value;
};

const control = /[\u0000-\u0008\u000a-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/u;

/** No line of it can move a cursor, ring a bell, turn the direction of text or end early. */
export const expectCalm = (lines: readonly string[]): void => {
  for (const line of lines) {
    const at = control.exec(line);
    if (at !== null) expect.fail(`control character ${JSON.stringify(at[0])} in ${JSON.stringify(line)}`);
  }
};

/** Every string that a value holds, however deep. */
export const stringsIn = (value: unknown, depth = 0): readonly string[] => {
  if (typeof value === 'string') return [value];
  if (value === null || typeof value !== 'object' || depth > 20) return [];
  const inner = value instanceof Map ? [...value.entries()].flat() : Object.values(value);
  return inner.flatMap((part: unknown) => stringsIn(part, depth + 1));
};
