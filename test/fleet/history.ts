/** What the supervisor saw, in its own words, oldest first. It sees power and kernels, not what `lab` believes. */
export type FleetEvent = { readonly atMs: number; readonly host: string } & (
  | { readonly kind: 'boot'; readonly bootId: string }
  /** `reboot` and `power-off` were asked for inside; `power-cut` was not; `broken-N` is an init that died with N. */
  | { readonly kind: 'went-down'; readonly how: string }
  /** Down until a person (or `clearFaults`) does something, and why. */
  | { readonly kind: 'stays-down'; readonly reason: string }
  | { readonly kind: 'fault' | 'healed'; readonly fault: string }
);

const eventOf = (line: string): FleetEvent | null => {
  const [seconds, host, kind, detail] = line.split(' ');
  if (seconds === undefined || host === undefined || detail === undefined) return null;
  const base = { atMs: Math.round(Number(seconds) * 1_000), host };
  switch (kind) {
    case 'boot':
      return { ...base, kind, bootId: detail };
    case 'went-down':
      return { ...base, kind, how: detail };
    case 'stays-down':
      return { ...base, kind, reason: detail };
    case 'fault':
    case 'healed':
      return { ...base, kind, fault: detail };
    default:
      return null;
  }
};

/** Reads the supervisor's record; a line that is half written is not there yet. */
export const parseHistory = (text: string): readonly FleetEvent[] =>
  text
    .slice(0, text.lastIndexOf('\n') + 1)
    .split('\n')
    .map(eventOf)
    .filter((event) => event !== null);

export const bootsOf = (history: readonly FleetEvent[], host: string): number =>
  history.filter((event) => event.kind === 'boot' && event.host === host).length;

/** Hosts in the order in which they went down for a reboot they were asked for; a host that did so twice is there twice. */
export const rebootOrderOf = (history: readonly FleetEvent[]): readonly string[] =>
  history.filter((event) => event.kind === 'went-down' && event.how === 'reboot').map((event) => event.host);
