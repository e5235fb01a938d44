import { describe, expect, test } from 'vitest';
import type { LabSnapshot } from '../../../src/flow/session.ts';
import type { UiAction } from '../../../src/tui/state/ui.ts';
import { bigSnapshot, emptySnapshot, machine, now, seedMachines, seedSnapshot } from '../fixtures/lab.ts';
import {
  criticalRebootSnapshot,
  heldSnapshot,
  liveSnapshot,
  preparingSnapshot,
  waitingSnapshot,
} from '../fixtures/runs.ts';
import { frameText, sceneOf } from '../fixtures/scene.ts';

const go = (kind: 'sequence' | 'run' | 'log' | 'problems'): UiAction => ({ kind: 'go', view: { kind } });
const open = (name: string, tab: 'overview' | 'health' | 'sequence' | 'metadata'): UiAction => ({
  kind: 'go',
  view: { kind: 'machine', name, tab },
});
const tall = { columns: 120, rows: 60 };
const text = (snapshot: LabSnapshot, actions: readonly UiAction[] = [], options = {}): string =>
  frameText(sceneOf(snapshot, actions, { ...tall, ...options }));

describe('the machines', () => {
  test('as a table', () => {
    expect(frameText(sceneOf(seedSnapshot))).toMatchInlineSnapshot(`
      " lab  /home/geir/home-lab                                          seen 20s ago
      [1 Machines] 2 Seq  3 Run  4 Log  5 Prob (2)  6 Inp  7 Hist  8 Puls

         MACHINE↓               STATE            DRIFT             REBOOT NEEDED    +7
      ▶  congenital-optimist    ✔ healthy        in sync           no
         grey-area              ▲ degraded       flake ≠ running   after deploy
         reverse-proxy          ✖ offline        not known         not known
         sleeper-service        ✔ healthy        running ≠ booted  kernel → 6.12.11 +1
         what-are-the-civilia…  ✖ not evaluated  The option \`services.nginx.enabel\` d…
       congenital-optimist ───────────────────────────────────────────────────────────
        seen: 20s  role: workstation  up: 3d  gen, age: 41  groups: desktop  ssh: ok
        platform: x86_64-linux










       1 not evaluated  1 offline  1 degraded  2 healthy              1 of 5 machines
       d details  r run  u update  D deploy  R reboot  / filter  ? help  q quit"
    `);
  });

  test('lose columns as the terminal narrows, never their names and states', () => {
    const wide = text(seedSnapshot, [], { columns: 240 });
    for (const title of [
      'MACHINE',
      'STATE',
      'ROLE',
      'GROUPS',
      'DRIFT',
      'REBOOT NEEDED',
      'UP',
      'GEN',
      'SSH',
      'PLATFORM',
      'SEEN',
    ])
      expect(wide).toContain(title);
    expect(wide, 'a column with nothing in it').not.toContain('LAST RUN');
    const narrow = text(seedSnapshot, [], { columns: 60 });
    for (const title of ['MACHINE', 'STATE', 'DRIFT']) expect(narrow).toContain(title);
    for (const title of ['GROUPS', 'SSH', 'ROLE']) expect(narrow).not.toContain(title);
  });

  test('seen long ago do not look fresh', () => {
    const later = text(seedSnapshot, [], { now: now + 3_600_000 });
    expect(later).toContain('✔ was healthy');
    expect(later).toContain('seen 1h ago');
    expect(later).not.toContain('✔ healthy');
  });

  test('are on their way: it says so', () => {
    expect(text(emptySnapshot)).toContain('evaluating the flake');
  });

  test('of a flake that cannot be evaluated: cause, evidence and what to do', () => {
    const failure = {
      kind: 'flake',
      machine: null,
      phase: 'evaluate',
      message: 'flake.nix: syntax error, unexpected end of file',
      remedy: 'correct flake.nix line 12',
      detail: ['error: syntax error', '       at /home/geir/home-lab/flake.nix:12:1'],
    };
    const broken: LabSnapshot = {
      ...emptySnapshot,
      evaluation: { value: null, at: null, refreshing: false, failure },
    };
    expect(text(broken)).toContain('unexpected end of file');
    expect(text(broken)).toContain('correct flake.nix line 12');
    expect(text(broken)).toContain('flake.nix:12:1');
    const stale = { ...seedSnapshot, evaluation: { ...seedSnapshot.evaluation, failure } };
    expect(text(stale)).toContain('Below is what was known 20s ago');
    expect(text(stale)).toContain('grey-area');
  });

  test('that none of them matches: it says how to see them again', () => {
    expect(text(seedSnapshot, [{ kind: 'filter', text: 'nonsense' }])).toContain(
      'no machine matches "nonsense"',
    );
  });

  test('a thousand of them: the place in the list is told', () => {
    const scroll = { selected: 'machine-0700', top: 0 };
    const shown = text(bigSnapshot(1_000), [{ kind: 'scroll', scroll }]);
    expect(shown).toContain('▶  machine-0700');
    expect(shown).toContain('700 of 1000 machines');
  });

  test('marks and filter are told', () => {
    const shown = text(seedSnapshot, [
      { kind: 'mark', names: ['grey-area'], on: true },
      { kind: 'filter', text: '@infra' },
    ]);
    expect(shown).toContain('● grey-area');
    expect(shown).toContain('filter: @infra');
    expect(shown).toContain('1 marked');
    expect(shown).toContain('1 of 2 machines (2 of 5 shown)');
  });
});

