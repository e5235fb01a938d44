import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { beforeAll, describe, expect, test } from 'vitest';
import { runProcess } from '../../src/process/run.ts';
import { build, checkout, evaluate } from './nix.ts';

/** A machine with the module, and a `lab` that says how it was called and ends as `EXIT` says. */
const machine = (settings: string): string => `(system ({ pkgs, ... }: {
  imports = [ ${checkout}/nix/modules/lab-orchestrator.nix ];
  services.lab-orchestrator = {
    package = pkgs.writeShellScriptBin "lab" "printf '%s\\\\n' \\"$@\\"; exit $EXIT";
  } // ${settings};
}))`;

const folder =
  '{ enable = true; flake = "/srv/our lab"; user = "alice"; timeLimit = "2h"; extraArgs = [ "@edge" "it\'s" ]; }';
const url = `{
  enable = true; flake = "github:someone/lab"; update = false; stateDir = "/data/lab";
  resumeAtBoot = false; schedule = "*-*-* 03:30"; persistent = false; randomizedDelay = "30min";
}`;

let local: string;
let remote: string;
let off: string;
const unit = (toplevel: string, name: string): Promise<string> =>
  readFile(`${toplevel}/etc/systemd/system/${name}`, 'utf8');
const startScript = async (toplevel: string): Promise<string> =>
  /^ExecStart=(\S+)$/m.exec(await unit(toplevel, 'lab-orchestrator.service'))?.[1] ?? '';

beforeAll(async () => {
  const outputs = await build(
    `map (machine: machine.config.system.build.toplevel) [ ${machine(folder)} ${machine(url)} ${machine('{ }')} ]`,
  );
  [local = '', remote = '', off = ''] = outputs;
});

describe('the service', () => {
  test('runs lab in the flake’s folder as its owner, with time limit, state and programs', async () => {
    const text = await unit(local, 'lab-orchestrator.service');
    for (const line of [
      'Type=oneshot',
      'User=alice',
      'WorkingDirectory=/srv/our lab',
      'TimeoutStartSec=2h',
      // Whoever stops it stops lab, which lets its step end; not the copy that is under way.
      'KillMode=mixed',
      'OOMPolicy=continue',
      'StateDirectory=lab',
      'StateDirectoryMode=0700',
      'After=network-online.target lab-orchestrator-resume.service',
      'Wants=network-online.target',
      'X-RestartIfChanged=false',
      'Environment="LAB_STATE_DIR=/var/lib/lab"',
    ]) {
      expect(text.split('\n')).toContain(line);
    }
    const path = /^Environment="PATH=([^"]*)"$/m.exec(text)?.[1]?.split(':') ?? [];
    const programs = (await Promise.all(path.map((bin) => readdir(bin).catch(() => [])))).flat();
    expect(programs).toEqual(expect.arrayContaining(['nix', 'git', 'ssh', 'sh', 'systemctl', 'cat']));
    // sudo, and whatever else the machine has.
    expect(path).toEqual(expect.arrayContaining(['/run/wrappers/bin', '/run/current-system/sw/bin']));
    // The unit's result is the exit status of the run, softened by nothing.
    expect(text).not.toMatch(/SuccessExitStatus|ExecStart=-|RemainAfterExit|Restart=/);
    // Nothing starts it but its timer.
    expect(text).not.toContain('WantedBy');
  });

  test('goes on after the boot of its own machine, unless told not to', async () => {
    const text = await unit(local, 'lab-orchestrator-resume.service');
    for (const line of [
      'Type=exec',
      'User=alice',
      'KillMode=mixed',
      'OOMPolicy=continue',
      'After=network-online.target',
      'Environment="LAB_STATE_DIR=/var/lib/lab"',
      'Environment="LAB_RESUMES_AT_BOOT=1"',
      'ConditionPathExists=/var/lib/lab/journal.db',
    ])
      expect(text.split('\n')).toContain(line);
    const script = /^ExecStart=(\S+)$/m.exec(text)?.[1] ?? '';
    const run = await runProcess([script], { deadlineMs: 60_000, env: { EXIT: '4' } });
    expect(run).toMatchObject({ code: 4, stdout: 'resume\n--at-boot\n' });
    expect(await unit(local, 'lab-orchestrator.service')).toContain('LAB_RESUMES_AT_BOOT=1');

    await expect(unit(remote, 'lab-orchestrator-resume.service')).rejects.toThrow(/ENOENT/);
    // Nor does a timer that fires in that boot wait for it.
    expect(await unit(remote, 'lab-orchestrator.service')).not.toMatch(
      /LAB_RESUMES_AT_BOOT|lab-orchestrator-resume/,
    );
  });

  test('hands its words to lab as they are, and lab’s exit status to systemd', async () => {
    const script = await startScript(local);
    const run = await runProcess([script], { deadlineMs: 60_000, env: { EXIT: '3' } });
    expect(run).toMatchObject({
      code: 3,
      stdout: "run\n--flake\n/srv/our lab\n--yes\n--via\ntimer\n@edge\nit's\n",
    });
  });

  test('of a flake that is no folder does not update it, and works in the state folder', async () => {
    const text = await unit(remote, 'lab-orchestrator.service');
    expect(text).toContain('WorkingDirectory=/data/lab\n');
    expect(text).toContain('User=root\n');
    expect(text).not.toContain('StateDirectory');
    const run = await runProcess([await startScript(remote)], { deadlineMs: 60_000, env: { EXIT: '0' } });
    expect(run.stdout).toBe('run\n--flake\ngithub:someone/lab\n--yes\n--via\ntimer\n--no-update\n');
  });
});

