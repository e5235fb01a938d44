import { ChildProcess, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { runProcess } from '../../src/process/run.ts';
import { ended } from './ended.ts';

const shell = (script: string, ...words: string[]) => ['sh', '-c', script, 'sh', ...words];
const deadlineMs = 20_000;
const folder = mkdtempSync(join(tmpdir(), 'lab-run-'));
afterAll(() => rmSync(folder, { recursive: true }));

test('reports exit code and both outputs, and passes words through untouched', async () => {
  const result = await runProcess(
    shell('printf "%s|" "$@"; echo careful >&2; exit 3', "it's", '$HOME', 'a b', ''),
    {
      deadlineMs,
    },
  );
  expect(result).toMatchObject({
    code: 3,
    signal: null,
    stdout: "it's|$HOME|a b||",
    stderr: 'careful\n',
    timedOut: false,
    cancelled: false,
    truncated: false,
    startError: null,
  });
});

test('a program that does not exist is a start error, not an exit code', async () => {
  const result = await runProcess(['no-such-program-of-ours'], { deadlineMs });
  expect(result.code).toBeNull();
  expect(result.startError).toContain('ENOENT');
});

test('a word with a NUL byte is a start error and nothing throws', async () => {
  expect((await runProcess(['echo', 'a\0b'], { deadlineMs })).startError).not.toBeNull();
});

test('the deadline ends a process, and SIGKILL one that will not listen', async () => {
  const result = await runProcess(shell('trap "" TERM; echo deaf; while :; do sleep 0.05; done'), {
    // Time for a shell to begin on a busy machine.
    deadlineMs: 3_000,
  });
  expect(result).toMatchObject({ code: null, signal: 'SIGKILL', timedOut: true, stdout: 'deaf\n' });
});

test('cancelling ends the process; cancelled beforehand it never starts', async () => {
  const abort = new AbortController();
  const running = runProcess(shell('echo up; sleep 60'), {
    deadlineMs,
    signal: abort.signal,
    onStdoutLine: () => abort.abort(),
  });
  expect(await running).toMatchObject({ cancelled: true, timedOut: false, code: null });

  const witness = join(folder, 'witness');
  const never = await runProcess(['touch', witness], { deadlineMs, signal: abort.signal });
  expect(never).toMatchObject({ cancelled: true, code: null });
  expect(() => readFileSync(witness)).toThrow();
});

/** In a group, what a process has started: its number is said first, and nothing but a kill ends it. */
const deafChild = '(trap "" TERM; exec sleep 60) & echo $!; wait';
const lives = (pid: number): boolean =>
  spawnSync('ps', ['--no-headers', '-o', 'stat=', '-p', String(pid)])
    .stdout.toString()
    .replaceAll(/Z.*/gu, '')
    .trim() !== '';

test.each([
  ['that is cancelled', ''],
  ['that is cancelled while it is stopped', 'kill -STOP $$;'],
])('a process of its own group %s takes with it what it has started', async (_what, first) => {
  const abort = new AbortController();
  let child = 0;
  const result = await runProcess(shell(deafChild.replace('wait', `${first} wait`)), {
    deadlineMs,
    group: true,
    signal: abort.signal,
    onStdoutLine: (line) => {
      child = Number(line);
      abort.abort();
    },
  });
  expect(result).toMatchObject({ cancelled: true, code: null });
  await vi.waitFor(() => expect(lives(child)).toBe(false), { timeout: 30_000 });
});

test('a process of its own group that ends by itself leaves alone what it has started', async () => {
  const result = await runProcess(shell('sleep 60 >&- 2>&- & echo $!'), { deadlineMs, group: true });
  const child = Number(result.stdout);
  expect([result.code, lives(child)]).toEqual([0, true]);
  process.kill(child);
});

test('a process of its own group ends with ours', async () => {
  const run = new URL('../../src/process/run.ts', import.meta.url).href;
  const ours = spawnSync(process.execPath, [
    '--input-type=module',
    '--eval',
    `import { runProcess } from ${JSON.stringify(run)};
    void runProcess(['sh', '-c', ${JSON.stringify(deafChild)}], { deadlineMs: ${deadlineMs}, group: true, onStdoutLine: (line) => { console.log(line); process.exit(0); } });`,
  ]);
  const child = Number(ours.stdout.toString());
  expect(child, ours.stderr.toString()).toBeGreaterThan(0);
  await vi.waitFor(() => expect(lives(child)).toBe(false), { timeout: 30_000 });
});

describe('a process that is not ours to end, as those of sudo are', () => {
  let pid = 0;
  beforeEach(() => {
    // What Node does where the kernel says no.
    vi.spyOn(ChildProcess.prototype, 'kill').mockImplementation(function (this: ChildProcess) {
      pid = this.pid ?? 0;
      this.emit('error', Object.assign(new Error('kill EPERM'), { code: 'EPERM', syscall: 'kill' }));
      return false;
    });
  });
  afterEach(() => {
    vi.restoreAllMocks();
    process.kill(pid, 'SIGKILL');
  });

  test.each([false, true])('is waited for no longer than its deadline (group: %s)', async (group) => {
    const result = await runProcess(shell('echo begun; exec sleep 50 >&- 2>&-'), { deadlineMs: 300, group });
    expect(result).toEqual({ ...ended, code: null, stdout: 'begun\n', timedOut: true });
  });

  test('nor than until it is cancelled, whatever it was given to read', async () => {
    const abort = new AbortController();
    const result = await runProcess(shell('echo begun; exec sleep 50'), {
      deadlineMs,
      stdin: 'x'.repeat(1_000_000),
      signal: abort.signal,
      onStdoutLine: () => abort.abort(),
    });
    expect(result).toMatchObject({ code: null, cancelled: true, timedOut: false });
  });
});

test('a grandchild that keeps the pipe open does not hold the result back', async () => {
  const result = await runProcess(shell('sleep 60 & echo $!; exit 5'), { deadlineMs });
  spawnSync('kill', [result.stdout.trim()]);
  expect(result).toMatchObject({ code: 5, timedOut: false });
});

/** Sooner than it is drained, a second after the end of a process, and as late as that allows: a shell may be slow to begin. */
const drainsAtMs = 950;

test('a deadline that passes while output drains does not turn a success into a timeout', async () => {
  const result = await runProcess(shell('sleep 60 & echo $!'), { deadlineMs: drainsAtMs });
  spawnSync('kill', [result.stdout.trim()]);
  expect(result).toMatchObject({ code: 0, timedOut: false });
});

test.each([0, -20, 0.4])(
  'a deadline of %d ms, which has passed by the time it is asked for, ends it at once',
  async (ms) => {
    const result = await runProcess(['sleep', '60'], { deadlineMs: ms, signal: AbortSignal.timeout(20_000) });
    expect(result).toMatchObject({ timedOut: true, cancelled: false });
  },
);

test('many groups at a time cost no warning', async () => {
  const warned = vi.fn();
  process.on('warning', warned);
  await Promise.all(Array.from({ length: 12 }, () => runProcess(shell('true'), { deadlineMs, group: true })));
  process.off('warning', warned);
  expect(warned).not.toHaveBeenCalled();
});

test('output past the bound is cut, stdout at its end and stderr at its beginning, and the process goes on', async () => {
  const result = await runProcess(shell('printf 123456789; printf abcdefghi >&2; exit 7'), {
    deadlineMs,
    outputCharsMax: 4,
  });
  expect(result).toMatchObject({ code: 7, truncated: true, stdout: '1234', stderr: 'fghi' });
});

test('lines arrive one by one, also the last one without a newline', async () => {
  const out: string[] = [];
  const err: string[] = [];
  await runProcess(shell('printf "a\\nb\\r\\n\\nlast"; printf "é\\n" >&2'), {
    deadlineMs,
    onStdoutLine: (line) => out.push(line),
    onStderrLine: (line) => err.push(line),
  });
  expect(out).toEqual(['a', 'b', '', 'last']);
  expect(err).toEqual(['é']);
});

test('stdin is written and closed; a program that does not read it is no error', async () => {
  const read = await runProcess(['cat'], { deadlineMs, stdin: 'x'.repeat(300_000) });
  expect(read.stdout.length).toBe(300_000);
  expect((await runProcess(['true'], { deadlineMs, stdin: 'x'.repeat(300_000) })).code).toBe(0);
});

test('env is added, cwd is used', async () => {
  const result = await runProcess(shell('echo "$LAB_TEST_WORD $PWD ${PATH:+path}"'), {
    deadlineMs,
    cwd: '/',
    env: { LAB_TEST_WORD: 'word' },
  });
  expect(result.stdout).toBe('word / path\n');
});
