import { dependencyMap } from '../../fleet/graph.ts';
import type { Machine } from '../../fleet/machine.ts';
import type { Durations } from '../../plan/durations.ts';

/** When each machine of a sequence would reboot, if all of them did, and which chain of needs takes longest. Milliseconds. */
export type Slot = {
  readonly machine: Machine;
  readonly position: number;
  readonly wave: number;
  readonly delayMs: number;
  /** From the trigger to the end of its stability period; 0 where its policy is never. */
  readonly takesMs: number;
  /** Whether `takesMs` rests on measurements of this machine. */
  readonly measured: boolean;
  /** When its delay begins, counted from the approval. */
  readonly startMs: number;
  readonly endMs: number;
  /** On the chain of needs that takes longest. */
  readonly critical: boolean;
};

/** Guesses until a machine has a history: as the plan guesses. */
const rebootGuessMs = 60_000;
const gateGuessMs = 5_000;

/** Seconds of delay before this machine: its own, and none before the first unless it set one itself. */
export const delaySecondsOf = ({ orchestration }: Machine, first: boolean): number =>
  first && !orchestration.rebootDelayIsOwn ? 0 : orchestration.rebootDelay;

const takesOf = (machine: Machine, durations: Durations | undefined): number =>
  machine.reboot.policy === 'never'
    ? 0
    : (durations?.reboot?.typicalMs ?? rebootGuessMs) +
      (durations?.gateAfterReboot?.typicalMs ?? gateGuessMs) +
      machine.reboot.stable * 1_000;

type Untraced = Omit<Slot, 'critical'>;

/** Names on the chain of needs with the greatest sum of delays and reboots. Expects dependencies before dependents. */
const longestChain = (slots: readonly Untraced[]): ReadonlySet<string> => {
  const needs = dependencyMap(slots.map(({ machine }) => machine));
  const best = new Map<string, { readonly ms: number; readonly before: string | null }>();
  for (const { machine, delayMs, takesMs } of slots) {
    const own = takesMs === 0 ? 0 : delayMs + takesMs;
    let before: string | null = null;
    let ms = 0;
    for (const name of needs.get(machine.name) ?? []) {
      const known = best.get(name)?.ms ?? 0;
      if (before === null || known > ms) {
        before = name;
        ms = known;
      }
    }
    best.set(machine.name, { ms: ms + own, before });
  }
  let last: string | null = null;
  for (const [name, { ms }] of best) if (last === null || ms > (best.get(last)?.ms ?? 0)) last = name;
  const chain = new Set<string>();
  for (let name = last; name !== null; name = best.get(name)?.before ?? null) chain.add(name);
  // A chain of one is no chain.
  return chain.size > 1 ? chain : new Set();
};

export const slotsOf = (
  waves: readonly (readonly Machine[])[],
  durations: ReadonlyMap<string, Durations>,
): readonly Slot[] => {
  let at = 0;
  let position = 0;
  let rebootedBefore = false;
  const slots = waves.flatMap((wave, index) =>
    wave.map((machine): Untraced => {
      position += 1;
      const own = durations.get(machine.name);
      const takesMs = takesOf(machine, own);
      // The delay counts from the gate of another machine; what never reboots waits for nobody.
      const delayMs = takesMs === 0 ? 0 : delaySecondsOf(machine, !rebootedBefore) * 1_000;
      const startMs = at;
      at += delayMs + takesMs;
      rebootedBefore ||= takesMs > 0;
      return {
        machine,
        position,
        wave: index,
        delayMs,
        takesMs,
        measured: own?.reboot !== undefined,
        startMs,
        endMs: at,
      };
    }),
  );
  const chain = longestChain(slots);
  return slots.map((slot) => ({ ...slot, critical: chain.has(slot.machine.name) }));
};
