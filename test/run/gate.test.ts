import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { reportOf } from '../../src/health/verdict.ts';
import type { HealthReport, Observation, Reachable, SshError } from '../../src/ports.ts';
import { type BootWatch, judgeBoot, judgeHealth, judgeIdentity } from '../../src/run/gate.ts';
import { notSeen, seen } from '../plan/input.ts';
import { toplevelOf } from '../simulation/fleet.ts';

const report = (traits: Partial<HealthReport>): HealthReport => ({
  machine: 'box',
  at: 0,
  verdict: 'healthy',
  state: 'running',
  failedUnits: [],
  readings: [],
  summary: 'the summary',
  ...traits,
});

describe('health', () => {
  test.each<[string, Partial<HealthReport>, readonly string[], 'passed' | 'waiting']>([
    ['healthy', {}, [], 'passed'],
    ['unhealthy', { verdict: 'unhealthy' }, [], 'waiting'],
    ['unknown is never healthy', { verdict: 'unknown' }, [], 'waiting'],
    [
      'unknown is never healthy, whatever failed before',
      { verdict: 'unknown', failedUnits: ['a'] },
      ['a'],
      'waiting',
    ],
    [
      'a unit failed that had not',
      { verdict: 'degraded', state: 'degraded', failedUnits: ['a'] },
      [],
      'waiting',
    ],
    [
      'the same unit had failed before',
      { verdict: 'degraded', state: 'degraded', failedUnits: ['a'] },
      ['a', 'b'],
      'passed',
    ],
    [
      'one more than before',
      { verdict: 'degraded', state: 'degraded', failedUnits: ['a', 'b'] },
      ['a'],
      'waiting',
    ],
    [
      'degraded, but the system is in no such state',
      { verdict: 'degraded', state: 'maintenance', failedUnits: ['a'] },
      ['a'],
      'waiting',
    ],
  ])('%s', (_name, traits, failedBefore, expected) => {
    expect(judgeHealth(report(traits), { checks: [], units: failedBefore }).kind).toBe(expected);
  });
});

test('that another run was refused on the machine does not speak against it: its unit alone has failed', () => {
  const unwell = { state: 'degraded', verdict: 'unhealthy' } as const;
  const judge = (...failedUnits: readonly string[]) =>
    judgeHealth(report({ ...unwell, failedUnits }), { checks: [], units: ['old.service'] });
  expect(judge('lab-orchestrator.service')).toEqual({
    kind: 'passed',
    why: 'another run did not succeed (lab-orchestrator.service)',
  });
  expect(judge('old.service', 'lab-orchestrator-resume.service')).toEqual({
    kind: 'passed',
    why: 'failing as before the run: units old.service; another run did not succeed (lab-orchestrator-resume.service)',
  });
  expect(judge('lab-orchestrator.service', 'nginx.service').kind).toBe('waiting');
});

const reading = (
  check: string,
  verdict: 'passed' | 'failed' | 'unknown',
): HealthReport['readings'][number] => ({
  check,
  type: 'http',
  verdict,
  evidence: `it ${verdict}`,
  tries: 1,
  ms: 1,
});

describe('what was failing before the run', () => {
  /** The production verdict over these readings. */
  const judge = (
    readings: Readonly<Record<string, 'passed' | 'failed' | 'unknown'>>,
    before: readonly string[],
    { state = 'running', units = [] }: { state?: Reachable['state']; units?: readonly string[] } = {},
  ) =>
    judgeHealth(
      reportOf(
        seen('box', {}, { state, failedUnits: units }),
        Object.entries(readings).map(([check, verdict]) => reading(check, verdict)),
      ),
      { checks: before, units: ['old.service'] },
    );

  test('does not fail the gate, and is named in its evidence', () => {
    expect(judge({ page: 'failed', port: 'passed' }, ['page'])).toEqual({
      kind: 'passed',
      why: 'failing as before the run: page (it failed)',
    });
  });

  test('is told apart without systemd, too, by the checks alone', () => {
    const without = { state: 'offline' } as const;
    expect(judge({ page: 'passed' }, [], without)).toEqual({
      kind: 'passed',
      why: '1 check passes, no systemd: units not looked at',
    });
    expect(judge({ page: 'failed' }, ['page'], without).kind).toBe('passed');
    expect(judge({ page: 'failed' }, [], without).kind).toBe('waiting');
    expect(judge({ page: 'unknown' }, [], without).kind).toBe('waiting');
  });

  test('excuses nothing that fails since', () => {
    expect(judge({ page: 'failed', port: 'failed' }, ['page'])).toEqual({
      kind: 'waiting',
      why: 'port (it failed)',
    });
  });

  test('excuses nothing that cannot be told now', () => {
    expect(judge({ page: 'failed', port: 'unknown' }, ['page']).kind).toBe('waiting');
    expect(judge({ page: 'unknown' }, ['page']).kind).toBe('waiting');
  });

  test('excuses no unit that failed since, and no system on its way down or up', () => {
    const degraded = (units: readonly string[]) =>
      judge({ page: 'failed' }, ['page'], { state: 'degraded', units });
    expect(degraded(['old.service'])).toEqual({
      kind: 'passed',
      why: 'failing as before the run: page (it failed); units old.service',
    });
    expect(degraded(['old.service', 'new.service']).kind).toBe('waiting');
    for (const state of ['starting', 'stopping', 'maintenance', 'unknown'] as const)
      expect(judge({ page: 'failed' }, ['page'], { state }).kind).toBe('waiting');
  });

  test('property: a gate passes exactly when all could be told and nothing fails that did not before', () => {
    const verdicts = fc.constantFrom('passed', 'failed', 'unknown');
    fc.assert(
      fc.property(
        fc.dictionary(fc.constantFrom('a', 'b', 'c'), verdicts),
        fc.subarray(['a', 'b', 'c']),
        fc.subarray(['old.service', 'new.service']),
        (readings, before, units) => {
          const { kind } = judge(readings as Record<string, 'passed' | 'failed' | 'unknown'>, before, {
            state: units.length > 0 ? 'degraded' : 'running',
            units,
          });
          const sound = Object.entries(readings).every(
            ([check, verdict]) => verdict === 'passed' || (verdict === 'failed' && before.includes(check)),
          );
          expect(kind).toBe(sound && !units.includes('new.service') ? 'passed' : 'waiting');
        },
      ),
    );
  });
});