describe('the timer', () => {
  test('is started at boot, and says when', async () => {
    expect(await unit(local, 'lab-orchestrator.timer')).toContain(
      'OnCalendar=Sun 04:00\nPersistent=true\nRandomizedDelaySec=0\n',
    );
    expect(await unit(remote, 'lab-orchestrator.timer')).toContain(
      'OnCalendar=*-*-* 03:30\nPersistent=false\nRandomizedDelaySec=30min\n',
    );
    expect(await readdir(`${local}/etc/systemd/system/timers.target.wants`)).toEqual([
      'lab-orchestrator.timer',
    ]);
  });
});

test('systemd finds nothing to object to in the units', async () => {
  const place = await mkdtemp(`${tmpdir()}/lab-units-`);
  try {
    const names = ['lab-orchestrator.service', 'lab-orchestrator.timer'];
    for (const name of names) await writeFile(`${place}/${name}`, await unit(remote, name));
    const result = await runProcess(
      ['systemd-analyze', 'verify', '--man=no', ...names.map((name) => `${place}/${name}`)],
      { deadlineMs: 20_000 },
    );
    if (result.startError !== null) {
      console.warn('NOT CHECKED: systemd-analyze is not installed here, so systemd has not read the units');
      return;
    }
    expect(result.stderr.split('\n').filter((line) => line.includes('lab-orchestrator'))).toEqual([]);
    expect(result.code).toBe(0);
  } finally {
    await rm(place, { recursive: true, force: true });
  }
});

test('importing the module without enabling it adds no unit', async () => {
  const system = await readdir(`${off}/etc/systemd/system`);
  expect(system.filter((name) => name.startsWith('lab-'))).toEqual([]);
});

test('what cannot work is said before it is built', async () => {
  const messages = await evaluate(`map
    (settings: map (a: a.message) (builtins.filter (a: !a.assertion) (${machine('settings')}).config.assertions))
    [
      { enable = true; flake = "github:someone/lab"; }
      { enable = true; flake = "/srv/lab"; stateDir = "state"; }
      ${folder}
      ${url}
    ]`);
  expect(messages).toEqual([
    [
      'services.lab-orchestrator.update needs a flake in a local folder to write its flake.lock, and services.lab-orchestrator.flake is "github:someone/lab"; give an absolute path, or set update = false',
    ],
    ['services.lab-orchestrator.stateDir must be an absolute path, and is "state"'],
    [],
    [],
  ]);
});
