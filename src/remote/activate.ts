import type { Machine } from '../fleet/machine.ts';
import type { ActivateOutcome, ActivateRequest, Clock, ExecResult, Remote, SshError } from '../ports.ts';
import { sanitiseLine } from '../text/sanitise.ts';
import {
  clearScript,
  descriptionOf,
  outcomeOf,
  parseUnit,
  phaseOf,
  readScript,
  type UnitReading,
} from './activation-unit.ts';
import { fencedBy, unlockedMessage } from './lease.ts';
import { isToplevel, isUnitName } from './names.ts';
import { isRootRefused, rootPatience } from './no-root.ts';
import { readRecord, recordBytesMax } from './record.ts';
import { startArguments, startScript } from './start-unit.ts';

const commandDeadlineMs = 30_000;
const startAttemptsMax = 5;
const clearAttemptsMax = 3;
const firstPauseMs = 200;
const longestPauseMs = 2_000;
const reconnectPauseMs = 3_000;
/** For a machine to return to what it ran. */
const returnMs = 5 * 60_000;
/** Lines of the activation's output that an outcome carries: the last ones. */
const logLinesKept = 60;

type Deps = { readonly remote: Remote; readonly clock: Clock };
type Options = { signal?: AbortSignal; onProgress?: (line: string) => void };
/** One activation under way: what its phases share. `until` is its deadline on the clock. */
type Activation = {
  readonly deps: Deps;
  readonly machine: Machine;
  readonly request: ActivateRequest;
  readonly options: Options;
  readonly until: number;
};

/**
 * Activates a toplevel in a transient unit of its own and follows it over as many connections as it takes: a lost
 * connection is no failure before the deadline. When the unit is already there, from an attempt whose end nobody
 * saw, it is followed and none is started. The unit is removed once its result is read; it is left alone, and goes
 * on, when the result could not be learnt, and when it watches over what it activated: `settle` ends that.
 */
export const activate = async (
  deps: Deps,
  machine: Machine,
  request: ActivateRequest,
  options: Options,
): Promise<ActivateOutcome> => {
  const invalid = problemIn(request);
  if (invalid !== null) return neverStarted(invalid);
  const activation = { deps, machine, request, options, until: deps.clock.elapsed() + request.deadlineMs };
  const notStarted = await start(activation);
  if (notStarted !== null) return notStarted;
  const { outcome, keep } = await follow(activation);
  if (!keep) await clear(activation);
  return outcome;
};

/** `keep`: the unit is not over, or what its supervisor did is still to be asked for. */
type Followed = { readonly outcome: ActivateOutcome; readonly keep: boolean };

const refused = (message: string): Extract<ActivateOutcome, { kind: 'refused' }> => ({
  kind: 'refused',
  code: null,
  message,
  log: [],
});
const neverStarted = (message: string): ActivateOutcome => ({ ...refused(message), notStarted: true });
const unknown = (message: string): ActivateOutcome => ({ kind: 'unknown', message });

const problemIn = (request: ActivateRequest): string | null => {
  if (!isToplevel(request.toplevel)) {
    return `“${sanitiseLine(request.toplevel, 120)}” is not the store path of a toplevel`;
  }
  if (request.supervision !== undefined && request.mode !== 'switch' && request.mode !== 'test')
    return `a ${request.mode} has nothing to supervise`;
  return isUnitName(request.unit) ? null : `“${sanitiseLine(request.unit, 120)}” is not a unit name`;
};

const run = (
  { deps, machine, options, until }: Activation,
  argv: readonly string[],
): Promise<{ ok: true; value: ExecResult } | { ok: false; failure: SshError }> =>
  deps.remote.exec(machine, argv, {
    deadlineMs: Math.max(1, Math.min(commandDeadlineMs, until - deps.clock.elapsed())),
    ...(options.signal === undefined ? {} : { signal: options.signal }),
    outputBytesMax: recordBytesMax,
    asRoot: true,
    // Retried here, where it is known what a lost attempt may have done.
    idempotent: false,
  });

