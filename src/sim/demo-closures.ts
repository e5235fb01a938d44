import type { ClosurePath } from '../ports.ts';
import { storePath } from './random.ts';

/** What the toplevels of the demo are made of: enough packages for their differences to look like those of a real lab. */

/** How new a closure is: what was booted long ago, what runs, what the flake wants, what an update brings. */
export type Age = 0 | 1 | 2 | 3;

type Package = {
  readonly name: string;
  /** By age; empty where it is not a part. */
  readonly versions: readonly [string, string, string, string];
  readonly megabytes: number;
  /** Only on machines of this role. */
  readonly role?: string;
};

const steady = (name: string, version: string, megabytes: number): Package => ({
  name,
  versions: [version, version, version, version],
  megabytes,
});

const packages: readonly Package[] = [
  steady('glibc', '2.42-47', 31),
  steady('bash', '5.3p8', 1.9),
  steady('coreutils', '9.8', 2.7),
  steady('systemd', '258.4', 41),
  { name: 'openssl', versions: ['3.5.2', '3.5.3', '3.5.4', '3.5.4'], megabytes: 8.4 },
  { name: 'curl', versions: ['8.15.0', '8.16.0', '8.17.0', '8.17.0'], megabytes: 1.2 },
  { name: 'git', versions: ['2.51.0', '2.51.2', '2.52.0', '2.52.0'], megabytes: 48 },
  { name: 'openssh', versions: ['10.0p2', '10.1p1', '10.1p1', '10.2p1'], megabytes: 5.6 },
  { name: 'nano', versions: ['8.6', '8.6', '8.6', ''], megabytes: 2.4 },
  { name: 'htop', versions: ['', '', '3.4.1', '3.4.1'], megabytes: 0.4 },
  {
    name: 'postgresql',
    versions: ['17.5', '17.6', '17.6', '17.7'],
    megabytes: 53,
    role: 'application-server',
  },
  {
    name: 'jellyfin',
    versions: ['10.10.7', '10.11.2', '10.11.2', '10.11.4'],
    megabytes: 112,
    role: 'media-box',
  },
  { name: 'nginx', versions: ['1.28.0', '1.28.0', '1.28.0', '1.28.1'], megabytes: 3.1, role: 'edge' },
  { name: 'zfs-user', versions: ['2.3.4', '2.3.4', '2.3.4', '2.4.0'], megabytes: 4.2, role: 'nas' },
];

const bytesOf = (megabytes: number, version: string): number =>
  Math.round(megabytes * 1e6) + [...version].reduce((sum, char) => sum + char.charCodeAt(0) * 1_013, 0);

/** All that a toplevel of this age needs, itself included. */
export const demoClosure = (
  toplevel: string,
  age: Age,
  { kernel, role }: { readonly kernel: string; readonly role: string | null },
): readonly ClosurePath[] => [
  ...packages.flatMap(({ name, versions, megabytes, role: only }) => {
    const version = versions[age];
    return version === '' || (only !== undefined && only !== role)
      ? []
      : [{ path: storePath(name, `${name}-${version}`), bytes: bytesOf(megabytes, version) }];
  }),
  { path: storePath(kernel, `linux-${kernel}`), bytes: bytesOf(14, kernel) },
  { path: storePath(kernel, `linux-${kernel}-modules`), bytes: bytesOf(131, kernel) },
  { path: storePath(toplevel, `initrd-linux-${kernel}`), bytes: bytesOf(17, kernel) },
  { path: storePath(toplevel, 'etc'), bytes: 48_000 },
  { path: toplevel, bytes: 18_000 },
];
