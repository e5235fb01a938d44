import type { Machine } from '../fleet/machine.ts';
import type { Claim, Clock, Remote, SettleOutcome, Verdict } from '../ports.ts';
import { sanitiseLine } from '../text/sanitise.ts';
import { clearScript } from './activation-unit.ts';
import { claimArguments, fencedBy } from './lease.ts';
import { isUnitName } from './names.ts';
import { isRootRefused, rootPatience } from './no-root.ts';
import { readRecord, recordBytesMax } from './record.ts';
import { settleScript } from './supervisor.ts';
import { tellingLine, withTellingLine } from './telling-line.ts';

const commandDeadlineMs = 30_000;
const reconnectPauseMs = 3_000;
/** Who knocks often at a machine that does not let him in is soon kept out for longer. */
const lockedOutPauseMs = 30_000;
/** A try that has less left than this tells of its own haste, not of the machine. */
const tryAtLeastMs = 1_000;

type Deps = { readonly remote: Remote; readonly clock: Clock };
type Request = {
  readonly claim: Claim;
  readonly unit: string;
  readonly verdict: Verdict;
  readonly deadlineMs: number;
};

const unknown = (message: string): SettleOutcome => ({ kind: 'unknown', message });

/** What one answer of `settleScript` says: null while the end has not come. A string when it says nothing. */
const outcomeIn = (answer: ReturnType<typeof readRecord>): SettleOutcome | null | string => {
  if (typeof answer === 'string') return answer;
  const fenced = fencedBy(answer);
  if (fenced !== null) return fenced.kind === 'fenced' ? fenced : 'its lease could not be locked';
  const end = answer.first('end');
  const log = (): readonly string[] => answer.all('log').map((line) => sanitiseLine(line).trimEnd());
  switch (end) {
    case 'pending':
      return null;
    case 'confirmed':
    case 'gone':
    case 'spared':
      return { kind: end };
    case 'no-boot-default': {
      const said = tellingLine(log());
      return { kind: 'restored', why: 'no-boot-default', ...(said === null ? {} : { said }) };
    }
    case 'restored': {
      const refused = answer.first('refused') !== null;
      const asked = answer.first('verdict') === 'restore';
      return { kind: 'restored', why: refused ? 'refused' : asked ? 'asked' : 'unconfirmed' };
    }
    case 'stuck':
      return {
        kind: 'stuck',
        message: withTellingLine('its own return to what it ran before failed', log()),
      };
    default:
      return `the supervisor ended as “${sanitiseLine(end ?? '', 60)}”`;
  }
};

/**
 * Ends the supervision of an activation. The word goes over a connection made for it: one that was open before the
 * activation proves nothing about the machine's network and sshd. A machine that does not answer is tried until the
 * deadline, for it may return to answering by itself; one that lets nobody be root any more is not. The unit is removed
 * once it has said its end.
 */
export const settle = async (
  { remote, clock }: Deps,
  machine: Machine,
  { claim, unit, verdict, deadlineMs }: Request,
  { signal }: { signal?: AbortSignal },
): Promise<SettleOutcome> => {
  if (!isUnitName(unit)) return unknown(`“${sanitiseLine(unit, 120)}” is not a unit name`);
  const until = clock.elapsed() + deadlineMs;
  const leftMs = (): number => Math.max(1, Math.min(commandDeadlineMs, until - clock.elapsed()));
  const run = (argv: readonly string[]) =>
    remote.exec(machine, argv, {
      deadlineMs: leftMs(),
      ...(signal === undefined ? {} : { signal }),
      outputBytesMax: recordBytesMax,
      asRoot: true,
      idempotent: false,
    });
  let why = 'nobody waits for it any more';
  let hangs = false;
  const isInVain = rootPatience(clock);
  remote.forget(machine);
  while (signal?.aborted !== true) {
    let pauseMs = reconnectPauseMs;
    const givenMs = leftMs();
    const answer = await run([
      'sh',
      '-c',
      settleScript,
      'sh',
      unit,
      verdict,
      ...claimArguments(claim, machine),
    ]);
    if (answer.ok) {
      const outcome = outcomeIn(readRecord('settle', answer.value));
      if (outcome !== null && typeof outcome !== 'string') {
        // Its failure changes nothing: the unit has ended, and is gone at the next boot at the latest.
        if (outcome.kind !== 'gone' && outcome.kind !== 'fenced')
          await run(['sh', '-c', clearScript, 'sh', unit]);
        return outcome;
      }
      hangs = outcome === null;
      why =
        outcome ??
        `${unit}.service has not ended: what it does hangs (nix-env, for another that holds the profile, or switch-to-configuration)`;
      if (isInVain(isRootRefused('settle', answer.value))) break;
    } else {
      // The machine waits before it says so: who had less than the whole time for that tells of its own haste.
      if (!(hangs && answer.failure.kind === 'timeout' && givenMs < commandDeadlineMs))
        why = answer.failure.message;
      // What was activated may have locked us out: the machine returns by itself, and then lets us in again.
      const lockedOut = verdict === 'restore' && answer.failure.kind === 'auth';
      if (!answer.failure.retryable && !lockedOut) break;
      if (lockedOut) pauseMs = lockedOutPauseMs;
      remote.forget(machine);
    }
    if (clock.elapsed() + pauseMs + tryAtLeastMs > until) break;
    await clock.sleep(pauseMs, signal);
  }
  return unknown(why);
};