const unreachable = (kind: SshError['kind']): Observation => {
  const observation = notSeen('box');
  return observation.kind === 'unreachable'
    ? { ...observation, error: { ...observation.error, kind } }
    : observation;
};

describe('identity', () => {
  const [old, wanted] = [toplevelOf('box', 'old'), toplevelOf('box', 'new')];
  const bootId = seen('box').bootId;

  test.each<[string, Observation, { bootId: string | null; current: string | null }, string]>([
    ['as expected', seen('box'), { bootId, current: old }, 'passed'],
    ['nothing in particular is expected', seen('box'), { bootId: null, current: null }, 'passed'],
    ['another boot', seen('box'), { bootId: 'another', current: old }, 'boot-loop'],
    ['another toplevel', seen('box'), { bootId, current: wanted }, 'wrong-generation'],
    [
      'an unreadable toplevel',
      seen('box', {}, { current: null }),
      { bootId, current: old },
      'wrong-generation',
    ],
    ['not reachable', unreachable('timeout'), { bootId, current: old }, 'waiting'],
    ['not let in', unreachable('auth'), { bootId, current: old }, 'waiting'],
    ['another host key', unreachable('hostkey-mismatch'), { bootId, current: old }, 'hostkey-changed'],
    ['a revoked host key', unreachable('hostkey-revoked'), { bootId, current: old }, 'hostkey-changed'],
  ])('%s', (_name, observation, expected, outcome) => {
    const verdict = judgeIdentity(observation, expected);
    expect(verdict.kind === 'failed' ? verdict.failure : verdict.kind).toBe(outcome);
  });
});

