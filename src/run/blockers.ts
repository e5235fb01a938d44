import type { Failure } from '../failure.ts';
import type { BlockerKind } from '../plan/blocker-kinds.ts';
import { isOverridden, type Override, parseOverrides } from '../plan/override.ts';
import { goesBack, type MachinePlan, type Plan } from '../plan/plan.ts';
import type { Login, PreflightFacts, Reachable } from '../ports.ts';
import { duration } from '../text/words.ts';

/**
 * What speaks against acting on a machine now, for reasons that are no fault of it: pure, from what it was seen to be.
 * All of them at once, each with its evidence.
 */

/** Least room a machine needs before anything is put on it, in bytes. /boot holds kernels and initrds of about 60 MB. */
const spaceFloors = { nixBytes: 512 * 1024 * 1024, bootBytes: 64 * 1024 * 1024 } as const;

/** A login without input for so long is somebody who went away and left it open: logind's own measure for idle. */
const awayAfterMs = 30 * 60_000;
const namedMax = 5;

export type Blocker = {
  readonly kind: BlockerKind;
  /** What was seen, in words that complete “box: …”. */
  readonly reason: string;
  /** What ends it, in words. */
  readonly remedy: string;
  /** False where going ahead could not lead to the goal, or back. */
  readonly overridable: boolean;
};

/** One look at a machine. `at` is the moment of it, ms since the epoch. */
export type Look = {
  readonly seen: Pick<Reachable, 'current' | 'profile' | 'uptimeSeconds' | 'state'>;
  readonly facts: Omit<PreflightFacts, 'root' | 'rootProblem'>;
  readonly at: number;
};

const gibi = (bytes: number): string => `${(bytes / 1024 ** 3).toFixed(1)} GiB`;
const mebi = (bytes: number): string =>
  bytes < 1024 ** 3 ? `${Math.floor(bytes / 1024 ** 2)} MiB` : gibi(bytes);

const listed = (items: readonly string[]): string =>
  items.length > namedMax
    ? `${items.slice(0, namedMax).join('; ')}; and ${items.length - namedMax} more`
    : items.join('; ');

const spaceBlockers = ({ steps }: MachinePlan, { facts }: Look): readonly Blocker[] => {
  const brings = steps.some(({ kind }) => kind === 'copy');
  const boots = steps.some(
    (step) => step.kind === 'activate' && (step.mode === 'switch' || step.mode === 'boot'),
  );
  return (
    [
      ['no-space-nix', '/nix', brings ? facts.nixFreeBytes : null, spaceFloors.nixBytes],
      ['no-space-boot', '/boot', boots ? facts.bootFreeBytes : null, spaceFloors.bootBytes],
    ] as const
  ).flatMap(([kind, path, free, floor]) =>
    free === null || free >= floor
      ? []
      : [
          {
            kind,
            reason: `${path} has ${mebi(free)} free, less than the ${mebi(floor)} that a deployment needs`,
            remedy: 'remove old generations (`nix-collect-garbage --delete-older-than 30d`) or make room',
            overridable: true,
          },
        ],
  );
};

/** Whether this login is one that the machine wants to be asked for. */
const counts = ({ machine, local }: MachinePlan, { askedBy }: Look['facts'], login: Login): boolean => {
  const { blockOnUsers } = machine.reboot;
  if (blockOnUsers === 'never' || login.own) return false;
  // Who runs `lab` on the very machine knows that the reboot ends their own session.
  if (local && askedBy.includes(login.user)) return false;
  // Where nobody can say how long, somebody is there.
  return blockOnUsers === 'any' || login.idleMs === null || login.idleMs < awayAfterMs;
};

const loginWords = ({ user, on, from, since, idleMs }: Login, at: number): string => {
  const times = [
    ...(since === null ? [] : [`for ${duration(Math.max(0, at - since))}`]),
    ...(idleMs === null ? [] : [`last active ${idleMs < 60_000 ? 'just now' : `${duration(idleMs)} ago`}`]),
  ];
  return [`${user} on ${on}${from === null ? '' : ` from ${from}`}`, ...times].join(', ');
};

