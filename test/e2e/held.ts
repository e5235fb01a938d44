import { expect, vi } from 'vitest';
import type { TestFleet } from '../fleet/fleet.ts';
import { soonMs } from './lab.ts';

/**
 * What holds a machine in the middle of something until a story has done its part there: how fast the machine is, and how
 * soon the story hears of it, then make no difference.
 */

const inShell = async (fleet: TestFleet, host: string, script: string): Promise<void> => {
  const { code, stderr } = await fleet.exec(host, ['sh', '-ec', script]);
  expect(code, `${host}: ${stderr}`).toBe(0);
};

/** Text of a unit whose start, and so the activation that starts it, lasts until the machine has this file. */
export const startsOnce = (file: string): string => `[Service]
Type=oneshot
RemainAfterExit=yes
TimeoutStartSec=infinity
ExecStart=/bin/sh -c 'until [ -e ${file} ]; do sleep 0.1; done'
[Install]
WantedBy=multi-user.target
`;
/** The same of its stop, and so of the activation that takes it away. */
export const endsOnce = (file: string): string => `[Service]
Type=oneshot
RemainAfterExit=yes
TimeoutStopSec=infinity
ExecStart=/bin/true
ExecStop=/bin/sh -c 'until [ -e ${file} ]; do sleep 0.1; done'
[Install]
WantedBy=multi-user.target
`;
export const giveFile = (fleet: TestFleet, host: string, file: string): Promise<void> =>
  inShell(fleet, host, `touch ${file}`);
export const takeFile = (fleet: TestFleet, host: string, file: string): Promise<void> =>
  inShell(fleet, host, `rm -f ${file}`);

/**
 * What arrives of copies to it from now on is held back once it is more than `afterBytes`, until `letCopiesGoOn`; after
 * a reboot it is so again. They come in as `lab`, whose login shell reads its .bashrc.
 */
export const holdCopies = (fleet: TestFleet, host: string, afterBytes = 0): Promise<void> => {
  const pass = `while (sysread STDIN, $part, 65536) {
  $arrived += length $part;
  if ($arrived > ${afterBytes} && !-e "/tmp/copies-go-on") {
    open my $held, ">", "/tmp/copy-is-held";
    select undef, undef, undef, 0.1 until -e "/tmp/copies-go-on";
  }
  syswrite STDOUT, $part or last;
}`;
  return inShell(
    fleet,
    host,
    `rm -f /tmp/copies-go-on /tmp/copy-is-held
cat >~lab/.bashrc <<'END'
nix-daemon() { /usr/bin/perl -e '${pass}' | command nix-daemon "$@"; }
END`,
  );
};
export const copyIsHeld = (fleet: TestFleet, host: string): Promise<void> =>
  vi.waitFor(() => inShell(fleet, host, 'test -e /tmp/copy-is-held'), { timeout: soonMs, interval: 100 });
export const letCopiesGoOn = (fleet: TestFleet, host: string): Promise<void> =>
  giveFile(fleet, host, '/tmp/copies-go-on');
/** Logins find their shell as it was. */
export const holdNoCopies = (fleet: TestFleet, host: string): Promise<void> =>
  inShell(fleet, host, 'touch /tmp/copies-go-on; rm -f ~lab/.bashrc');

/**
 * What `lab` does there under the lock of the lease (begin an activation, confirm it, return it, trigger a reboot) waits from
 * now on, after all looks that come before it, until `letActsGoOn`.
 */
export const holdActs = (fleet: TestFleet, host: string): Promise<void> =>
  inShell(
    fleet,
    host,
    `rm -f /tmp/acts-go-on /tmp/act-is-held
cat >/usr/local/bin/flock <<'END'
#!/bin/sh
if ! [ -e /tmp/acts-go-on ]; then
  touch /tmp/act-is-held
  until [ -e /tmp/acts-go-on ]; do sleep 0.1; done
fi
exec /usr/bin/flock "$@"
END
chmod 755 /usr/local/bin/flock`,
  );
export const actIsHeld = (fleet: TestFleet, host: string): Promise<void> =>
  vi.waitFor(() => inShell(fleet, host, 'test -e /tmp/act-is-held'), { timeout: soonMs, interval: 100 });
export const letActsGoOn = (fleet: TestFleet, host: string): Promise<void> =>
  inShell(fleet, host, 'touch /tmp/acts-go-on; rm -f /usr/local/bin/flock');