describe('one machine', () => {
  test('overview: how it is, what it runs, what the flake wants, what it means', () => {
    const shown = text(seedSnapshot, [open('sleeper-service', 'overview')]);
    expect(shown).toContain('✔ healthy: all checks pass');
    expect(shown).toMatch(/flake wants +\S+ 26\.11\.2/u);
    expect(shown).toMatch(/booted +\S+ 26\.11\.1 ≠ flake/u);
    expect(shown).toContain('generation 42');
    expect(shown).toMatch(/reboot needed kernel 6\.12\.8 → 6\.12\.11/u);
    expect(shown).toContain('rolling; criticality critical');
  });

  test('health: every reading with its evidence', () => {
    const shown = text(seedSnapshot, [open('grey-area', 'health')]);
    expect(shown).toContain('degraded: all checks pass, but postgresql-backup.service failed');
    expect(shown).toMatch(/✔ forge {2}http, 12 ms\n +HTTP 200/u);
    expect(shown).toContain('http://localhost:3000/, expects 200');
    expect(shown).toContain('localhost:5432');
  });

  test('dependencies: what it needs and what needs it, with their states', () => {
    const shown = text(seedSnapshot, [open('sleeper-service', 'sequence')]);
    expect(shown).toContain('1 of 4, wave 1');
    expect(shown).toMatch(/▲ grey-area {2}degraded\n/u);
    expect(shown).toMatch(/✖ reverse-proxy {2}offline {2}through others/u);
  });

  test('that is away: why, and what to do', () => {
    const shown = text(seedSnapshot, [open('reverse-proxy', 'overview')]);
    expect(shown).toContain('offline: reverse-proxy did not answer on port 22 within 10 s');
    expect(shown).toContain('see whether it is switched on');
  });

  test('that could not be evaluated: its own cause', () => {
    const shown = text(seedSnapshot, [open('what-are-the-civilian-applications', 'overview')]);
    expect(shown).toContain('does not exist');
    expect(shown).toContain('correct hosts/what-are-the-civilian-applications/configuration.nix');
  });

  test('that the flake no longer names', () => {
    expect(text(seedSnapshot, [open('gone', 'overview')])).toContain('the flake no longer names gone');
  });
});

describe('the sequence', () => {
  test('is waves with delays and needs, the orchestrator last, and who has no place in it', () => {
    const shown = text(seedSnapshot, [go('sequence')]);
    expect(shown).toMatch(/Wave 1\n▶ ◆1 +✔ sleeper-service +at once/u);
    expect(shown).toMatch(/◆2 +▲ grey-area +after 30 s +if needed +~75 s +.*sleeper-service/u);
    expect(shown).toContain('Wave 4: the orchestrator, always last');
    expect(shown).toContain('what-are-the-civilian-applications  could not be evaluated');
  });

  test('of whose first machine has a delay of its own says from when that counts', () => {
    const machines = seedMachines.map((entry) =>
      entry.name === 'sleeper-service'
        ? { ...entry, orchestration: { ...entry.orchestration, rebootDelay: 1_000, rebootDelayIsOwn: true } }
        : entry,
    );
    const delayed: LabSnapshot = {
      ...seedSnapshot,
      evaluation: {
        ...seedSnapshot.evaluation,
        value: { fleet: { machines, failed: [] }, discrepancies: [] },
      },
    };
    const shown = text(delayed, [go('sequence')]).replaceAll(/\s+/gu, ' ');
    expect(shown).toContain('sleeper-service after 16 min 40 s ');
    expect(shown).toContain('the delay of sleeper-service counts from the approval');
    expect(text(seedSnapshot, [go('sequence')])).not.toContain('counts from');
  });

  test('names a contradiction in place', () => {
    const machines = [machine('a', { dependencies: ['b'] }), machine('b', { dependencies: ['a'] })];
    const cyclic: LabSnapshot = {
      ...seedSnapshot,
      evaluation: {
        ...seedSnapshot.evaluation,
        value: { fleet: { machines, failed: [] }, discrepancies: [] },
      },
      problems: [
        {
          kind: 'cycle',
          severity: 'error',
          machines: ['a', 'b'],
          message: 'dependency cycle: a → b → a',
          remedy: 'remove one',
        },
      ],
    };
    const shown = text(cyclic, [go('sequence')]);
    expect(shown).toContain('✖ dependency cycle: a → b → a');
    expect(shown).toContain('on or behind a dependency cycle');
  });
});

