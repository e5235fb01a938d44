import { describe, expect, test } from 'vitest';
import { fail } from '../../src/failure.ts';
import 'node-cron'; // loaded here already: the virtual clock does not wait for files
import { createStage, exampleMachines } from './stage.ts';

/** The command line as people see it. Golden files read like a terminal session; `vitest -u` rewrites them. */

process.env.TZ = 'UTC';

const golden = (name: string): string => `./golden/${name}.txt`;
const newKernel = { 'sleeper-service': '6.12.11', 'grey-area': '6.12.11' };

describe('commands that print facts', () => {
  test('machines', async () => {
    const stage = createStage({
      machines: exampleMachines,
      evaluation: {
        fleet: {
          machines: exampleMachines,
          failed: [
            {
              name: 'broken',
              message: "attribute 'pkgz' missing, at hosts/broken/configuration.nix:3:5",
              remedy: 'repair hosts/broken',
            },
          ],
        },
        discrepancies: [
          {
            kind: 'folder-without-configuration',
            machine: 'attic',
            message: 'hosts/attic has no nixosConfigurations.attic',
          },
        ],
      },
    });
    const { shown, exitCode } = await stage.run('machines');
    await expect(shown).toMatchFileSnapshot(golden('machines'));
    expect(exitCode).toBe(3);
  });

  test('reboot-sequence, as prose and as lines for scripts', async () => {
    const stage = createStage({ machines: exampleMachines });
    const prose = await stage.run('reboot-sequence');
    const lines = await stage.run('get-reboot-sequence', '--format', 'lines');
    await expect(`${prose.shown}\n${lines.shown}`).toMatchFileSnapshot(golden('reboot-sequence'));
  });

  test('reboot-sequence as JSON', async () => {
    const { out } = await createStage({ machines: exampleMachines }).run('reboot-sequence', '--json');
    expect(JSON.parse(out)).toMatchObject({
      schema: 'lab/reboot-sequence/1',
      sequence: [
        { position: 1, wave: 1, machine: 'sleeper-service', delaySeconds: 0 },
        { position: 2, wave: 2, machine: 'grey-area', delaySeconds: 60 },
        { position: 3, wave: 3, machine: 'reverse-proxy', delaySeconds: 600 },
        { position: 4, wave: 4, machine: 'congenital-optimist' },
      ],
    });
  });

  test('status tells what is away and what waits for a reboot', async () => {
    const stage = createStage({
      machines: exampleMachines,
      wants: newKernel,
      faults: { 'congenital-optimist': [{ kind: 'offline' }] },
    });
    const { shown, exitCode } = await stage.run('status', '--wanted');
    await expect(shown).toMatchFileSnapshot(golden('status'));
    expect(exitCode).toBe(3);
  });

  test('status --wanted says where a machine is in sync, and where that could not be compared', async () => {
    const failure = {
      kind: 'eval',
      machine: 'grey-area',
      phase: 'evaluate',
      message: 'fails',
      remedy: 'repair it',
    };
    const plain = createStage({ machines: exampleMachines });
    const { out: same } = await plain.run('status', 'grey-area', '--wanted');
    expect(same).toMatch(/grey-area +✔ running .* in sync with the flake$/mu);
    expect((await plain.run('status', 'grey-area')).out).toMatch(/grey-area +✔ running .* as it booted$/mu);
    const unevaluated = createStage({
      machines: exampleMachines,
      nix: { toplevels: async () => ({ built: [], failed: [failure] }) },
    });
    const { out } = await unevaluated.run('status', 'grey-area', '--wanted');
    expect(out).toMatch(/grey-area +✔ running .* not compared with the flake$/mu);
    expect(out).not.toContain('in sync');
  });

  const partlyGone = () =>
    createStage({
      machines: exampleMachines,
      faults: { 'grey-area': [{ kind: 'hostkey-changed', when: 'always' }] },
      evaluation: {
        fleet: {
          machines: exampleMachines,
          failed: [{ name: 'broken', message: "attribute 'pkgz' missing", remedy: 'repair hosts/broken' }],
        },
      },
    });

  test('status names some of many failed units, and its document all', async () => {
    const units = Array.from({ length: 150 }, (_, index) => `broken-${index}.service`);
    const stage = createStage({ machines: exampleMachines, failedUnits: { 'grey-area': units } });
    const { out } = await stage.run('status');
    expect(out).toContain('broken-0.service, ');
    expect(out).toContain('broken-4.service and 145 more)');
    expect(Math.max(...out.split('\n').map((line) => line.length))).toBeLessThan(250);
    expect((await stage.run('status', '--json')).out).toContain('broken-149.service');
  });

  test('status of machines that cannot be asked says what to do, in the columns of the others', async () => {
    const { out, exitCode } = await partlyGone().run('status');
    const lines = out.split('\n');
    const rowOf = (name: string): number => lines.findIndex((line) => line.startsWith(`  ${name} `));
    const state = lines[0]?.indexOf('STATE') ?? 0;
    expect(lines[rowOf('broken')]?.slice(state)).toMatch(
      /^✖ not evaluated +- +- +attribute 'pkgz' missing$/u,
    );
    expect(lines[rowOf('broken') + 1]).toBe('      → repair hosts/broken');
    expect(lines[rowOf('grey-area')]?.slice(state)).toMatch(/^✖ unreachable +- +- +answers with another/u);
    expect(lines[rowOf('grey-area') + 1]).toBe('      → find out why, then correct known_hosts');
    expect(exitCode).toBe(3);
  });

  test('health of machines that cannot be asked says what to do', async () => {
    const { out, exitCode } = await partlyGone().run('health');
    expect(out).toContain(
      '? grey-area: unknown (answers with another host key)\n      → find out why, then correct known_hosts\n',
    );
    expect(out).toContain(
      "? broken: not evaluated (attribute 'pkgz' missing)\n      → repair hosts/broken\n",
    );
    expect(exitCode).toBe(3);
  });

  test('health', async () => {
    const stage = createStage({
      machines: exampleMachines,
      faults: { 'grey-area': [{ kind: 'falls-ill', atMs: 0, forMs: null }] },
    });
    const { shown, exitCode } = await stage.run('health');
    await expect(shown).toMatchFileSnapshot(golden('health'));
    expect(exitCode).toBe(3);
  });

  test('check names every problem at once and exits 2', async () => {
    const machines = exampleMachines.map((machine) =>
      machine.name === 'sleeper-service'
        ? { ...machine, dependencies: ['reverse-proxy', 'gray-area'] }
        : machine.name === 'grey-area'
          ? { ...machine, hostName: 'sleeper-service' }
          : machine,
    );
    const { shown, exitCode } = await createStage({ machines }).run('check');
    await expect(shown).toMatchFileSnapshot(golden('check'));
    expect(exitCode).toBe(2);
  });
});

