import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { fail, ok, type Result } from '../failure.ts';

const lineCharsMax = 1_000_000;

/** What a program that is still busy with its first line says meanwhile, a line each time. */
export const signOfLife = '...';

/**
 * Starts a program in a session of its own, so that it outlives this process and its terminal; gives the first line it
 * writes to stdout but for signs of life, each of which gives it its time anew. Its stderr goes to `logPath`, which begins
 * anew. Fails with a sentence; the program is ended then.
 */
export const startDetached = async (
  argv: readonly string[],
  options: { readonly stdin: string; readonly logPath: string; readonly deadlineMs: number },
): Promise<Result<string, string>> => {
  const [file, ...args] = argv;
  if (file === undefined) throw new TypeError('argv is empty');
  let log: number;
  try {
    mkdirSync(dirname(options.logPath), { recursive: true, mode: 0o700 });
    log = openSync(options.logPath, 'w', 0o600);
  } catch (error) {
    return fail(error instanceof Error ? error.message : String(error));
  }
  // Plain spawn: execa keeps watch over its children, and this one is to be forgotten.
  const child = spawn(file, args, { detached: true, stdio: ['pipe', 'pipe', log] });
  closeSync(log);
  const { stdin, stdout } = child;
  if (stdin === null || stdout === null) throw new TypeError('a pipe was asked for');
  const said = Promise.withResolvers<Result<string, string>>();
  let signs = 0;
  // Who was stopped (Ctrl-Z) meanwhile reads what has been said since before it judges: the program may be well under way.
  const timer = setTimeout(() => {
    const before = signs;
    setImmediate(() => {
      if (signs === before) said.resolve(fail('it did not answer in time'));
    });
  }, options.deadlineMs);
  let text = '';
  stdout.setEncoding('utf8');
  stdout.on('data', (chunk: string) => {
    text = (text + chunk).slice(0, lineCharsMax);
    while (text.startsWith(`${signOfLife}\n`)) {
      text = text.slice(signOfLife.length + 1);
      signs += 1;
      timer.refresh();
    }
    const end = text.indexOf('\n');
    if (end !== -1) said.resolve(ok(text.slice(0, end)));
  });
  stdout.once('end', () => said.resolve(fail('it ended at once')));
  stdout.once('error', (error) => said.resolve(fail(error.message)));
  child.once('error', (error) => said.resolve(fail(error.message)));
  stdin.on('error', () => {
    // It did not read all of it: what came of that is told by its answer, or by its end.
  });
  stdin.end(options.stdin);
  const line = await said.promise;
  clearTimeout(timer);
  // A program that is reported as not started must not start after all.
  if (!line.ok) child.kill('SIGKILL');
  // From here on nothing of it may keep this process alive.
  stdout.destroy();
  stdin.destroy();
  child.unref();
  return line;
};