const over = ({ deps, options, until }: Activation): boolean =>
  options.signal?.aborted === true || deps.clock.elapsed() >= until;

/** Pauses, but never past the deadline. */
const pause = ({ deps, options, until }: Activation, ms: number): Promise<void> =>
  deps.clock.sleep(Math.max(0, Math.min(ms, until - deps.clock.elapsed())), options.signal);

/** null once the unit is there. Repeating is safe: systemd gives a name only once. */
const start = async (activation: Activation): Promise<ActivateOutcome | null> => {
  const { deps, machine, request } = activation;
  const { unit } = request;
  const argv = ['sh', '-c', startScript, 'sh', ...startArguments(machine, request)];
  let perhapsStarted = false;
  let why = 'the deadline had passed';
  for (let attempt = 1; attempt <= startAttemptsMax && !over(activation); attempt += 1) {
    if (attempt > 1) await pause(activation, reconnectPauseMs);
    const answer = await run(activation, argv);
    if (answer.ok) {
      const outcome = started(machine, request, answer.value);
      // An activation that has begun may well keep sudo, or systemd, from answering for a moment.
      const inDoubt = perhapsStarted && outcome?.kind === 'refused' && outcome.notStarted === true;
      if (!inDoubt) return outcome;
      why = outcome.message;
      continue;
    }
    why = answer.failure.message;
    perhapsStarted ||= answer.failure.dispatched;
    if (!answer.failure.retryable) break;
    deps.remote.forget(machine);
  }
  return perhapsStarted
    ? unknown(`nobody knows whether ${unit}.service was started on ${machine.name}: ${why}`)
    : neverStarted(`the activation was not started on ${machine.name}: ${why}`);
};

const started = (machine: Machine, request: ActivateRequest, result: ExecResult): ActivateOutcome | null => {
  const record = readRecord('start', result);
  if (typeof record === 'string') {
    // Without an exit status the command was cut off, perhaps after it had started the unit.
    return result.code === null
      ? unknown(`nobody knows whether ${request.unit}.service was started on ${machine.name}: ${record}`)
      : (isRootRefused('start', result) ? neverStarted : refused)(
          `the activation was not started on ${machine.name}: ${record}`,
        );
  }
  const fenced = fencedBy(record);
  if (fenced !== null) return fenced.kind === 'fenced' ? fenced : neverStarted(unlockedMessage(machine));
  switch (record.first('outcome')) {
    case 'started':
      return null;
    case 'existing':
      return record.first('description') === descriptionOf(request)
        ? null
        : refused(
            `${request.unit}.service on ${machine.name} belongs to something else: ${sanitiseLine(record.first('description') ?? '', 200)}`,
          );
    case 'theirs':
      return { ...refused(sanitiseLine(record.first('message') ?? '', 300)), theirs: true };
    case 'other-boot':
      return neverStarted(
        `the activation was not started: ${machine.name} has rebooted since it was looked at, or another machine answers for it`,
      );
    default:
      return neverStarted(
        `${machine.name} refused the unit ${request.unit}: ${sanitiseLine(record.first('message') ?? 'no reason given', 300)}`,
      );
  }
};

