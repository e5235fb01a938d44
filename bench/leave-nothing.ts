/** What must be put away however the benchmarks end: by themselves, by an error or by Ctrl-C. */

const open = new Set<() => void>();

const putAwayAll = (): void => {
  for (const putAway of open) {
    open.delete(putAway);
    putAway();
  }
};

process.once('exit', putAwayAll);
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.once(signal, () => {
    putAwayAll();
    process.kill(process.pid, signal);
  });

/** Registers what puts away, once and without waiting; the function it gives does so now. */
export const leaveNothing = (putAway: () => void): (() => void) => {
  open.add(putAway);
  return () => {
    if (open.delete(putAway)) putAway();
  };
};
