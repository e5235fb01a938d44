import type { ActivateOutcome, ActivateRequest } from '../ports.ts';
import { type Fault, faultOf } from './fault.ts';
import { type Due, type SimMachine, type TransientUnit, withDue } from './machine.ts';
import { isBusy, numbered, superviseFrom } from './supervisor.ts';

/**
 * What an activation does to a simulated machine, in the order of the real one: the profile first, then the switch.
 * So one that nobody watches over and that is refused midway leaves a profile that would boot something that never
 * lived. A supervised one leaves the profile alone until it is confirmed.
 */

/** Shares of the duration after which the profile is set and the new generation is live. */
const share = { profile: 0.1, live: 0.5, crash: 0.7 } as const;

/** A supervised activation is ended after this share of what its asker waits for it. */
const limitShare = 0.95;

type Course = {
  readonly setsProfile: boolean;
  readonly goesLive: boolean;
  readonly failsUnit: string | null;
  readonly outcome: ActivateOutcome;
};

const refused = (code: number, message: string) =>
  ({ kind: 'refused', code, message, log: [message] }) as const satisfies ActivateOutcome;

const isNewTo = ({ origin }: SimMachine, toplevel: string): boolean =>
  toplevel !== origin.current && toplevel !== origin.profile;

/** Whether the toplevel is not on the machine, though it was copied there. */
export const isGone = (machine: SimMachine, toplevel: string): boolean =>
  isNewTo(machine, toplevel) &&
  (faultOf(machine.faults, 'copy-lies') !== null ||
    machine.copies <= (faultOf(machine.faults, 'collected')?.times ?? -1));

/** Why it would take the place of what somebody else has deployed, or null. */
export const overTheirs = (
  { current, profile }: SimMachine,
  { toplevel, mode, over }: ActivateRequest,
): ActivateOutcome | null => {
  const isTheirs = (found: string): boolean =>
    over !== undefined && found !== toplevel && !over.includes(found);
  const theirs =
    mode !== 'boot' && isTheirs(current) ? current : mode !== 'test' && isTheirs(profile) ? profile : null;
  return theirs === null
    ? null
    : { kind: 'refused', code: null, message: `a link leads to ${theirs}`, log: [], theirs: true };
};

const missing: ActivateOutcome = { ...refused(91, 'the toplevel is not on the machine'), missing: true };

const courseOf = (machine: SimMachine, { toplevel, mode, supervision }: ActivateRequest): Course => {
  const writes = supervision === undefined && (mode === 'switch' || mode === 'boot');
  const runs = mode === 'switch' || mode === 'test';
  const fine: Course = {
    setsProfile: writes,
    goesLive: runs,
    failsUnit: null,
    outcome: { kind: 'live' },
  };
  if (mode === 'dry-activate') return fine;
  // The real one takes a lock that only one activation at a time can hold.
  if ([...machine.units.values()].some(isBusy))
    return {
      ...fine,
      goesLive: false,
      setsProfile: false,
      outcome: refused(11, 'could not take the lock: another activation is running'),
    };
  const isNew = isNewTo(machine, toplevel);
  if (!isNew) {
    if (faultOf(machine.faults, 'restore-refused') !== null)
      return { ...fine, goesLive: false, outcome: refused(2, 'the activation script failed') };
    // What needs a reboot to come needs one to go.
    const bootedNew = machine.booted !== machine.origin.booted && toplevel !== machine.current;
    return runs && bootedNew && faultOf(machine.faults, 'activation-exit')?.code === 100
      ? { ...fine, goesLive: false, outcome: { kind: 'needs-reboot', log: [] } }
      : fine;
  }
  if (isGone(machine, toplevel)) return { ...fine, setsProfile: false, goesLive: false, outcome: missing };
  const course = withFaults(machine.faults, fine, runs);
  // What only a reboot makes live needs no confirmation, so it is the boot default at once.
  return course.outcome.kind === 'needs-reboot' && mode === 'switch'
    ? { ...course, setsProfile: true }
    : course;
};

const withFaults = (faults: readonly Fault[], fine: Course, runs: boolean): Course => {
  const lie = faultOf(faults, 'activation-lies');
  if (lie?.about === 'failure')
    return { ...fine, outcome: refused(1, 'a check before the switch refused it') };
  if (lie !== null && lie.about !== 'the-return')
    return { ...fine, setsProfile: false, goesLive: lie.about === 'the-profile' && fine.goesLive };
  const nothing = { ...fine, setsProfile: false, goesLive: false };
  const full = faults.flatMap((fault) => (fault.kind === 'disk-full' ? [fault.path] : []));
  if (fine.setsProfile && full.includes('at-profile'))
    return { ...nothing, outcome: refused(93, 'the system profile could not be set') };
  // The profile leads to the new one, the boot loader does not.
  if (fine.setsProfile && full.includes('at-boot-entry'))
    return { ...fine, goesLive: false, outcome: refused(1, 'Failed to install bootloader') };
  const exit = faultOf(faults, 'activation-exit');
  // switch-to-configuration writes the boot entry before anything that can exit 2, 4 or 100.
  if (exit === null || (!runs && exit.code !== 1)) return fine;
  switch (exit.code) {
    case 1:
      return { ...fine, goesLive: false, outcome: refused(1, 'a check before the switch refused it') };
    case 2:
      return { ...fine, outcome: refused(2, 'the activation script failed') };
    case 4: {
      const log = ['warning: the following units failed: app.service'];
      return {
        ...fine,
        failsUnit: 'app.service',
        outcome: { kind: 'live-units-failed', units: ['app.service'], log },
      };
    }
    case 100:
      return { ...fine, goesLive: false, outcome: { kind: 'needs-reboot', log: [] } };
    default:
      return exit.code satisfies never;
  }
};

/** The machine with the unit running and everything due that the activation will do. */
export const beginActivation = (machine: SimMachine, request: ActivateRequest, now: number): SimMachine => {
  const { setsProfile, goesLive, failsUnit, outcome } = courseOf(machine, request);
  const { toplevel, unit } = request;
  const lasts = machine.nature.activationMs + (faultOf(machine.faults, 'slow-activation')?.ms ?? 0);
  const after = (part: number): number => now + Math.round(lasts * part);
  const crashes = faultOf(machine.faults, 'crash-in-activation') !== null && machine.boots === 0;
  const dues: Due[] = [{ at: after(1), kind: 'unit-ended', unit, outcome }];
  if (setsProfile) dues.push({ at: after(share.profile), kind: 'profile', toplevel, ...numbered(request) });
  if (goesLive) dues.push({ at: after(share.live), kind: 'live', toplevel });
  if (failsUnit !== null) dues.push({ at: after(share.live), kind: 'unit-fails', unit: failsUnit });
  if (crashes) dues.push({ at: after(share.crash), kind: 'crash' });
  const limitMs =
    request.supervision === undefined ? Number.POSITIVE_INFINITY : request.deadlineMs * limitShare;
  const endsAt = now + limitMs;
  const inTime: readonly Due[] =
    lasts <= limitMs
      ? dues
      : [
          ...dues.filter(({ at }) => at < endsAt),
          { at: endsAt, kind: 'unit-ended', unit, outcome: refused(124, 'it did not end in time') },
        ];
  const begun: TransientUnit = { request, outcome: null, watch: superviseFrom(machine, request) };
  const units = new Map(machine.units).set(unit, begun);
  return withDue({ ...machine, units }, ...inTime);
};