describe('the full flow', () => {
  const lockChanges = [
    {
      input: 'nixpkgs',
      kind: 'updated' as const,
      from: { url: 'github:NixOS/nixpkgs', rev: '1111111111111111', lastModified: Date.UTC(2026, 10, 1) },
      to: { url: 'github:NixOS/nixpkgs', rev: '2222222222222222', lastModified: Date.UTC(2026, 10, 18) },
    },
  ];

  test('plan shows what would happen and changes nothing', async () => {
    const stage = createStage({ machines: exampleMachines, wants: newKernel, lockChanges });
    const { shown, exitCode } = await stage.run('plan');
    await expect(shown).toMatchFileSnapshot(golden('plan'));
    expect(exitCode).toBe(0);
    expect(stage.world.effects).toEqual([]);
    expect(stage.lockMoves()).toBe(0);
    expect(stage.journal.runs(1)).toEqual([]);
  });

  test('run updates, deploys and reboots in order, and reports', async () => {
    const stage = createStage({ machines: exampleMachines, wants: newKernel, lockChanges });
    const { shown, exitCode } = await stage.run('run', '--yes');
    await expect(shown).toMatchFileSnapshot(golden('run'));
    expect(exitCode).toBe(0);
    expect(stage.world.effects.filter(({ kind }) => kind === 'reboot').map(({ machine }) => machine)).toEqual(
      ['sleeper-service', 'grey-area'],
    );
    const again = await stage.run('run', '--yes', '--no-update');
    expect(again.out).toContain('the plan asks nothing of any machine');
    expect(again.exitCode).toBe(0);
  });

  test('a high machine that does not come back holds the run, and the report says why', async () => {
    const stage = createStage({
      machines: exampleMachines,
      wants: newKernel,
      faults: { 'sleeper-service': [{ kind: 'never-comes-back' }] },
    });
    const { shown, exitCode } = await stage.run('run', '--yes', '--no-update');
    await expect(shown).toMatchFileSnapshot(golden('held'));
    expect(exitCode).toBe(4);
    expect(stage.world.effects.some(({ machine }) => machine === 'grey-area')).toBe(false);
  });

  test('an update that breaks a build is put back before anything is touched', async () => {
    const stage = createStage({
      machines: exampleMachines,
      lockChanges,
      nix: {
        build: async () => ({
          built: [],
          failed: [
            {
              kind: 'build',
              machine: 'grey-area',
              phase: 'build',
              message: 'builder failed with exit code 2',
              remedy: 'see the log',
              detail: ['cc1: error'],
            },
          ],
        }),
      },
    });
    const { shown, exitCode } = await stage.run('run', '--yes');
    await expect(shown).toMatchFileSnapshot(golden('update-breaks-build'));
    expect(exitCode).toBe(1);
    expect(stage.lockMoves()).toBe(0);
    expect(stage.world.effects).toEqual([]);
  });

  test('the journal tells of it afterwards', async () => {
    const stage = createStage({ machines: exampleMachines, wants: newKernel });
    await stage.run('run', '--yes', '--no-update');
    const last = await stage.run('journal', '--lines', '3');
    const runs = await stage.run('journal', '--runs');
    const report = await stage.run('journal', '--report');
    await expect([last.shown, runs.shown, report.shown].join('\n')).toMatchFileSnapshot(golden('journal'));
  });
});

