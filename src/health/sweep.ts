import { mapBounded } from '../concurrency.ts';
import type { Machine } from '../fleet/machine.ts';
import type { HealthReport } from '../ports.ts';

/** Machines asked at once: as many handshakes as one process does well side by side. */
export const sweepMachinesAtOnce = 32;

/** The health of many machines, in their order. `onReport` hears of each as it comes; none waits for another's end. */
export const sweep = (
  machines: readonly Machine[],
  health: (machine: Machine) => Promise<HealthReport>,
  options: { readonly onReport?: (report: HealthReport) => void } = {},
): Promise<readonly HealthReport[]> =>
  mapBounded(machines, sweepMachinesAtOnce, async (machine) => {
    const report = await health(machine);
    options.onReport?.(report);
    return report;
  });