describe('the way through a reboot', () => {
  const [old, wanted] = [toplevelOf('box', 'old'), toplevelOf('box', 'new')];
  const step = { booted: wanted, downMs: 30_000, upMs: 60_000 };
  const before = seen('box');
  const watch: BootWatch = { bootId: before.bootId, bootedBefore: old, triggeredAt: 0, downAt: null };
  const back = (booted: string | null, more: Partial<Reachable> = {}): Observation =>
    seen('box', {}, { bootId: 'the next boot', booted, ...more });

  /** Goes through what is seen, second by second, to the first verdict that is not `waiting`. */
  const follow = (looks: readonly (readonly [seconds: number, Observation])[]): string => {
    let current = watch;
    for (const [seconds, observation] of looks) {
      const judged = judgeBoot(step, current, observation, seconds * 1_000, seconds * 1_000);
      current = judged.watch;
      if (judged.verdict.kind === 'passed') return `passed: ${judged.verdict.bootId}`;
      if (judged.verdict.kind === 'failed') return judged.verdict.failure;
    }
    return 'waiting';
  };
  const down = unreachable('timeout');
  const refused = unreachable('unreachable');

  test.each<[string, readonly (readonly [number, Observation])[], string]>([
    [
      'up, down, up with another boot id',
      [
        [1, before],
        [5, down],
        [20, back(wanted)],
      ],
      'passed: the next boot',
    ],
    [
      'so quick that it was never seen down',
      [
        [1, before],
        [8, back(wanted)],
      ],
      'passed: the next boot',
    ],
    [
      'still shutting down',
      [
        [1, before],
        [29, before],
      ],
      'waiting',
    ],
    [
      'never goes down',
      [
        [1, before],
        [31, before],
      ],
      'never-went-down',
    ],
    [
      'only its network was away',
      [
        [5, down],
        [20, before],
        [29, before],
      ],
      'waiting',
    ],
    [
      'its network was away, and it never went down',
      [
        [5, down],
        [20, before],
        [31, before],
      ],
      'never-went-down',
    ],
    [
      'it rebooted, by its uptime, and tells the boot id of before, as a container does',
      [
        [5, down],
        [20, seen('box', {}, { uptimeSeconds: 12 })],
      ],
      'unknown-boot',
    ],
    [
      'it had booted moments before the trigger, and is still going down',
      [
        [1, seen('box', {}, { uptimeSeconds: 3 })],
        [29, seen('box', {}, { uptimeSeconds: 31 })],
      ],
      'waiting',
    ],
    [
      'the old boot id after long silence is no reboot',
      [
        [5, down],
        [50, before],
      ],
      'never-went-down',
    ],
    [
      'still down',
      [
        [5, down],
        [60, down],
      ],
      'waiting',
    ],
    [
      'never comes back',
      [
        [5, down],
        [66, down],
      ],
      'never-came-back',
    ],
    [
      'answers, and lets nobody in until its time is over: that is not silence',
      [
        [5, down],
        [66, unreachable('auth')],
      ],
      'boot-unseen',
    ],
    [
      'cannot be asked from here: that says nothing of the machine',
      [
        [5, unreachable('config')],
        [66, unreachable('config')],
      ],
      'boot-unseen',
    ],
    [
      'could not be asked from here for a while',
      [
        [5, unreachable('config')],
        [50, unreachable('config')],
        [55, back(wanted)],
      ],
      'passed: the next boot',
    ],
    [
      'the silence counts from when it went down, not from the trigger',
      [
        [29, before],
        [30, down],
        [80, down],
      ],
      'waiting',
    ],
    [
      'refused, reset and not let in are ways of coming up',
      [
        [5, down],
        [10, refused],
        [12, unreachable('auth')],
        [13, unreachable('disconnected')],
        [14, back(wanted)],
      ],
      'passed: the next boot',
    ],
    [
      'another host key is final at once',
      [
        [5, down],
        [10, unreachable('hostkey-mismatch')],
      ],
      'hostkey-changed',
    ],
    [
      'back on what it had booted before',
      [
        [5, down],
        [20, back(old)],
      ],
      'old-generation',
    ],
    [
      'back on a third',
      [
        [5, down],
        [20, back(toplevelOf('box', 'foreign'))],
      ],
      'wrong-generation',
    ],
    [
      'back, and what it booted cannot be read',
      [
        [5, down],
        [20, back(null)],
      ],
      'unknown-boot',
    ],
    [
      'in an initrd that waits for a disk password and lets people in by the keys of the machine, then back',
      [
        [5, down],
        [20, back(null, { state: 'offline' })],
        [40, back(null, { state: 'starting' })],
        [60, down],
        [70, back(wanted)],
      ],
      'passed: the next boot',
    ],
    [
      'for ever in an initrd',
      [
        [5, down],
        [64, back(null, { state: 'starting' })],
        [66, back(null, { state: 'starting' })],
      ],
      'unknown-boot',
    ],
    [
      'back, however late it is looked at',
      [
        [5, down],
        [3_600, back(wanted)],
      ],
      'passed: the next boot',
    ],
  ])('%s', (_name, looks, expected) => {
    expect(follow(looks)).toBe(expected);
  });

  test('an empty boot id proves nothing', () => {
    const nameless = seen('box', {}, { bootId: '', booted: wanted });
    expect(judgeBoot(step, watch, nameless, 5_000, 5_000).verdict.kind).toBe('waiting');
  });

  test('another boot id proves nothing where PID 1 is that of the boot before', () => {
    const judged = (at: number) => judgeBoot(step, watch, back(wanted), at, at, true).verdict;
    expect(judged(5_000).kind).toBe('waiting');
    expect(judged(31_000)).toMatchObject({
      kind: 'failed',
      failure: 'never-went-down',
      why: 'it still runs the old boot 31 s after the trigger (systemd: running), whatever boot id it tells now',
    });
  });

  test('where no toplevel is expected, any boot will do', () => {
    const { verdict } = judgeBoot({ ...step, booted: null }, watch, back(null), 5_000, 5_000);
    expect(verdict.kind).toBe('passed');
  });

  test('every failure says what to do', () => {
    for (const looks of [
      [[31, before]],
      [
        [5, down],
        [66, down],
      ],
      [[20, back(old)]],
      [[20, back(null)]],
      [[20, unreachable('hostkey-mismatch')]],
    ] as const) {
      let current = watch;
      for (const [seconds, observation] of looks) {
        const judged = judgeBoot(step, current, observation, seconds * 1_000, seconds * 1_000);
        current = judged.watch;
        if (judged.verdict.kind === 'failed') {
          expect(judged.verdict.remedy.length).toBeGreaterThan(20);
          expect(judged.verdict.why.length).toBeGreaterThan(20);
        }
      }
    }
  });
});
