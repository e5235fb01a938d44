import { expect, test } from 'vitest';
import { terminalProblem } from '../../src/tui/terminal-problem.ts';

const tty = { isTTY: true };
const pipe = {};

test('a terminal on both sides is fine, even where CI is set', () => {
  expect(terminalProblem({ TERM: 'xterm', CI: '1' }, tty, tty)).toBeNull();
});

test.each([
  ['the output is none', { TERM: 'xterm' }, tty, pipe],
  ['the input is none', { TERM: 'xterm' }, pipe, tty],
  ['TERM is "dumb"', { TERM: 'dumb' }, tty, tty],
  ['TERM is ""', {}, tty, tty],
])('%s: said, with the plain commands as the way out', (reason, env, stdin, stdout) => {
  const problem = terminalProblem(env, stdin, stdout);
  expect(problem).toContain(reason);
  expect(problem).toContain('`lab status`');
});
