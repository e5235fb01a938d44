import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { bundling } from '../scripts/bundling.ts';
import { runProcess } from '../src/process/run.ts';
import { observeScript } from '../src/remote/observe.ts';
import { type Benchmark, inTurns, measured, missing, type Row, ratioRow } from './harness.ts';
import { startEndpoints, whyNoEndpoints } from './sshd-endpoints.ts';

/** Asking a whole fleet over ssh, connections not yet made: lab's transport against pssh, which starts an ssh a host. */

const endpointCount = 200;
const atOnce = 32;
const wallTarget = 1;
const cpuTarget = 0.33;
const deadlineMs = 300_000;

/** Processor time includes that of the asking process itself, which is why `times` of a shell around it tells it. */
type Cost = { readonly wallMs: number; readonly cpuMs: number };

/** Debian calls it parallel-ssh. */
const findPssh = (): string | null => {
  const folders = (process.env.PATH ?? '').split(delimiter);
  for (const name of ['parallel-ssh', 'pssh'])
    for (const folder of folders) if (existsSync(join(folder, name))) return join(folder, name);
  return null;
};

/** `0m0.250000s 0m0.010000s`: user and system time of all children, as POSIX `times` prints them on its last line. */
const cpuMsIn = (printed: string): number => {
  const found = /(\d+)m([\d.]+)s (\d+)m([\d.]+)s\s*$/u.exec(printed);
  if (found === null) throw new Error(`times printed: ${printed.slice(-200)}`);
  const [userMin, user, systemMin, system] = found.slice(1).map(Number);
  return (
    (((userMin ?? Number.NaN) + (systemMin ?? Number.NaN)) * 60 +
      (user ?? Number.NaN) +
      (system ?? Number.NaN)) *
    1_000
  );
};

/** Runs a command to its end and says what it took, its own children included. */
const costOf = async (output: string, argv: readonly string[]): Promise<Cost> => {
  const script = 'out=$1; shift; "$@" >"$out" 2>&1 </dev/null; code=$?; times; exit $code';
  const begun = performance.now();
  const { code, stdout, startError } = await runProcess(['/bin/sh', '-c', script, 'sh', output, ...argv], {
    deadlineMs,
    env: { LC_ALL: 'C' },
  });
  const wallMs = performance.now() - begun;
  if (code !== 0)
    throw new Error(
      `${argv[0]}: exit ${code} ${startError ?? ''}\n${readFileSync(output, 'utf8').slice(0, 2_000)}`,
    );
  return { wallMs, cpuMs: cpuMsIn(stdout) };
};

/** The worker as users get lab: bundled. */
const bundleWorker = async (folder: string): Promise<string> => {
  await build({
    ...bundling,
    entryPoints: { sweep: fileURLToPath(new URL('sweep-lab.ts', import.meta.url)) },
    outdir: folder,
    outExtension: { '.js': '.mjs' },
  });
  return join(folder, 'sweep.mjs');
};

const rowsOf = (what: string, lab: readonly Cost[], pssh: readonly Cost[]): readonly Row[] => [
  ratioRow(
    `${what}, wall`,
    lab.map(({ wallMs }) => wallMs),
    'pssh',
    pssh.map(({ wallMs }) => wallMs),
    wallTarget,
  ),
  ratioRow(
    `${what}, processor`,
    lab.map(({ cpuMs }) => cpuMs),
    'pssh',
    pssh.map(({ cpuMs }) => cpuMs),
    cpuTarget,
  ),
];

export const sweep: Benchmark = {
  name: 'sweep',
  about: `${endpointCount} sshd endpoints asked once, against pssh`,
  rounds: 5,
  run: async (rounds, say) => {
    const pssh = findPssh();
    if (pssh === null) return missing('there is no pssh or parallel-ssh in PATH (Debian package pssh)');
    const why = whyNoEndpoints();
    if (why !== null) return missing(why);
    say('starting the servers');
    const endpoints = await startEndpoints(endpointCount);
    try {
      const { folder, machines, sshConfigPath } = endpoints;
      const worker = await bundleWorker(folder);
      const machinesPath = join(folder, 'machines.json');
      const hostsPath = join(folder, 'hosts');
      const output = join(folder, 'output');
      writeFileSync(machinesPath, JSON.stringify(machines));
      writeFileSync(hostsPath, machines.map(({ name }) => `${name}\n`).join(''));
      const answeredBy = (pattern: RegExp, found: number): void => {
        const text = readFileSync(output, 'utf8');
        const answered = text.match(pattern)?.length ?? 0;
        if (answered !== found) throw new Error(`${answered} of ${found}:\n${text.slice(0, 2_000)}`);
      };
      const byLab = (what: 'true' | 'observe') => async (): Promise<Cost> => {
        const cost = await costOf(output, [process.execPath, worker, machinesPath, sshConfigPath, what]);
        answeredBy(new RegExp(`^${machines.length} answered$`, 'gmu'), 1);
        return cost;
      };
      const byPssh = (command: string) => async (): Promise<Cost> => {
        const options = ['-h', hostsPath, '-p', String(atOnce), '-t', '60', '-x', `-F ${sshConfigPath}`];
        const cost = await costOf(output, [pssh, ...options, command]);
        answeredBy(/\[SUCCESS\]/gu, machines.length);
        return cost;
      };
      const costs = await inTurns(
        rounds,
        {
          labTrue: byLab('true'),
          psshTrue: byPssh('true'),
          labObserve: byLab('observe'),
          psshObserve: byPssh(observeScript),
        },
        { say },
      );
      return measured(
        [
          ...rowsOf('`true`', costs.labTrue, costs.psshTrue),
          ...rowsOf('an observation', costs.labObserve, costs.psshObserve),
        ],
        [
          `${endpoints.version}; both sides ${atOnce} at a time, from process start to process end, by the same ssh_config`,
          'the servers share the processors with both sides; processor time is that of the asking side alone',
          'an observation: the shell script by which lab looks at a machine, sent by pssh as it is',
        ],
      );
    } finally {
      await endpoints.stop();
    }
  },
};
