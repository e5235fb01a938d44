import type { BootParts, Observation } from '../ports.ts';

/** `/nix/store/<32 chars>-linux-6.12.11/bzImage` → `6.12.11`; null where the name holds no version. */
const versionIn = (path: string): string | null => {
  const name = /^\/nix\/store\/[a-z0-9]{32}-([^/]+)/u.exec(path)?.[1];
  return name === undefined ? null : (/-(\d+(?:\.\d+)*[A-Za-z0-9.]*)(?:-|$)/u.exec(name)?.[1] ?? null);
};

/** The version of the kernel, where its store path tells it. */
export const kernelVersionOf = ({ kernel }: BootParts): string | null =>
  kernel === null ? null : versionIn(kernel);

const labels = {
  kernel: 'kernel',
  initrd: 'initrd',
  modules: 'kernel modules',
  params: 'kernel parameters',
  systemd: 'systemd',
} as const satisfies Record<keyof BootParts, string>;

const parts = ['kernel', 'initrd', 'modules', 'params', 'systemd'] as const;

type RebootNeed = {
  /** Why a reboot is needed, most telling first; empty when nothing differs. */
  readonly reasons: readonly string[];
  /** Parts that could not be compared, because one side is not known. */
  readonly unknown: readonly string[];
};

/** What only a reboot would change, going from what is booted to `next`. */
export const rebootNeed = (booted: BootParts, next: BootParts): RebootNeed => {
  const reasons: string[] = [];
  const unknown: string[] = [];
  for (const part of parts) {
    const from = booted[part];
    const to = next[part];
    if (from === to) continue;
    if (from === null || to === null) {
      unknown.push(labels[part]);
      continue;
    }
    const versions = part === 'params' ? [null, null] : [versionIn(from), versionIn(to)];
    const [a, b] = versions;
    const change = a != null && b != null && a !== b ? `${a} → ${b}` : 'changed';
    reasons.push(`${labels[part]} ${change}`);
  }
  return { reasons, unknown };
};

/** How a machine differs from what the flake wants and from itself, said precisely. */
export type Drift = {
  readonly words: readonly string[];
  readonly rebootNeeded: readonly string[];
};

/** `wanted` is the flake's toplevel, or null when it is not known (not evaluated, or not asked). */
export const driftOf = (observation: Observation, wanted: string | null): Drift | null => {
  if (observation.kind === 'unreachable') return null;
  const { booted, current, profile } = observation;
  const words: string[] = [];
  if (wanted !== null && current !== null && wanted !== current)
    words.push(profile === wanted ? 'flake = profile ≠ running' : 'flake ≠ running');
  else if (wanted !== null && profile !== null && wanted !== profile)
    words.push('running = flake, not the boot default');
  if (wanted === null && profile !== null && current !== null && profile !== current)
    words.push('profile ≠ running');
  if (booted !== null && current !== null && booted !== current) words.push('running ≠ booted');
  const unknown = [
    ...(current === null ? ['what runs'] : []),
    ...(profile === null ? ['the boot default'] : []),
    ...(booted === null ? ['what was booted'] : []),
  ];
  if (unknown.length > 0) words.push(`not known: ${unknown.join(', ')}`);
  return { words, rebootNeeded: rebootNeed(observation.bootedParts, observation.profileParts).reasons };
};
