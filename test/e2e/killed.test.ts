import { readdir, readFile, stat, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { EventBody } from '../../src/run/event.ts';
import type { RunReport } from '../../src/run/report.ts';
import { copyIsHeld, giveFile, holdCopies, holdNoCopies, startsOnce, takeFile } from './held.ts';
import { type LabOnFleet, soonMs, startLab, storiesPossible, type UnderWay } from './lab.ts';
import { begins, machinesOf, outcomeOf, speaks, strayOn } from './story.ts';

/**
 * The process of a run dies at every stage of it, and is taken up again each time. Whatever it was in the middle of is
 * done once: the hosts count, not `lab`.
 */

const available = await storiesPossible('a run that is killed at every stage');

const names = ['one', 'two'] as const;
/** Of a closure that is larger. */
const partBytes = 10_000_000;

/** Writes down the boot in which it is started: once by the activation, once by the boot into it. */
const counter = `[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sh -c 'cat /proc/sys/kernel/random/boot_id >>/var/lib/starts'
[Install]
WantedBy=multi-user.target
`;

const goOn = '/var/lib/go-on';
/** Gone with each boot. */
const wellWith = '/run/well';

const prepares =
  (work: string) =>
  (body: EventBody): boolean =>
    body.kind === 'preparation-started' && body.work === work;

describe.skipIf(!available.ok)('a run whose process is killed', () => {
  let lab: LabOnFleet;
  beforeAll(async () => {
    lab = await startLab({ hosts: names }, (fleet) => machinesOf(fleet, { one: {}, two: {} }));
    await lab.flake.describe(
      machinesOf(lab.fleet, {
        one: {
          order: 1,
          wellWith,
          knobs: {
            kernelVersion: '6.13.1',
            payloadMiB: 100,
            units: { 'counter.service': counter, 'lasts.service': startsOnce(goOn) },
          },
        },
        two: {
          order: 2,
          policy: 'never',
          knobs: { generation: '1', units: { 'lasts.service': startsOnce(goOn) } },
        },
      }),
    );
  });
  afterAll(async () => lab?.down());

  const kill = async (): Promise<void> => {
    const { pid } = JSON.parse(await readFile(join(lab.stateDirectory, 'lock-holder.json'), 'utf8'));
    process.kill(pid, 'SIGKILL');
  };
  /** Of where the machines of the run are, as a disk that was full or failed may leave it. */
  const loseHalfOfSshConfig = async (): Promise<void> => {
    const folder = join(lab.stateDirectory, 'engines');
    const files = (await readdir(folder)).filter((name) => name.endsWith('.ssh_config'));
    expect(files).not.toEqual([]);
    for (const path of files.map((name) => join(folder, name)))
      await truncate(path, Math.floor((await stat(path)).size / 2));
  };
  const expectDied = async (run: UnderWay): Promise<void> => {
    const died = await run.ended;
    // A terminal gives only one stream.
    expect(`${died.stdout}${died.stderr}`).toMatch(/process of run \S+ died[\s\S]*lab resume/u);
    expect(died.code).toBe(4);
  };

  test.for([
    ['while it evaluates', prepares('evaluate')],
    ['while Nix computes the new flake.lock', prepares('update')],
    ['as flake.lock is moved', ({ kind }: EventBody) => kind === 'lock-moved'],
    ['while it builds', prepares('build')],
    ['before its plan is approved', ({ kind }: EventBody) => kind === 'plan-made'],
  ] as const)('%s: nothing was touched, resume says so, and flake.lock is as it was', async ([, stage]) => {
    const git = ['git', '-C', lab.flake.folder, 'status', '--porcelain'];
    const before = await Promise.all(names.map((name) => lab.runs(name)));
    await lab.flake.release('README.md', '# The nixpkgs', '#  The nixpkgs');
    const run = lab.startAtTerminal(['run']);
    await run.until(stage);
    await kill();
    await expectDied(run);
    const { code, stdout } = await lab.run(['resume']);
    expect(stdout).toContain('it had not been approved, so no machine was touched');
    expect(code).toBe(130);
    expect(await Promise.all(names.map((name) => lab.runs(name)))).toEqual(before);
    expect((await lab.fleet.run(git)).stdout).toBe('');
    await lab.flake.release('README.md', '#  The nixpkgs', '# The nixpkgs');
  });

  test('again and again on its way: resumed each time, it activates once, reboots once and reports what is', async () => {
    const { fleet } = lab;
    const [bootId = ''] = (await fleet.history()).flatMap((event) =>
      event.kind === 'boot' && event.host === 'one' ? [event.bootId] : [],
    );
    // At each stage it stays until told otherwise: the process dies meanwhile, and a busy machine needs its time for that.
    await holdCopies(fleet, 'one', partBytes);
    await giveFile(fleet, 'one', wellWith);
    await fleet.fault('one', 'never-returns');
    const goesDown = async (): Promise<void> =>
      vi.waitFor(
        async () => {
          const last = (await fleet.history()).findLast(
            ({ host, kind }) => host === 'one' && (kind === 'boot' || kind === 'went-down'),
          );
          if (last?.kind !== 'went-down') throw new Error('one is not down');
        },
        { timeout: soonMs, interval: 50 },
      );
    const stages: readonly (readonly [string, (run: UnderWay) => Promise<void>])[] = [
      ['in its preflight', (run) => run.until(begins('one/preflight'))],
      [
        'as it copies',
        async (run) => {
          await run.until(begins('one/copy'));
          await copyIsHeld(fleet, 'one');
        },
      ],
      [
        'as it activates',
        async (run) => {
          await holdNoCopies(fleet, 'one');
          await run.until(speaks('one/activate-switch'));
        },
      ],
      [
        'between activation and confirmation',
        async (run) => {
          await takeFile(fleet, 'one', wellWith);
          await giveFile(fleet, 'one', goOn);
          await run.until(speaks('one/gate-after-activation'));
        },
      ],
      [
        'as it triggers the reboot',
        async (run) => {
          await giveFile(fleet, 'one', wellWith);
          await run.until(begins('one/reboot'));
        },
      ],
      ['right after the trigger', (run) => run.until(begins('one/await-boot'))],
      [
        'while the machine is down',
        async (run) => {
          await run.until(begins('one/await-boot'));
          await goesDown();
        },
      ],
      [
        'in the gate after the reboot',
        async (run) => {
          await fleet.clearFaults('one');
          await run.until(speaks('one/gate-after-reboot'));
        },
      ],
      [
        'with one machine done',
        async (run) => {
          await giveFile(fleet, 'one', wellWith);
          await run.until(speaks('two/activate-switch'));
        },
      ],
    ];
    let words: readonly string[] = ['run', '--yes'];
    for (const [stage, reached] of stages) {
      const run = lab.start(words);
      await reached(run).catch(async (error: unknown) => {
        throw new Error(`killed ${stage}: ${error instanceof Error ? error.message : String(error)}`);
      });
      await kill();
      await expectDied(run);
      await loseHalfOfSshConfig();
      words = ['resume'];
    }
    await giveFile(fleet, 'two', goOn);
    const { code, stdout } = await lab.run(words);
    expect(code, stdout).toBe(0);

    const { body } = await lab.json<{ report: RunReport }>(['journal', '--report']);
    expect(body.report).toMatchObject({ result: 'done', exitCode: 0 });
    expect(outcomeOf(body.report, 'one')).toMatchObject({ status: 'done', rebooted: true });
    expect(outcomeOf(body.report, 'two')).toMatchObject({ status: 'done', rebooted: false });
    expect(await fleet.boots('one')).toBe(2);
    expect(await fleet.boots('two')).toBe(1);
    const boots = (await fleet.history()).flatMap((event) =>
      event.kind === 'boot' && event.host === 'one' ? [event.bootId] : [],
    );
    expect(boots[0]).toBe(bootId);
    const starts = await fleet.exec('one', ['cat', '/var/lib/starts']);
    expect(starts.stdout.trim().split('\n')).toEqual(boots);
    for (const name of names) {
      const { current, profile, next, generation } = await lab.runs(name);
      expect([current, profile, next], name).toEqual(Array(3).fill(outcomeOf(body.report, name).to));
      expect(generation).toBe(2);
      expect(await strayOn(fleet, name)).toBe('');
    }
  });
});