/** What could not be learnt speaks against a reboot as what was found does. */
const untold = (
  kind: 'inhibitors-unknown' | 'users-unknown',
  what: string,
  why: string | null,
): readonly Blocker[] =>
  why === null
    ? []
    : [
        {
          kind,
          reason: `it is not known whether ${what}: ${why}`,
          remedy: 'see what ails logind on it (`systemctl status systemd-logind`, `loginctl`)',
          overridable: true,
        },
      ];

const rebootBlockers = (entry: MachinePlan, { seen, facts, at }: Look): readonly Blocker[] => {
  const { minUptime } = entry.machine.reboot;
  const users = facts.logins.filter((login) => counts(entry, facts, login));
  // A person asks for a rollback, and often because of what the machine has just booted.
  const young = seen.uptimeSeconds < minUptime && !goesBack(entry);
  return [
    ...(facts.inhibitors.length === 0
      ? []
      : [
          {
            kind: 'inhibited' as const,
            reason: `a shutdown inhibitor blocks its reboot: ${listed(facts.inhibitors)}`,
            remedy: 'let that work finish, or end it',
            overridable: true,
          },
        ]),
    ...untold('inhibitors-unknown', 'a shutdown inhibitor blocks its reboot', facts.inhibitorsUnknown),
    ...(users.length === 0
      ? []
      : [
          {
            kind: 'users-logged-in' as const,
            reason: `somebody is logged in, whom its reboot would throw out: ${listed(users.map((login) => loginWords(login, at)))}`,
            remedy: 'ask them to log out, or set lab.machine.reboot.blockOnUsers',
            overridable: true,
          },
        ]),
    ...(entry.machine.reboot.blockOnUsers === 'never'
      ? []
      : untold(
          'users-unknown',
          'somebody is logged in, whom its reboot would throw out',
          facts.loginsUnknown,
        )),
    ...(young
      ? [
          {
            kind: 'just-booted' as const,
            reason: `it booted ${duration(seen.uptimeSeconds * 1_000)} ago, and is not to be rebooted within ${duration(minUptime * 1_000)} of a boot`,
            remedy: 'find out why it rebooted (`journalctl --list-boots`), and wait',
            overridable: true,
          },
        ]
      : []),
  ];
};

/** Whether the steps lead to the goal from whatever the machine runs: none was left out because of what it ran. */
const leadsFromAnywhere = ({ wanted, prior, steps }: MachinePlan): boolean =>
  wanted === null ||
  steps.some((step) => step.kind === 'activate' && step.mode === 'switch') ||
  (prior !== null && prior.current !== wanted && prior.profile !== wanted);

const changeBlockers = (entry: MachinePlan, { seen }: Look): readonly Blocker[] => {
  const { prior } = entry;
  if (prior === null || (seen.current === prior.current && seen.profile === prior.profile)) return [];
  const known = seen.current !== null && seen.profile !== null;
  const what =
    seen.profile === prior.profile
      ? `what it runs since the plan was made: ${seen.current ?? 'unknown'} instead of ${prior.current ?? 'unknown'}`
      : `what it would boot since the plan was made: ${seen.profile ?? 'unknown'} instead of ${prior.profile ?? 'unknown'}`;
  return [
    {
      kind: 'changed-since-plan',
      reason: `someone else changed ${what}`,
      remedy: 'find out who deployed to it, then plan again',
      overridable: known && leadsFromAnywhere(entry),
    },
  ];
};

/**
 * An activation whose gate cannot be passed would only be taken back. A reboot may be what mends it, so this speaks
 * against none.
 */