test('a delay before the first machine of a plan counts from the approval', async () => {
  const machines = exampleMachines.map((machine) =>
    machine.name === 'sleeper-service'
      ? { ...machine, orchestration: { ...machine.orchestration, rebootDelay: 100 } }
      : machine,
  );
  const { out } = await createStage({ machines, wants: newKernel }).run('plan');
  expect(out).toContain('not before 1 min 40 s after the approval, as no machine comes before it');
  expect(out).toContain('not before 60 s after the machine before it is healthy');
});

describe('a journal in which nothing is recorded', () => {
  test.each([['journal'], ['journal', '--runs']])('lab %s %s says so in one line', async (...words) => {
    const { out, exitCode } = await createStage({ machines: [] }).run(...words);
    expect(out).toBe('no run is recorded yet\n');
    expect(exitCode).toBe(0);
  });

  test('has no report, and points at no empty list', async () => {
    const stage = createStage({ machines: exampleMachines });
    const { shown, exitCode } = await stage.run('journal', '--report');
    expect(shown).toContain('lab: no run is recorded yet\n  → `lab run` begins the first\n');
    expect(exitCode).toBe(2);
    expect((await stage.run('journal', '--run', 'yesterday', '--report')).shown).not.toContain(
      '--runs` lists',
    );
  });

  test('as JSON it stays as empty as it is', async () => {
    expect((await createStage({ machines: [] }).run('journal', '--json')).out).toBe('');
  });
});

describe('consent', () => {
  test('without a terminal and without --yes nothing that changes machines is begun', async () => {
    for (const words of [['run'], ['deploy', '*'], ['deploy-all'], ['reboot', 'grey-area']]) {
      const stage = createStage({ machines: exampleMachines, wants: newKernel });
      const { shown, exitCode } = await stage.run(...words);
      expect(shown).toContain('give --yes');
      expect(exitCode).toBe(2);
      expect(stage.world.effects).toEqual([]);
    }
  });

  test('an answer other than yes declines: nothing is touched and the lock file is put back', async () => {
    const stage = createStage({
      machines: exampleMachines,
      wants: newKernel,
      interactive: true,
      answers: ['no'],
      lockChanges: [
        { input: 'nixpkgs', kind: 'added', from: null, to: { url: 'x', rev: null, lastModified: null } },
      ],
    });
    const { exitCode } = await stage.run('run');
    expect(stage.asked).toEqual(['Go ahead? [y/N] ']);
    expect(exitCode).toBe(130);
    expect(stage.lockMoves()).toBe(0);
    expect(stage.world.effects).toEqual([]);
  });

  test('rebooting a critical machine by hand needs its name, typed or given with --confirm', async () => {
    const refused = createStage({ machines: exampleMachines });
    const first = await refused.run('reboot', 'reverse-proxy', '--yes');
    expect(first.shown).toContain('--confirm reverse-proxy');
    expect(first.exitCode).toBe(2);
    expect(refused.world.effects).toEqual([]);

    const wrong = createStage({ machines: exampleMachines, interactive: true, answers: ['reverse-poxy'] });
    expect((await wrong.run('reboot', 'reverse-proxy')).exitCode).toBe(130);
    expect(wrong.world.effects).toEqual([]);

    const named = createStage({
      machines: exampleMachines,
      interactive: true,
      answers: ['reverse-proxy', 'y'],
    });
    expect((await named.run('reboot', 'reverse-proxy')).exitCode).toBe(0);
    expect(named.world.effects.map(({ kind, machine }) => `${kind} ${machine}`)).toEqual([
      'reboot reverse-proxy',
    ]);

    const confirmed = createStage({ machines: exampleMachines });
    expect(
      (await confirmed.run('reboot', 'reverse-proxy', '--confirm', 'reverse-proxy', '--yes')).exitCode,
    ).toBe(0);
  });
});

