import { readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { runInteractive } from '../../src/process/interactive.ts';
import { namespacesAvailable } from './availability.ts';
import { faultDetails, faultKinds, isFaultKind } from './fault.ts';
import type { FleetOptions, TestFleet } from './fleet.ts';
import { bootsOf } from './history.ts';
import { exampleMachines, makeLabFlake, openLabFlake } from './lab-flake.ts';
import { byHandDirectory, openByHand, startByHand } from './namespaces.ts';

const usage = `Real hosts on this machine, in namespaces, for trying things out by hand. Needs root.

  npm run fleet -- up [NUMBER | NAME…]           start hosts, named like the example lab's machines unless told
  npm run fleet -- lab [ARGS…]                   run lab on their flake: \`lab\` alone opens the screen
  npm run fleet -- release VERSION               a newer kernel in the flake's nixpkgs: something to update to
  npm run fleet -- demo [ARGS…]                  all at once: start hosts, open the screen, end the hosts after it
  npm run fleet -- down                          end them all; nothing stays behind
  npm run fleet -- status                        hosts, addresses, boots, systemd state, faults
  npm run fleet -- fault HOST KIND [DETAIL]      break a host: ${faultKinds.join(', ')}
  npm run fleet -- heal [HOST]                   mend a host, or all, and power on what is off
  npm run fleet -- exec HOST -- ARGV…            run a command as root in a host
  npm run fleet -- shell HOST                    a root shell in a host
  npm run fleet -- run -- ARGV…                  run a command where it reaches the hosts (\`ssh HOST\`)
  npm run fleet -- history                       boots, reboots and faults as they happened
`;

/** A mistake of the person at the keyboard: one sentence, exit 2. */
class UsageError extends Error {}

const checkout = fileURLToPath(new URL('../..', import.meta.url));
const shareOfCheckout = checkout.replace(/\/$/, '');
const say = (text: string): void => void process.stdout.write(`${text}\n`);

/** The machines of hosts/ with the addresses their configurations give, so that the example lab fits as it stands. */
const exampleHosts = async (): Promise<FleetOptions['hosts']> => {
  const entries = await readdir(`${checkout}hosts`, { withFileTypes: true }).catch(() => []);
  const names = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  return Promise.all(
    names.sort().map(async (name) => {
      const text = await readFile(`${checkout}hosts/${name}/configuration.nix`, 'utf8').catch(() => '');
      const address = /^\s*addresses = \[ "([0-9.]+)" \];$/m.exec(text)?.[1];
      return address === undefined ? name : { name, address };
    }),
  );
};

const hostsFor = async (words: readonly string[]): Promise<FleetOptions['hosts']> => {
  const [first] = words;
  const examples = await exampleHosts();
  if (first === undefined) return examples.length > 0 ? examples : ['one', 'two', 'three'];
  if (!/^\d+$/.test(first)) return words;
  const extra = Array.from({ length: Number(first) }, (_, index) => ({
    name: `extra-${index + 1}`,
    address: `10.77.1.${index + 1}`,
  }));
  return [...examples, ...extra].slice(0, Number(first));
};

const openFleet = async (): Promise<TestFleet> => {
  const fleet = await openByHand();
  if (fleet === null) throw new UsageError('no fleet is up: `npm run fleet -- up 4` starts one');
  return fleet;
};
const hostOf = (fleet: TestFleet, name: string | undefined): string => {
  const names = fleet.hosts.map((host) => host.name);
  if (name !== undefined && names.includes(name)) return name;
  throw new UsageError(
    `${name === undefined ? 'which host' : `no host ${name}`}? There are: ${names.join(', ')}`,
  );
};
const afterDashes = (words: readonly string[]): readonly string[] => {
  const argv = words[0] === '--' ? words.slice(1) : words;
  if (argv.length === 0) throw new UsageError('which command?');
  return argv;
};

const start = async (words: readonly string[], lifeline: boolean): Promise<TestFleet> => {
  const available = await namespacesAvailable();
  if (!available.ok) throw new UsageError(`the fleet cannot run on this machine: ${available.reason}`);
  const hosts = await hostsFor(words);
  const fleet = await startByHand({ hosts, shares: [shareOfCheckout], factory: true }, lifeline);
  await makeLabFlake(fleet, await exampleMachines(fleet));
  return fleet;
};

const up = async (words: readonly string[]): Promise<void> => {
  const started = performance.now();
  const fleet = await start(words, false);
  const first = fleet.hosts[0]?.name ?? '';
  say(`${fleet.hosts.length} hosts are up after ${((performance.now() - started) / 1_000).toFixed(1)} s:`);
  for (const host of fleet.hosts) say(`  ${host.name.padEnd(24)}${host.address}`);
  say(`
They have a network of their own, which only commands started in it reach:
  npm run fleet -- lab                 the screen; also: lab status, lab plan, lab run …
  npm run fleet -- run -- ssh ${first}
Their flake:                           ${openLabFlake(fleet).folder}
ssh_config with keys and known_hosts:  ${fleet.sshConfigPath}
Take them down with: npm run fleet -- down`);
};

/** Runs `lab` from this checkout on the fleet's flake; its exit status. Journal and state are the fleet's, too. */
const lab = async (fleet: TestFleet, words: readonly string[]): Promise<number> => {
  // Ctrl-C at the terminal is for `lab`; this process ends after it.
  process.on('SIGINT', () => {});
  const argv = fleet.asOrchestrator([`${checkout}bin/lab`, ...words]);
  const env = { ...fleet.environment, LAB_FLAKE: openLabFlake(fleet).folder };
  return await runInteractive(argv, { env });
};

/** A fleet for as long as `lab` runs, and no longer than this process; one that is up already stays up. */
const demo = async (words: readonly string[]): Promise<number> => {
  const open = await openByHand();
  const fleet = open ?? (await start([], true));
  try {
    return await lab(fleet, words);
  } finally {
    if (open === null) await fleet.down();
  }
};

const status = async (): Promise<void> => {
  const fleet = await openFleet();
  const history = await fleet.history();
  for (const host of fleet.hosts) {
    const state = await fleet
      .exec(host.name, ['systemctl', 'is-system-running'], { deadlineMs: 2_000 })
      .then((result) => result.stdout.trim() || 'no answer')
      .catch(() => 'down');
    const faults = (await readdir(`${byHandDirectory}/hosts/${host.name}/faults`)).join(' ');
    say(
      `${host.name.padEnd(24)}${host.address.padEnd(14)}${state.padEnd(12)}boots ${String(bootsOf(history, host.name)).padEnd(4)}${faults}`,
    );
  }
};

const fault = async ([name, kind, detail]: readonly string[]): Promise<void> => {
  const fleet = await openFleet();
  const host = hostOf(fleet, name);
  if (kind === undefined || !isFaultKind(kind))
    throw new UsageError(`${kind ?? 'which'} is no fault: ${faultKinds.join(', ')}`);
  const read = faultDetails[kind].safeParse(detail);
  if (!read.success) throw new UsageError(`${kind} ${detail}: ${read.error.issues[0]?.message}`);
  await fleet.fault(host, kind, detail);
  say(`${host}: ${kind}${read.data === '' ? '' : ` (${read.data})`}`);
};

/** Runs the words of the command line; the exit status. */
const main = async ([command, ...words]: readonly string[]): Promise<number> => {
  switch (command) {
    case 'up':
      await up(words);
      return 0;
    case 'lab':
      return lab(await openFleet(), words);
    case 'demo':
      return demo(words);
    case 'release': {
      const [version] = words;
      if (version === undefined || !/^\d+(\.\d+){1,3}$/.test(version))
        throw new UsageError('which version? For example 6.12.9');
      await openLabFlake(await openFleet()).releaseKernel(version);
      say(`nixpkgs of the flake has Linux ${version}: \`lab update\` and \`lab run\` bring it`);
      return 0;
    }
    case 'down':
      await (await openByHand())?.down();
      say('nothing is up');
      return 0;
    case 'status':
      await status();
      return 0;
    case 'fault':
      await fault(words);
      return 0;
    case 'heal': {
      const fleet = await openFleet();
      await fleet.clearFaults(words[0] === undefined ? undefined : hostOf(fleet, words[0]));
      return 0;
    }
    case 'exec': {
      const fleet = await openFleet();
      const result = await fleet.exec(hostOf(fleet, words[0]), afterDashes(words.slice(1)));
      process.stdout.write(result.stdout);
      process.stderr.write(result.stderr);
      return result.code ?? 1;
    }
    case 'shell': {
      const fleet = await openFleet();
      const host = hostOf(fleet, words[0]);
      const argv = fleet.asOrchestrator(['ssh', '-F', fleet.sshConfigPath, '-t', host]);
      return runInteractive(argv);
    }
    case 'run': {
      const fleet = await openFleet();
      const argv = fleet.asOrchestrator(afterDashes(words));
      return runInteractive(argv, { env: fleet.environment });
    }
    case 'history':
      for (const { atMs, host, kind, ...rest } of await (await openFleet()).history())
        say(`${new Date(atMs).toISOString()}  ${host}  ${kind}  ${Object.values(rest).join(' ')}`);
      return 0;
    case undefined:
    case 'help':
    case '--help':
      process.stdout.write(usage);
      return 0;
    default:
      throw new UsageError(`no command ${command}\n\n${usage}`);
  }
};

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`fleet: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = error instanceof UsageError ? 2 : 1;
}
