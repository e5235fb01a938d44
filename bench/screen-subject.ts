import { createLogFollower } from '../src/flow/session-logs.ts';
import { createStore } from '../src/flow/session-store.ts';
import { prepareColour } from '../src/tui/prepare-colour.ts';
import { spareMemory } from '../src/tui/spare-memory.ts';
import { defaultSettings } from '../src/tui/state/settings.ts';
import { fakeSession } from '../test/tui/fixtures/fake-session.ts';
import { bigSnapshot, reachable } from '../test/tui/fixtures/lab.ts';

/**
 * `lab`'s screen over any number of machines, for the benchmarks: what it shows is made up, all else is the real thing.
 * Arguments: how many machines, changes of five rows a second, log lines a second once a log is followed.
 */

const [machines = 50, changesPerSecond = 0, linesPerSecond = 0] = process.argv.slice(2).map(Number);
const floodEveryMs = 10;

const colour = prepareColour(process.env);
const snapshot = bigSnapshot(machines);
const lab = fakeSession(snapshot);
const began = performance.now();
const now = (): number => Math.round(snapshot.now + performance.now() - began);

const store = createStore(snapshot, { now, elapsed: now, sleep: async () => {} });
store.subscribe(() => lab.show({ ...store.snapshot() }));

const logs = createLogFollower(
  (machine, { signal, onLine }) => {
    let written = 0;
    const due = performance.now();
    const line = (): void => {
      written += 1;
      onLine(`2026-11-20T12:00:00+0000 ${machine.name} nginx[812]: request ${written} served in 3 ms`);
    };
    for (let early = 0; early < 200; early += 1) line();
    const flood = setInterval(() => {
      const owed = 200 + Math.floor(((performance.now() - due) * linesPerSecond) / 1_000) - written;
      for (let index = 0; index < owed; index += 1) line();
    }, floodEveryMs);
    return new Promise((resolve) => {
      signal.addEventListener('abort', () => {
        clearInterval(flood);
        resolve(null);
      });
    });
  },
  store,
  now,
);

let generation = 41;
if (changesPerSecond > 0)
  setInterval(() => {
    generation = generation === 41 ? 42 : 41;
    const observations = new Map(snapshot.observations);
    for (const name of [...observations.keys()].slice(2, 7))
      observations.set(name, reachable(name, { generation }));
    store.change({ observations });
  }, 1_000 / changesPerSecond);

spareMemory();
const { runTui } = await import('../src/tui/run-tui.tsx');
await runTui(
  {
    ...lab.session,
    now,
    followLogs: (name, unit) => {
      const machine = snapshot.evaluation.value?.fleet.machines.find((one) => one.name === name);
      if (machine !== undefined) logs.follow(machine, unit);
    },
    leaveLogs: () => logs.leave(),
  },
  {
    ascii: false,
    colour,
    stdin: process.stdin,
    stdout: process.stdout,
    readonly: false,
    settings: defaultSettings,
    runInteractive: async () => 0,
  },
);
process.exit(0);
