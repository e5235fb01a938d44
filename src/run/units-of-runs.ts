/**
 * The units of `nix/modules/lab-orchestrator.nix`. Their result is that of a run and nothing else: one that the timer begins
 * beside another run is refused, and its unit has failed. That must not speak against the machine it was refused on.
 */
const unitsOfRuns: ReadonlySet<string> = new Set([
  'lab-orchestrator.service',
  'lab-orchestrator-resume.service',
]);

export const isUnitOfRuns = (unit: string): boolean => unitsOfRuns.has(unit);
