import { expect, test } from 'vitest';
import { type ChunkOutcome, runChunk } from '../../src/nix-integration/chunk.ts';
import { copyClosure } from '../../src/nix-integration/copy.ts';
import { nixDeadlines } from '../../src/nix-integration/deadlines.ts';
import type { RunProcess } from '../../src/process/run.ts';
import { createVirtualClock } from '../../src/sim/clock.ts';
import { ended } from '../process/ended.ts';

/** How long an evaluation or a copy may go without a sign of life, whatever becomes of the wall clock meanwhile. */

const stallMs = 60_000;
const hourMs = 3_600_000;
const trace = (text: string): string =>
  `@nix ${JSON.stringify({ action: 'msg', level: 0, msg: `trace: @lab ${text}` })}`;

/** An evaluation that says these lines at these times, and ends with the last; for ever where `ends` is false. */
const evaluation = async (
  said: readonly (readonly [atMs: number, line: string])[],
  set: { readonly atMs: number; readonly byMs: number },
  ends: boolean,
): Promise<{ readonly outcome: ChunkOutcome; readonly afterMs: number }> => {
  const time = createVirtualClock(1_800_000_000_000);
  const startedAt = time.now();
  const { elapsed, sleep } = time.process().clock;
  let skewMs = 0;
  time.schedule(startedAt + set.atMs, () => {
    skewMs = set.byMs;
  });
  const clock = { now: () => time.now() + skewMs, elapsed, sleep };
  const runProcess: RunProcess = async (_argv, { signal, onStderrLine }) => {
    for (const [atMs, line] of said) {
      await sleep(startedAt + atMs - time.now(), signal);
      if (signal?.aborted !== true) onStderrLine?.(line);
    }
    if (!ends) await sleep(10 * hourMs, signal);
    return signal?.aborted === true ? { ...ended, code: null, signal: 'SIGTERM', cancelled: true } : ended;
  };
  const context = {
    nix: { runProcess, env: {} },
    flake: null,
    mapPaths: (text: string) => text,
    clock,
    deadlineMs: 10 * hourMs,
    stallMs,
    signal: undefined,
    env: {},
  };
  const outcome = await time.run(
    runChunk(context as unknown as Parameters<typeof runChunk>[0], ['nix', 'eval'], () => {}),
    { until: startedAt + 20 * hourMs, turnsMax: 1_000 },
  );
  return { outcome, afterMs: time.now() - startedAt };
};

test('a clock that is set forward gives up no evaluation that goes on', async () => {
  const { outcome, afterMs } = await evaluation(
    [
      [0, trace('begin nas')],
      [40_000, trace('ok nas {}')],
      [40_000, trace('begin app')],
      [90_000, trace('ok app {}')],
    ],
    { atMs: 50_000, byMs: hourMs },
    true,
  );
  expect([outcome.cause, [...outcome.records.keys()]]).toEqual([null, ['nas', 'app']]);
  expect(afterMs).toBe(90_000);
});

test('a clock that is set back makes no evaluation that stalls last longer', async () => {
  const { outcome, afterMs } = await evaluation(
    [[0, trace('begin nas')]],
    { atMs: 10_000, byMs: -hourMs },
    false,
  );
  expect([outcome.culprit, outcome.cause?.kind]).toEqual(['nas', 'timeout']);
  expect(afterMs).toBe(stallMs);
});

/** A copy that says something at these times, and then, for ever, nothing. When it was given up, and how. */
const copyThatSpeaksAt = async (...atMs: readonly number[]) => {
  const time = createVirtualClock(1_800_000_000_000);
  const startedAt = time.now();
  const { clock } = time.process();
  const runProcess: RunProcess = async (_argv, { signal, onStderrLine }) => {
    for (const at of atMs) {
      await clock.sleep(startedAt + at - time.now(), signal);
      if (signal?.aborted !== true)
        onStderrLine?.('@nix {"action":"result","id":1,"type":105,"fields":[1,2,0,0]}');
    }
    await clock.sleep(10 * hourMs, signal);
    return { ...ended, code: null, signal: 'SIGTERM', cancelled: true };
  };
  const copied = await time.run(
    copyClosure(
      { clock, runProcess },
      {
        machine: 'nas',
        toplevel: '/nix/store/7jgr0qa2fz62jwd44pigv1vwx0zs3pi7-nixos-system-nas',
        destination: 'nas',
        sshConfigPath: '/run/lab/ssh_config',
        deadlineMs: 4 * hourMs,
      },
    ),
    { until: startedAt + 20 * hourMs, turnsMax: 1_000 },
  );
  return { copied, afterMs: time.now() - startedAt };
};

test('a copy of which nothing moves any more is given up, and one that is only slow is not', async () => {
  const { copyStallMs } = nixDeadlines;
  const silent = await copyThatSpeaksAt();
  expect(silent).toMatchObject({ copied: { ok: false, failure: { kind: 'timeout', machine: 'nas' } } });
  expect(silent.afterMs).toBe(copyStallMs);
  const slow = await copyThatSpeaksAt(copyStallMs - 1, 2 * copyStallMs - 2);
  expect(slow.afterMs).toBe(3 * copyStallMs - 2);
});
