import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Failure } from '../../src/failure.ts';
import { buildSurvived } from '../../src/flow/update-lock.ts';
import type { Journal } from '../../src/journal/journal.ts';
import { openJournal } from '../../src/journal/sqlite.ts';
import type { HealthReport } from '../../src/ports.ts';
import { type EventBody, noFacts } from '../../src/run/event.ts';
import { judgeHealth } from '../../src/run/gate.ts';
import { next } from '../../src/run/next.ts';
import { planFor } from '../plan/input.ts';
import { approved, runId, skippedFor, started } from '../run/history.ts';
import { machineNamed } from '../simulation/fleet.ts';

/** Words never end a run: what machines say, and names by the hundred, fit into the record. */

let directory = '';
let journal: Journal;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'lab-journal-'));
  journal = openJournal(directory, () => 5);
});
afterEach(() => {
  journal.close();
  rmSync(directory, { recursive: true, force: true });
});

const kept = (body: EventBody): EventBody | undefined => {
  const told = journal.append(runId, body);
  const read = journal.eventsOf(runId).at(-1);
  // Whoever drives the run decides on what a reader will see.
  expect(read?.body).toEqual(told.body);
  return read?.body;
};
const failedWith = (failure: Failure): EventBody => ({
  kind: 'run-ended',
  result: 'failed',
  reason: failure.message,
  failure,
});

describe('words that are longer than the record takes', () => {
  test('end no run over a fleet that is away: its end names as many machines as there is room for', () => {
    const names = Array.from(
      { length: 200 },
      (_, index) => `${'a-machine-with-a-long-name'.repeat(2)}-${index}`,
    );
    const plan = planFor(names.map((name) => machineNamed(name)));
    const history = approved(plan);
    for (const name of names)
      history.begin(`${name}/preflight`).end(`${name}/preflight`, skippedFor('unreachable'));
    for (const moment of ['start', 'end'] as const) {
      const decision = next(history.state);
      if (decision.kind === 'look')
        history.add({ kind: 'look-begun', moment }).add({
          kind: 'looked',
          moment,
          seen: names.map((name) => ({
            machine: name,
            verdict: 'unknown',
            why: `${name} does not answer`,
            failing: { checks: [], units: [] },
          })),
        });
    }
    const end = next(history.state);
    if (end.kind !== 'end') throw new TypeError('the run has not come to its end');
    expect(end.reason.length).toBeGreaterThan(8_192);
    const read = kept({ ...end, kind: 'run-ended' });
    if (read?.kind !== 'run-ended') throw new TypeError('not the end');
    expect(read.result).toBe(end.result);
    expect(read.reason).toHaveLength(8_192);
    expect(end.reason.startsWith(read.reason.slice(0, -1))).toBe(true);
    expect(read.reason.endsWith('…')).toBe(true);
  });

  test('end no run whose machine has more failed units than a sentence holds', () => {
    const report: HealthReport = {
      machine: 'box',
      at: 0,
      verdict: 'degraded',
      state: 'degraded',
      failedUnits: Array.from(
        { length: 200 },
        (_, index) => `mount-of-a-disk-that-went-away-long-ago@${index}.service`,
      ),
      readings: [],
      summary: 'failed units',
    };
    const verdict = judgeHealth(report, { checks: [], units: [] });
    expect(verdict.why.length).toBeGreaterThan(8_192);
    const failure = {
      kind: 'unhealthy',
      machine: 'box',
      phase: 'gate',
      message: verdict.why,
      remedy: 'look',
    };
    const read = kept({
      kind: 'step-ended',
      step: 'box/gate-after-reboot',
      outcome: { kind: 'failed', failure, facts: noFacts },
    });
    expect(read).toMatchObject({ outcome: { kind: 'failed', facts: noFacts } });
  });

  test('end no run whose update breaks the build of a whole fleet', () => {
    const broken = buildSurvived({
      built: [],
      failed: Array.from({ length: 100 }, (_, index) => ({
        kind: 'build',
        machine: `box-${index}`,
        phase: 'build',
        message: 'builder failed',
        remedy: 'see its log',
        detail: Array.from({ length: 5 }, (_, line) => `line ${line}`),
      })),
    });
    if (broken.ok) throw new TypeError('it survived');
    expect(broken.failure.detail).toHaveLength(600);
    const read = kept(failedWith(broken.failure));
    if (read?.kind !== 'run-ended') throw new TypeError('not the end');
    expect(read.failure?.detail).toEqual(broken.failure.detail?.slice(0, 200));
  });

  test('are cut in a list that is itself too long, and never in the middle of a character', () => {
    const read = kept(
      failedWith({
        kind: 'build',
        machine: null,
        phase: 'build',
        message: '😀'.repeat(5_000),
        remedy: '',
        detail: Array.from({ length: 300 }, () => 'x'.repeat(9_000)),
      }),
    );
    if (read?.kind !== 'run-ended' || read.failure === null) throw new TypeError('not the end');
    expect(read.failure.message.isWellFormed()).toBe(true);
    expect(read.failure.detail).toHaveLength(200);
    expect(read.failure.detail?.every((line) => line.length === 8_192)).toBe(true);
  });
});

describe('what is decided by', () => {
  test('is never cut: a step, a machine or a path out of its bounds is refused', () => {
    const long = 'x'.repeat(300);
    expect(() => journal.append(runId, { kind: 'step-intended', step: long })).toThrow(/too_big/u);
    expect(() =>
      journal.append(
        runId,
        failedWith({ kind: 'build', machine: long, phase: 'build', message: 'y'.repeat(9_000), remedy: '' }),
      ),
    ).toThrow(/too_big/u);
    const plan = planFor([machineNamed('box')]);
    expect(() => journal.append(runId, { ...started(plan), flake: 'x'.repeat(9_000) } as EventBody)).toThrow(
      /too_big/u,
    );
    expect(journal.eventsOf(runId)).toEqual([]);
  });
});