describe('the run', () => {
  const run = (snapshot: LabSnapshot, options = {}): string => text(snapshot, [go('run')], options);

  test('none yet: how to begin one', () => {
    expect(run(seedSnapshot)).toContain('No run yet.');
  });

  test('being prepared: what is done, what is under way, and that nothing is touched', () => {
    const shown = run(preparingSnapshot);
    expect(shown).toMatch(/✔ evaluate the flake/u);
    expect(shown).toContain('building 12 of 40: linux-6.12.11');
    expect(shown).toContain('no machine is touched before you approve the plan');
  });

  test('a plan that waits: every machine, what happens to it and why', () => {
    const shown = run(waitingSnapshot);
    expect(shown).toContain('nixpkgs  11111111 (2026-11-01) → 33333333 (2026-11-19)');
    expect(shown).toContain('1 to activate, 2 to reboot, 1 already as wanted, 2 skipped');
    expect(shown).toMatch(/1\. ▶ sleeper-service {2}reboot, about/u);
    expect(shown).toMatch(/reboot +kernel 6\.12\.8 → 6\.12\.11/u);
    expect(shown).toContain('30 s after the machine before it is healthy');
    expect(shown).toContain('only while  sleeper-service is healthy');
    expect(shown).toContain('halts the run and returns it to what it runs now');
    expect(shown).toMatch(/3\. ✖ reverse-proxy {2}skipped\n +because +reverse-proxy did not answer/u);
    expect(shown).toMatch(/Nothing to do\n {3}✔ congenital-optimist\n {5}because/u);
    expect(shown).toMatch(/Left out\n +✖ what-are-the-civilian-applications/u);
  });

  test('a plan that goes on below the edge says by how much', () => {
    expect(run(waitingSnapshot, { columns: 80, rows: 24 })).toMatch(/↓ \d+ more lines below/u);
  });

  test('under way: a row per machine with its phase, its time and its limit, and the log', () => {
    const shown = run(liveSnapshot);
    expect(shown).toMatch(/▶ sleeper-service +\S awaiting the boot +2\/4 +1 s \/ 12:00/u);
    expect(shown).toMatch(/ {2}grey-area +· waiting/u);
    expect(shown).toMatch(/ {2}reverse-proxy +▲ skipped/u);
    expect(shown).toMatch(/✔ preflight: root by sudo, 41 GiB free/u);
  });

  test('being stopped: it says what that means', () => {
    const stopping: LabSnapshot = { ...liveSnapshot, phase: { kind: 'running', stopRequested: true } };
    expect(run(stopping)).toContain('the steps under way end; no other begins');
  });

  test('held: what happened, what to do, the evidence, and every machine', () => {
    const shown = run(heldSnapshot);
    expect(shown).toContain('Run held: needs you');
    expect(shown).toContain('sleeper-service went down and did not answer within 10 min');
    expect(shown).toContain('look at its console');
    expect(shown).toContain('No route to host');
    expect(shown).toMatch(/✖ sleeper-service +failed/u);
    expect(shown).toMatch(/· grey-area +not touched/u);
  });

  test('refused: why', () => {
    const refused: LabSnapshot = {
      ...seedSnapshot,
      phase: {
        kind: 'refused',
        failure: {
          kind: 'locked',
          machine: null,
          phase: 'lock',
          message: 'another run is under way: process 4711 of root',
          remedy: 'let it end, or look at it with `lab journal --follow`',
        },
      },
    };
    expect(run(refused)).toContain('another run is under way: process 4711 of root');
    expect(run(refused)).toContain('let it end');
  });

  test('a critical reboot by hand is a plan like any other', () => {
    expect(run(criticalRebootSnapshot)).toContain('1 to reboot');
  });
});

describe('the rest', () => {
  test('the log is what happened, in order, with the messages of the session', () => {
    const withMessage: LabSnapshot = {
      ...liveSnapshot,
      messages: [{ at: now - 10_500, level: 'warning', text: 'grey-area answers slowly' }],
    };
    const lines = text(withMessage, [go('log')]).split('\n');
    const at = (part: string): number => lines.findIndex((content) => content.includes(part));
    expect(at('begun by geir')).toBeGreaterThan(0);
    expect(at('grey-area answers slowly')).toBeGreaterThan(at('begun by geir'));
    expect(at('down, waiting for it to come back')).toBeGreaterThan(at('grey-area answers slowly'));
  });

  test('problems are counted in their tab and listed with what to do', () => {
    const shown = text(seedSnapshot, [go('problems')]);
    expect(shown).toContain('5 Problems (2)');
    expect(shown).toContain('services.nginx.enabel');
    expect(shown).toContain('hosts/old-laptop has no nixosConfigurations.old-laptop');
  });

  test('the demo is called a demo', () => {
    expect(text({ ...seedSnapshot, demo: true })).toContain('DEMO, simulated');
  });

  test('a terminal too small for the truth says so', () => {
    expect(text(seedSnapshot, [], { columns: 38, rows: 10 })).toContain('38 x 10, and lab needs 40 x 12');
  });
});
