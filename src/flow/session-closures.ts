import type { Machine } from '../fleet/machine.ts';
import type { ClosureDiff } from '../plan/closure-diff.ts';
import type { Clock, Closures } from '../ports.ts';
import { compareClosures } from './compare-closures.ts';
import type { Dated, LabSnapshot } from './session.ts';
import type { SessionStore } from './session-store.ts';

/** Differences of closures, read when they are wanted: for the machine on show, and for the plan that waits. */

/** How many differences are remembered, the latest. */
const diffsKept = 200;
/** How many are read at a time: each is some thousands of paths. */
const readersMax = 2;

export type ClosureDiffs = ReadonlyMap<string, Dated<ClosureDiff>>;

type Pair = { readonly machine: Machine; readonly from: string; readonly to: string };

/** Under which name the difference of two toplevels is kept. */
export const closureKey = (from: string, to: string): string => `${from} ${to}`;

export type ClosureComparer = {
  /** Wants the difference between what this machine runs and what the flake wants, until `leave`; what failed is tried anew. */
  readonly look: (machine: string) => void;
  readonly leave: () => void;
};

const pairOf = (
  machine: Machine,
  from: string | null | undefined,
  to: string | null | undefined,
): readonly Pair[] => (from == null || to == null || from === to ? [] : [{ machine, from, to }]);

const planPairs = ({ phase, run }: LabSnapshot): readonly Pair[] =>
  phase.kind !== 'awaiting-approval' || run?.plan == null
    ? []
    : run.plan.machines.flatMap(({ machine, activation, prior, wanted }) =>
        activation === null ? [] : pairOf(machine, prior?.current, wanted),
      );

export const createClosureComparer = (
  closures: Closures,
  clock: Clock,
  store: SessionStore,
): ClosureComparer => {
  const { snapshot, change, closing, inBackground } = store;
  let looked: string | null = null;
  /** Readings under way, by key. */
  const reading = new Map<string, AbortController>();
  /** The plan whose differences were asked for: another plan asks anew for what could not be told. */
  let plan: string | null = null;

  const lookedPairs = (now: LabSnapshot): readonly Pair[] => {
    const machine = now.evaluation.value?.fleet.machines.find(({ name }) => name === looked);
    if (machine === undefined) return [];
    const seen = now.observations.get(machine.name);
    return pairOf(
      machine,
      seen?.kind === 'reachable' ? seen.current : null,
      now.toplevels.get(machine.name)?.outPath,
    );
  };

  const keep = (key: string, dated: Dated<ClosureDiff> | null): void => {
    const others = [...snapshot().closureDiffs].filter(([other]) => other !== key);
    change({
      closureDiffs: new Map(dated === null ? others : [...others, [key, dated] as const].slice(-diffsKept)),
    });
  };

  const read = async ({ machine, from, to }: Pair): Promise<void> => {
    const key = closureKey(from, to);
    const own = new AbortController();
    reading.set(key, own);
    keep(key, { value: null, at: null, refreshing: true, failure: null });
    const signal = AbortSignal.any([own.signal, closing]);
    const compared = await compareClosures(closures, machine, { from, to }, signal).finally(() =>
      reading.delete(key),
    );
    if (closing.aborted) return;
    if (signal.aborted) keep(key, null);
    else
      keep(
        key,
        compared.ok
          ? { value: compared.value, at: clock.now(), refreshing: false, failure: null }
          : { value: null, at: clock.now(), refreshing: false, failure: compared.failure },
      );
  };

  const forgetFailures = (pairs: readonly Pair[]): void => {
    for (const { from, to } of pairs)
      if (snapshot().closureDiffs.get(closureKey(from, to))?.failure != null)
        keep(closureKey(from, to), null);
  };

  const consider = (): void => {
    const now = snapshot();
    if (closing.aborted || (looked === null && now.phase.kind !== 'awaiting-approval')) return;
    const planned = planPairs(now);
    const hash = planned.length === 0 ? null : (now.run?.plan?.hash ?? null);
    if (hash !== null && hash !== plan) forgetFailures(planned);
    plan = hash ?? plan;
    for (const pair of [...lookedPairs(now), ...planned]) {
      if (reading.size >= readersMax) return;
      const key = closureKey(pair.from, pair.to);
      if (!reading.has(key) && !snapshot().closureDiffs.has(key)) inBackground(read(pair).then(consider));
    }
  };

  const leave = (): void => {
    const wanted = new Set(planPairs(snapshot()).map(({ from, to }) => closureKey(from, to)));
    for (const { from, to } of lookedPairs(snapshot())) {
      const key = closureKey(from, to);
      if (!wanted.has(key)) reading.get(key)?.abort();
    }
    looked = null;
  };

  store.subscribe(consider);
  return {
    look: (machine) => {
      if (looked !== null && looked !== machine) leave();
      looked = machine;
      forgetFailures(lookedPairs(snapshot()));
      consider();
    },
    leave,
  };
};
