import fc from 'fast-check';
import type { Machine } from '../../src/fleet/machine.ts';
import { machineNamed } from '../simulation/fleet.ts';

/** Fleets without cycles: a machine depends only on machines made before it, in a shuffled list. */
export const acyclicFleet = (machinesMax: number): fc.Arbitrary<readonly Machine[]> =>
  fc
    .array(
      fc.record({
        needs: fc.array(fc.nat(machinesMax), { maxLength: 4 }),
        rebootOrder: fc.option(fc.nat(5), { nil: null }),
        criticality: fc.constantFrom('low', 'medium', 'high', 'critical'),
      }),
      { minLength: 1, maxLength: machinesMax },
    )
    .chain((rows) =>
      fc.record({
        rows: fc.constant(rows),
        orchestrator: fc.boolean(),
        shuffled: fc.shuffledSubarray(
          rows.map((_, index) => index),
          { minLength: rows.length, maxLength: rows.length },
        ),
      }),
    )
    .map(({ rows, orchestrator, shuffled }) => {
      const machines = rows.map(({ needs, rebootOrder, criticality }, index) =>
        machineNamed(`m${index}`, {
          dependencies: [...new Set(needs.filter((need) => need < index).map((need) => `m${need}`))],
          rebootOrder,
          criticality,
          // Nobody can depend on the last one made.
          orchestrator: orchestrator && index === rows.length - 1,
        }),
      );
      return shuffled.flatMap((index) => machines[index] ?? []);
    });
