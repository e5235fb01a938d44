import { namespacesAvailable } from './availability.ts';
import type { FleetOptions, TestFleet } from './fleet.ts';
import { startInProcess } from './in-process.ts';
import type { Answer } from './in-process-host.ts';
import { startInNamespaces } from './namespaces.ts';

/**
 * Starts hosts for tests: real ones where this machine allows it, else ssh servers that play them, said loudly.
 * Tests that need real hosts look at `kind`, or ask `namespacesAvailable` first and name its reason.
 */
export const startFleet = async (options: FleetOptions, answer?: Answer): Promise<TestFleet> => {
  const available = await namespacesAvailable();
  if (available.ok) return startInNamespaces(options);
  process.stderr.write(
    `\n*** THE REAL TEST FLEET IS NOT HERE: ${available.reason}.\n*** ssh servers in the test process play the hosts: no systemd, no Nix, no real reboot is tested.\n\n`,
  );
  return startInProcess(options, answer);
};
