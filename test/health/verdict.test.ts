import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { reportOf } from '../../src/health/verdict.ts';
import { type CheckReading, type Observation, type SystemState, systemStates } from '../../src/ports.ts';
import { sshError } from '../remote/fake-remote.ts';

const noParts = { kernel: null, initrd: null, modules: null, params: null, systemd: null };
const seen = (state: SystemState, failedUnits: readonly string[] = []): Observation => ({
  kind: 'reachable',
  machine: 'm',
  at: 1,
  bootId: '0f0e0d0c-0b0a-4908-8706-050403020100',
  uptimeSeconds: 1,
  state,
  failedUnits,
  booted: null,
  current: null,
  profile: null,
  generation: null,
  kernelRelease: null,
  nixosVersion: null,
  bootedParts: noParts,
  profileParts: noParts,
});
const reading = (verdict: CheckReading['verdict'], check = 'web'): CheckReading => ({
  check,
  type: 'http',
  verdict,
  evidence: `evidence of ${check}`,
  tries: 1,
  ms: 1,
});

describe('the verdict', () => {
  it.each<[string, Observation, CheckReading[], string, string]>([
    ['all is well', seen('running'), [reading('passed')], 'healthy', '1 check passes, systemd is running'],
    ['units failed', seen('degraded', ['a.service']), [], 'degraded', 'no checks, failed units: a.service'],
    [
      'degraded, without saying what',
      seen('degraded'),
      [reading('passed'), reading('passed')],
      'degraded',
      '2 checks pass, systemd says degraded',
    ],
    [
      'a unit failed just now',
      seen('running', ['b.service']),
      [],
      'degraded',
      'no checks, failed units: b.service',
    ],
    [
      'a check fails',
      seen('running'),
      [reading('passed'), reading('failed', 'db')],
      'unhealthy',
      'db (evidence of db)',
    ],
    [
      'a check fails and systemd is still starting',
      seen('starting'),
      [reading('failed')],
      'unhealthy',
      'web (evidence of web)',
    ],
    ['a check cannot be put', seen('running'), [reading('unknown', 'db')], 'unknown', 'db (evidence of db)'],
    [
      'rescue mode',
      seen('maintenance'),
      [reading('unknown')],
      'unhealthy',
      'systemd is in maintenance (rescue or emergency mode)',
    ],
    ['it goes down', seen('stopping'), [reading('passed')], 'unhealthy', 'the machine is shutting down'],
    ['it comes up', seen('starting'), [reading('passed')], 'unknown', 'the machine is still starting'],
    [
      'no word from systemd',
      seen('unknown'),
      [reading('passed')],
      'unknown',
      'systemd does not tell its state',
    ],
    ['no systemd', seen('offline'), [], 'healthy', 'no checks, no systemd: units not looked at'],
    [
      'no systemd, a check passes',
      seen('offline'),
      [reading('passed')],
      'healthy',
      '1 check passes, no systemd: units not looked at',
    ],
    [
      'no systemd, a check fails',
      seen('offline'),
      [reading('failed', 'a')],
      'unhealthy',
      'a (evidence of a)',
    ],
    [
      'no systemd, a check is unknown',
      seen('offline'),
      [reading('unknown', 'a')],
      'unknown',
      'a (evidence of a)',
    ],
  ])('%s', (_what, observation, readings, verdict, summary) => {
    expect(reportOf(observation, readings)).toMatchObject({ verdict, summary });
  });

  it('names three failed checks and counts the rest', () => {
    const readings = ['a', 'b', 'c', 'd', 'e'].map((name) => reading('failed', name));
    expect(reportOf(seen('running'), readings).summary).toBe(
      'a (evidence of a), b (evidence of b), c (evidence of c) and 2 more',
    );
  });

  it('is healthy only on evidence: reachable, running, nothing failed, every check passed', () => {
    const observation = fc.oneof(
      fc.constant<Observation>({ kind: 'unreachable', machine: 'm', at: 1, error: sshError() }),
      fc
        .tuple(fc.constantFrom(...systemStates), fc.array(fc.constantFrom('a.service', 'b.service')))
        .map(([state, units]) => seen(state, units)),
    );
    const readings = fc.array(
      fc
        .constantFrom<CheckReading['verdict']>('passed', 'failed', 'unknown')
        .map((verdict) => reading(verdict)),
    );
    fc.assert(
      fc.property(observation, readings, (facts, all) => {
        const sound =
          facts.kind === 'reachable' &&
          // Where PID 1 is no systemd there are no units to look at, which is a fact too.
          (facts.state === 'running' || facts.state === 'offline') &&
          facts.failedUnits.length === 0 &&
          all.every(({ verdict }) => verdict === 'passed');
        expect(reportOf(facts, all).verdict === 'healthy').toBe(sound);
      }),
    );
  });
});
