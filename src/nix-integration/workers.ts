const workersMax = 4;
/** What one evaluating process is allowed for, from measurement: a chunk of 50 light records of a full nixpkgs. */
const workerBytes = 0.8e9;

/** What this machine can give to Nix. */
export type Resources = { readonly cores: number; readonly freeMemoryBytes: () => number };

/** How many evaluating processes may run beside each other. */
export const workerCount = (resources: Resources): number =>
  Math.max(1, Math.min(resources.cores, workersMax, Math.floor(resources.freeMemoryBytes() / workerBytes)));

/** Nix's collector starts with a small heap and scans it often; a large one saves a third of an evaluation. */
export const evaluationEnv = (resources: Resources): Readonly<Record<string, string>> =>
  resources.freeMemoryBytes() > 2 * workerBytes ? { GC_INITIAL_HEAP_SIZE: '1G' } : {};

export type Job = () => Promise<void>;

/** Runs jobs, at most `workers` at a time; a job may add more. `idle` resolves when nothing is left. */
export const createPool = (
  workers: number,
): { readonly add: (jobs: readonly Job[]) => void; readonly idle: () => Promise<void> } => {
  const queue: Job[] = [];
  const running = new Set<Promise<void>>();
  const fill = () => {
    while (running.size < workers) {
      const job = queue.shift();
      if (job === undefined) return;
      const run = job().finally(() => {
        running.delete(run);
        fill();
      });
      running.add(run);
    }
  };
  return {
    add: (jobs) => {
      queue.push(...jobs);
      fill();
    },
    idle: async () => {
      while (running.size > 0) await Promise.all(running);
    },
  };
};
