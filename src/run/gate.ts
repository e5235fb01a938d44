import type { Step } from '../plan/plan.ts';
import type { HealthReport, Observation, Runs, SshError, SystemState } from '../ports.ts';
import type { Failing } from './event.ts';
import { isUnitOfRuns } from './units-of-runs.ts';

/** What a gate says of one reading. `waiting` may still pass; `failed` will not; unknown counts as waiting, never as passed. */
type GateVerdict =
  | { readonly kind: 'passed'; readonly why: string }
  | { readonly kind: 'waiting'; readonly why: string }
  | { readonly kind: 'failed'; readonly failure: string; readonly why: string };

const told = (readings: HealthReport['readings']): string =>
  readings.map(({ check, evidence }) => `${check} (${evidence})`).join(', ');

/** Whether what fails fails for good, as far as anybody can tell: it is neither coming up nor going down. */
export const isSettled = (state: SystemState): boolean =>
  state === 'running' || state === 'degraded' || state === 'offline';

/**
 * Healthy enough to go on: every check passes and no unit has failed, but for what was failing before already. What
 * could not be told, then or now, is never a pass.
 */
export const judgeHealth = (report: HealthReport, before: Failing): GateVerdict => {
  const { readings, state, failedUnits, summary } = report;
  const waiting = (why: string): GateVerdict => ({ kind: 'waiting', why });
  if (report.verdict === 'healthy') return { kind: 'passed', why: summary };
  if (report.verdict === 'unknown' || !isSettled(state)) return waiting(summary);
  const failed = readings.filter(({ verdict }) => verdict === 'failed');
  const fresh = failed.filter(({ check }) => !before.checks.includes(check));
  if (fresh.length > 0) return waiting(fresh.length === failed.length ? summary : told(fresh));
  const untold = readings.filter(({ verdict }) => verdict === 'unknown');
  if (untold.length > 0) return waiting(told(untold));
  const freshUnits = failedUnits.filter((unit) => !before.units.includes(unit) && !isUnitOfRuns(unit));
  if (freshUnits.length > 0) return waiting(`units failed: ${freshUnits.join(', ')}`);
  // It must be known what it is that was so before: a state that fits no list of units is looked at again. (A system with
  // failed units may be running: it has only such as are started again for ever.)
  if ((state === 'degraded' && failedUnits.length === 0) || failed.length + failedUnits.length === 0)
    return waiting(summary);
  const old = failedUnits.filter((unit) => before.units.includes(unit));
  const units = old.length === 0 ? [] : [`units ${old.join(', ')}`];
  const checks = failed.length === 0 ? [] : [told(failed)];
  const asBefore = [...checks, ...units];
  const runs = failedUnits.filter((unit) => !old.includes(unit));
  return {
    kind: 'passed',
    why: [
      ...(asBefore.length === 0 ? [] : [`failing as before the run: ${asBefore.join('; ')}`]),
      ...(runs.length === 0 ? [] : [`another run did not succeed (${runs.join(', ')})`]),
    ].join('; '),
  };
};

type Expected = { readonly bootId: string | null; readonly current: string | null };

/** What must hold of the machine itself before its health counts: the boot of this run, the toplevel of this plan. */
export const judgeIdentity = (observation: Observation, expected: Expected): GateVerdict => {
  if (observation.kind === 'unreachable') {
    const { error } = observation;
    return error.kind.startsWith('hostkey-')
      ? { kind: 'failed', failure: 'hostkey-changed', why: error.message }
      : { kind: 'waiting', why: error.message };
  }
  return judgeRunning(observation, expected);
};

const judgeRunning = (running: Runs, expected: Expected): GateVerdict => {
  if (expected.bootId !== null && running.bootId !== expected.bootId)
    return {
      kind: 'failed',
      failure: 'boot-loop',
      why: `it rebooted again by itself: boot id ${running.bootId} instead of ${expected.bootId}`,
    };
  if (expected.current !== null && running.current !== expected.current)
    return {
      kind: 'failed',
      failure: 'wrong-generation',
      why: `it runs ${running.current ?? 'an unknown toplevel'} instead of ${expected.current}`,
    };
  return { kind: 'passed', why: 'runs as expected' };
};

/**
 * The health of a machine that was seen to run what it should: only if it still did when that was read, for somebody may
 * deploy to it, or it may reboot, between the two.
 */
export const judgeHealthOf = (report: HealthReport, expected: Expected, before: Failing): GateVerdict => {
  const still = report.runs === undefined ? null : judgeRunning(report.runs, expected);
  return still === null || still.kind === 'passed' ? judgeHealth(report, before) : still;
};

// ── the way through a reboot ─────────────────────────────────────────────────────────────────────────────────

type AwaitBoot = Extract<Step, { kind: 'await-boot' }>;

/** How far a reboot has been seen to go, by `Clock.elapsed`. `bootId` is the one from before the trigger. */
export type BootWatch = {
  readonly bootId: string;
  readonly bootedBefore: string | null;
  readonly triggeredAt: number;
  /** When it was first seen gone, or null while it still answers with the old boot id. */
  readonly downAt: number | null;
};

type BootVerdict =
  | { readonly kind: 'waiting'; readonly why: string }
  | { readonly kind: 'passed'; readonly bootId: string; readonly why: string }
  | { readonly kind: 'failed'; readonly failure: BootFailure; readonly why: string; readonly remedy: string };

/** The kinds of reboot failure that are told apart while waiting; `boot-loop` and `degraded` show at the gate after. */
export type BootFailure =
  | 'never-went-down'
  | 'never-came-back'
  | 'boot-unseen'
  | 'old-generation'
  | 'wrong-generation'
  | 'hostkey-changed'
  | 'unknown-boot';