describe('mistakes on the command line', () => {
  const mistakes: readonly { readonly words: readonly string[]; readonly says: string }[] = [
    { words: ['statsu'], says: 'unknown command' },
    { words: ['status', '--colour'], says: "unknown option '--colour'" },
    { words: ['run', '--via', 'mail'], says: '--via takes' },
    { words: ['deploy', '*', '--mode', 'now'], says: '--mode takes one of' },
    { words: ['deploy'], says: "missing required argument 'selectors'" },
    { words: ['reboot-sequence', '--format', 'xml'], says: '--format takes "prose" or "lines"' },
    { words: ['journal', '--lines', '0'], says: 'whole number' },
    { words: ['machines', 'grey-aera'], says: 'did you mean "grey-area"' },
    { words: ['daemon', '--cron', 'at noon'], says: 'is no cron expression' },
    { words: ['machines', '--override-input', 'nixpkgs'], says: 'NAME VALUE' },
    { words: ['ssh', '@infrastructure'], says: 'chooses 2 machines' },
    { words: ['ssh', 'grey-area', '--json'], says: "unknown option '--json'" },
    { words: ['tui', '--json'], says: "unknown option '--json'" },
    { words: ['daemon', '--cron', '0 4 * * *', '--json'], says: "unknown option '--json'" },
    { words: ['help', 'statsu'], says: 'Did you mean status?' },
    { words: ['help', 'bogus'], says: "unknown command 'bogus'" },
  ];
  for (const { words, says } of mistakes)
    test(`lab ${words.join(' ')}`, async () => {
      const stage = createStage({ machines: exampleMachines });
      const { shown, exitCode } = await stage.run(...words);
      expect(shown).toContain(says);
      expect(exitCode).toBe(2);
    });

  test('a flake that cannot be one is left to who reads it, and no crash', async () => {
    for (const flake of ['', 'x'.repeat(5_000)]) {
      const stage = createStage({ machines: exampleMachines });
      expect((await stage.run('machines', '--flake', flake)).exitCode).toBe(0);
    }
  });

  test('a flake that cannot be read is one clear failure, as text and as JSON', async () => {
    const failure = {
      kind: 'not-a-flake',
      machine: null,
      phase: 'evaluate',
      message: 'there is no flake.nix in /tmp',
      remedy: 'give --flake',
    };
    const stage = createStage({ machines: [], nix: { evaluate: async () => fail(failure) } });
    const text = await stage.run('machines');
    expect(text.shown).toContain('lab: there is no flake.nix in /tmp\n  → give --flake');
    expect(text.exitCode).toBe(2);
    const json = await stage.run('machines', '--json');
    expect(JSON.parse(json.out)).toEqual({ schema: 'lab/failure/1', failure });
  });
});

test('ssh hands the terminal over and gives its exit code', async () => {
  const { out, exitCode } = await createStage({ machines: exampleMachines }).run(
    'ssh',
    'grey-area',
    '--',
    'uptime',
    '-p',
  );
  expect(out).toBe('(runs ssh -F ssh_config -- grey-area uptime -p)\n');
  expect(exitCode).toBe(7);
});

test('the help of the demo says what --speed does', async () => {
  const { shown } = await createStage({ machines: [] }).run('demo', '--help');
  expect(shown.replaceAll(/\s+/gu, ' ')).toContain(
    'at 1 a whole run takes about a minute, at 2 half of that',
  );
});

test('the demo can be looked at without being able to begin anything', async () => {
  const { exitCode } = await createStage({ machines: [] }).run('demo', '--readonly');
  expect(exitCode).toBe(0);
});

test('help tells of commands, exit codes and examples', async () => {
  const { shown, exitCode } = await createStage({ machines: [] }).run('--help');
  await expect(shown).toMatchFileSnapshot(golden('help'));
  expect(exitCode).toBe(0);
});