const systemdBlockers = ({ steps }: MachinePlan, { seen }: Look): readonly Blocker[] => {
  const reason =
    seen.state === 'unknown'
      ? 'its systemd does not say how it is, so nothing activated on it could be shown to be healthy'
      : seen.state === 'maintenance'
        ? 'its systemd is in rescue or emergency mode, where nothing activated on it can become healthy'
        : null;
  if (reason === null || !steps.some((step) => step.kind === 'gate' && step.after === 'activation'))
    return [];
  return [
    {
      kind: 'systemd-unwell',
      reason,
      remedy:
        seen.state === 'unknown'
          ? 'look at its D-Bus and at PID 1 (`systemctl status dbus`, as root: `systemctl is-system-running`); where they are beyond help, reboot it'
          : 'see on its console what failed (`systemctl --failed`), and let it start (`systemctl default`), or reboot it',
      overridable: true,
    },
  ];
};

/**
 * Everything that blocks the machine. `preflight`: before it is touched, for all that the plan will do to it ·
 * `reboot`: right before it is rebooted, for that alone.
 */
export const blockersOf = (
  entry: MachinePlan,
  look: Look,
  moment: 'preflight' | 'reboot',
): readonly Blocker[] => {
  const { activating } = look.facts;
  return [
    ...(moment === 'preflight'
      ? [...changeBlockers(entry, look), ...spaceBlockers(entry, look), ...systemdBlockers(entry, look)]
      : []),
    ...(activating === null
      ? []
      : [
          {
            kind: 'activation-in-progress' as const,
            reason: `another activation is under way on it${activating.length === 0 ? '' : `: ${listed(activating)}`}`,
            remedy:
              'let it end, then run again: one of a run of lab that was killed returns by itself within minutes, unless `lab resume` goes on with that run before another begins',
            overridable: true,
          },
        ]),
    ...(moment === 'reboot' || entry.reboot !== null ? rebootBlockers(entry, look) : []),
  ];
};

/** Those that stand, and those that somebody chose to go ahead in spite of. */
export const weighed = (
  { overrides = [] }: Pick<Plan, 'overrides'>,
  machine: string,
  blockers: readonly Blocker[],
): { readonly standing: readonly Blocker[]; readonly overridden: readonly Blocker[] } => {
  const passes = ({ kind, overridable }: Blocker): boolean =>
    overridable && isOverridden(overrides, machine, kind);
  return {
    standing: blockers.filter((blocker) => !passes(blocker)),
    overridden: blockers.filter(passes),
  };
};

/** `inhibited (a backup runs), just-booted (…)` */
export const blockerWords = (blockers: readonly Blocker[]): string =>
  blockers.map(({ kind, reason }) => `${kind} (${reason})`).join(', ');

/** Blockers as one failure: kind, message, remedy and details, less the step it belongs to. */
export const blockedBy = (
  machine: string,
  blockers: readonly Blocker[],
): {
  readonly kind: string;
  readonly message: string;
  readonly remedy: string;
  readonly detail: readonly string[];
} => {
  const [first] = blockers;
  const flags = blockers.map(({ kind }) => `--override ${machine}:${kind}`).join(' ');
  const ahead = blockers.every(({ overridable }) => overridable)
    ? `; to go ahead all the same: ${flags}`
    : '';
  return first !== undefined && blockers.length === 1
    ? { kind: first.kind, message: first.reason, remedy: `${first.remedy}${ahead}`, detail: [] }
    : {
        kind: 'blocked',
        message: `${blockers.length} things hold it back: ${blockerWords(blockers)}`,
        remedy: `see to each of them${ahead}`,
        detail: blockers.map(({ kind, remedy }) => `${kind}: ${remedy}`),
      };
};

/** The overrides that `blockedBy` named as the way past what held a machine back; none where there is no such way. */
export const overridesNamed = ({ remedy }: Pick<Failure, 'remedy'>): readonly Override[] => {
  const flags = [...remedy.matchAll(/--override (\S+)/gu)].map(([, word = '']) => word);
  const parsed = parseOverrides(flags);
  return parsed.ok ? parsed.value : [];
};
