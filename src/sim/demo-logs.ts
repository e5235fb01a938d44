import type { Machine } from '../fleet/machine.ts';
import type { Clock } from '../ports.ts';
import { createRandom } from './random.ts';

/** What the machines of the demo write into their journals: lines of daily life, a few a second. */

const unitsOf = (machine: Machine): readonly string[] => [
  'sshd.service',
  'systemd-timesyncd.service',
  'nix-daemon.service',
  ...machine.healthChecks.flatMap((check) => (check.type === 'systemd' ? [check.unit] : [])),
];

const said: Readonly<Record<string, readonly string[]>> = {
  'sshd.service': [
    'Accepted publickey for root from 10.0.0.10 port 51522 ssh2: ED25519 SHA256:9f2Kq…',
    'Received disconnect from 10.0.0.10 port 51522:11: disconnected by user',
  ],
  'systemd-timesyncd.service': ['Contacted time server 192.0.2.123:123 (ntp.home.arpa).'],
  'nix-daemon.service': ['accepted connection from pid 2214, user root (trusted)'],
};
const anything = [
  'reloaded its configuration in 42 ms',
  'worker 3: 128 requests served, none failed',
  'warning: a client closed its connection early',
  'cache: 12 MiB freed',
];

const stamp = (at: number): string => new Date(at).toISOString().slice(0, 19);

/** Lines in the form of `journalctl --output=short-iso` until the signal aborts. */
export const demoLogs =
  (clock: Clock) =>
  async (
    machine: Machine,
    options: {
      readonly unit: string | null;
      readonly signal: AbortSignal;
      readonly onLine: (line: string) => void;
    },
  ): Promise<null> => {
    const random = createRandom(machine.name.length * 7_919 + (options.unit?.length ?? 0));
    const units = options.unit === null ? unitsOf(machine) : [options.unit];
    const line = (at: number): string => {
      const unit = units[random.between(0, units.length - 1)] ?? 'systemd';
      const texts = said[unit] ?? anything;
      const text = texts[random.between(0, texts.length - 1)] ?? '';
      return `${stamp(at)}+0000 ${machine.name} ${unit.replace(/\.service$/u, '')}[${random.between(400, 4_000)}]: ${text}`;
    };
    const start = clock.now();
    for (let ago = 40; ago > 0; ago -= 1) options.onLine(line(start - ago * 30_000));
    while (!options.signal.aborted) {
      await clock.sleep(random.between(2_000, 15_000), options.signal);
      if (!options.signal.aborted) options.onLine(line(clock.now()));
    }
    return null;
  };