/** Reads the unit until it has ended, then says what that means. */
const follow = async (activation: Activation): Promise<Followed> => {
  const { deps, machine, request, options } = activation;
  const unitName = `${request.unit}.service`;
  let log: readonly string[] = [];
  let cursor = '';
  let pauseMs = firstPauseMs;
  let lost: string | null = null;
  // Unseen for longer than it waits for a word and takes to return, a supervised machine has returned or is gone: then
  // nothing is left to be followed, and other machines wait for their turn.
  const { supervision } = request;
  const unseenMaxMs = supervision === undefined ? null : supervision.confirmWithinMs + returnMs;
  let seenAt = deps.clock.elapsed();
  const unlearnt = (message: string): Followed => ({ outcome: unknown(message), keep: true });
  const isInVain = rootPatience(deps.clock);
  while (!over(activation)) {
    const reading = await read(activation, cursor);
    if (reading.kind === 'final') return unlearnt(`${unitName} goes on unseen: ${reading.message}`);
    if (reading.kind === 'lost') {
      if (lost === null) options.onProgress?.(`connection lost, the activation goes on: ${reading.message}`);
      lost = reading.message;
      if (isInVain(reading.rootRefused)) return unlearnt(`${unitName} goes on unseen: ${lost}`);
      const unseenMs = deps.clock.elapsed() - seenAt;
      if (unseenMaxMs !== null && unseenMs >= unseenMaxMs)
        return unlearnt(`${unitName} could not be read for ${Math.round(unseenMs / 1_000)} s: ${lost}`);
      deps.remote.forget(machine);
      await pause(activation, reconnectPauseMs);
      continue;
    }
    lost = null;
    isInVain(false);
    seenAt = deps.clock.elapsed();
    const { value } = reading;
    for (const line of value.log) options.onProgress?.(line);
    log = [...log, ...value.log].slice(-logLinesKept);
    cursor = value.cursor ?? cursor;
    const phase = phaseOf(value);
    if (phase.kind === 'gone') {
      return unlearnt(
        `${unitName} is gone from ${machine.name}: it was rebooted, or someone removed the unit`,
      );
    }
    if (phase.kind === 'running') {
      await pause(activation, pauseMs);
      pauseMs = Math.min(longestPauseMs, pauseMs * 2);
      continue;
    }
    // A full reading: there may be more to tell before the end is told.
    if (value.cursor !== null && value.full) continue;
    const supervised = request.supervision !== undefined;
    const keep = supervised && (value.unit.code !== null || value.unit.end !== null);
    const ended = (outcome: ActivateOutcome): Followed => ({ outcome, keep });
    if (phase.kind === 'died') return ended({ ...refused(`the activation died: ${phase.message}`), log });
    if (phase.kind === 'returned')
      return ended({ ...refused('it was live, and was returned since'), log, returned: true });
    return ended(outcomeOf(phase.status, request.mode, log, value.failedUnits, supervised));
  }
  const reason =
    options.signal?.aborted === true
      ? 'nobody waits for it any more'
      : `no end within ${Math.round(request.deadlineMs / 1_000)} s`;
  return unlearnt(`${unitName} goes on on ${machine.name}: ${reason}${lost === null ? '' : `; ${lost}`}`);
};

/** `lost` may come back; `final` will not, such as a host key that is another. */
type Reading =
  | { readonly kind: 'read'; readonly value: UnitReading }
  | { readonly kind: 'lost'; readonly message: string; readonly rootRefused: boolean }
  | { readonly kind: 'final'; readonly message: string };

const read = async (activation: Activation, cursor: string): Promise<Reading> => {
  const answer = await run(activation, ['sh', '-c', readScript, 'sh', activation.request.unit, cursor]);
  if (!answer.ok)
    return answer.failure.retryable
      ? { kind: 'lost', message: answer.failure.message, rootRefused: false }
      : { kind: 'final', message: answer.failure.message };
  const value = parseUnit(answer.value);
  return typeof value === 'string'
    ? { kind: 'lost', message: value, rootRefused: isRootRefused('unit', answer.value) }
    : { kind: 'read', value };
};

/** Its failure changes nothing: the outcome is known, and the unit is gone at the next boot at the latest. */
const clear = async (activation: Activation): Promise<void> => {
  const { deps, machine, request } = activation;
  // The deadline was for the activation; tidying has its own.
  const tidying = { ...activation, until: deps.clock.elapsed() + clearAttemptsMax * commandDeadlineMs };
  for (let attempt = 1; attempt <= clearAttemptsMax && !over(tidying); attempt += 1) {
    const answer = await run(tidying, ['sh', '-c', clearScript, 'sh', request.unit]);
    if (answer.ok) return;
    deps.remote.forget(machine);
    await pause(tidying, firstPauseMs);
  }
};
