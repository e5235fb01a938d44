import { readFileSync } from 'node:fs';
import { enableCompileCache } from 'node:module';
import type { Machine } from '../src/fleet/machine.ts';

/**
 * lab's side of `sweep.ts`, in a process of its own: asks every machine once over its own ssh transport, 32 at a
 * time, and prints how many answered. Arguments: a file with the machines as JSON, the ssh_config, `true` or `observe`.
 */

enableCompileCache();

const [machinesPath = '', sshConfigPath = '', what = ''] = process.argv.slice(2);
const machinesAtOnce = 32;
const deadlineMs = 60_000;

const { mapBounded } = await import('../src/concurrency.ts');
const { systemClock } = await import('../src/clock.ts');
const { Machine: Shape } = await import('../src/fleet/machine.ts');
const { runProcess } = await import('../src/process/run.ts');
const { observe } = await import('../src/remote/observe.ts');
const { createSshRemote } = await import('../src/ssh/remote.ts');

const machines = Shape.array().parse(JSON.parse(readFileSync(machinesPath, 'utf8')));
const remote = createSshRemote({
  runProcess,
  clock: systemClock,
  env: process.env,
  knownHosts: 'strict',
  sshConfigPath,
  lookUp: 'name',
});

const ask = async (machine: Machine): Promise<string | null> => {
  if (what === 'observe') {
    const seen = await observe({ remote, clock: systemClock }, machine, { deadlineMs });
    return seen.kind === 'reachable' ? null : seen.error.message;
  }
  const result = await remote.exec(machine, ['true'], { deadlineMs });
  return !result.ok ? result.failure.message : result.value.code === 0 ? null : `exit ${result.value.code}`;
};

const troubles = (await mapBounded(machines, machinesAtOnce, ask)).filter((trouble) => trouble !== null);
await remote.close();
process.stdout.write(`${machines.length - troubles.length} answered\n${troubles.slice(0, 3).join('\n')}\n`);
process.exitCode = troubles.length === 0 ? 0 : 1;