/** What only somebody who is there, or who is asked from here, can say no with: it is no silence. */
const saidNo: ReadonlySet<SshError['kind']> = new Set(['auth', 'protocol', 'config']);

/** The end of the wait for one that has told nothing of its boot. */
const gaveUp = ({ upMs }: Pick<AwaitBoot, 'upMs'>, error: SshError): BootVerdict => {
  const within = `within ${Math.round(upMs / 1_000)} s`;
  const look = 'look at its console: it may wait for a disk password, hang in boot,';
  return saidNo.has(error.kind)
    ? {
        kind: 'failed',
        failure: 'boot-unseen',
        why: `it was told to reboot, and whether it is back could not be asked ${within}: ${error.message}`,
        remedy: error.kind === 'config' ? error.remedy : `${look} or have booted well. ${error.remedy}`,
      }
    : {
        kind: 'failed',
        failure: 'never-came-back',
        why: `it went down and did not answer ${within}: ${error.message}`,
        remedy: `${look} or have lost its network; the older generation is in its boot menu`,
      };
};

/**
 * One more look at a machine that is to reboot. Only another, non-empty boot id proves a reboot, and not where its PID 1 shows that
 * it is `stillIn` the boot before: a boot id is a file, which something may have covered. Every
 * connection error but a host key is transient on the way (sshd refuses, resets and denies while the machine goes and comes).
 * `now` and, when it was asked for this, `askedAt` by `Clock.elapsed`.
 */
export const judgeBoot = (
  step: Pick<AwaitBoot, 'booted' | 'downMs' | 'upMs'>,
  watch: BootWatch,
  seen: Observation,
  now: number,
  askedAt: number,
  stillIn = false,
): { readonly watch: BootWatch; readonly verdict: BootVerdict } => {
  const seconds = (ms: number): string => `${Math.round(ms / 1_000)} s`;
  if (seen.kind === 'unreachable') {
    const downAt = watch.downAt ?? now;
    const next = { ...watch, downAt };
    if (seen.error.kind.startsWith('hostkey-'))
      return {
        watch: next,
        verdict: {
          kind: 'failed',
          failure: 'hostkey-changed',
          why: `${seen.error.kind === 'hostkey-unknown' ? 'a host key that is not known' : 'another host key'} answers after the reboot: ${seen.error.message}`,
          remedy: `find out why before trusting it (an initrd waiting for a disk password shows its own key). ${seen.error.remedy}`,
        },
      };
    if (now - downAt > step.upMs) return { watch: next, verdict: gaveUp(step, seen.error) };
    return { watch: next, verdict: { kind: 'waiting', why: `down: ${seen.error.message}` } };
  }
  if (seen.bootId === watch.bootId || seen.bootId === '' || stillIn) {
    const since = now - watch.triggeredAt;
    if (seen.uptimeSeconds * 1_000 < askedAt - watch.triggeredAt)
      return {
        watch,
        verdict: {
          kind: 'failed',
          failure: 'unknown-boot',
          why: `it has been up for ${seconds(seen.uptimeSeconds * 1_000)}, so it rebooted, and tells the boot id of before: what it booted cannot be shown`,
          remedy:
            'a container tells the boot id of its host: set its lab.machine.reboot.policy to "never" and reboot it by hand',
        },
      };
    // After it was seen gone, the old boot id again means that only its network was away.
    const next = { ...watch, downAt: null };
    if (since > step.downMs)
      return {
        watch: next,
        verdict: {
          kind: 'failed',
          failure: 'never-went-down',
          why: `it still runs the old boot ${seconds(since)} after the trigger (systemd: ${seen.state})${
            stillIn && seen.bootId !== watch.bootId ? ', whatever boot id it tells now' : ''
          }`,
          remedy:
            'a unit may be refusing to stop, or an inhibitor blocks: look at `systemctl list-jobs` and `systemd-inhibit --list` on it; it may still go down later',
        },
      };
    return { watch: next, verdict: { kind: 'waiting', why: `going down (systemd: ${seen.state})` } };
  }
  if (step.booted !== null && seen.booted === null) {
    const why = `what it booted cannot be read (/run/booted-system is missing; systemd: ${seen.state})`;
    // An initrd that lets people in, to unlock its disks, is not there yet, though it may show the keys of the machine.
    const isStarted = seen.state === 'running' || seen.state === 'degraded';
    return !isStarted && now - (watch.downAt ?? watch.triggeredAt) <= step.upMs
      ? { watch, verdict: { kind: 'waiting', why: `it rebooted, and ${why}` } }
      : {
          watch,
          verdict: {
            kind: 'failed',
            failure: 'unknown-boot',
            why: `it rebooted, but ${why}`,
            remedy:
              'look at its console, where it may wait for a disk password: success cannot be shown before it tells what it booted',
          },
        };
  }
  if (step.booted !== null && seen.booted !== step.booted) {
    const old = seen.booted === watch.bootedBefore;
    return {
      watch,
      verdict: {
        kind: 'failed',
        failure: old ? 'old-generation' : 'wrong-generation',
        why: `it came back on ${old ? 'the old generation' : 'another generation'} ${seen.booted ?? ''} instead of ${step.booted}`,
        remedy:
          'its boot loader chose another entry: look at the boot menu default and at /boot (full or not mounted?)',
      },
    };
  }
  return {
    watch,
    verdict: {
      kind: 'passed',
      bootId: seen.bootId,
      why: `boot id ${watch.bootId} → ${seen.bootId}, booted as expected`,
    },
  };
};
