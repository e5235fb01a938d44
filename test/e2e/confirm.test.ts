import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { giveFile, startsOnce, takeFile } from './held.ts';
import { type LabOnFleet, type Runs, soonMs, startLab, storiesPossible } from './lab.ts';
import { machinesOf, outcomeOf, speaks, stepsIn, strayOn, type Told } from './story.ts';

/** Activations that the machines watch over themselves: what nobody confirms does not stay, whoever is gone. */

const available = await storiesPossible('activations that are confirmed or taken back');

const names = ['box', 'mute', 'left', 'stiff'] as const;
/** Longer than any of these machines waits for its confirmation: what its gate may take, and a minute. */
const returnsWithinMs = 240_000;

const wellWith = '/var/lib/well';
const goOn = '/var/lib/go-on';

/** Stops sshd, with every session, when its generation goes live; leaves it running again when that is taken back. */
const silencer = `[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/bin/systemctl stop sshd.service
ExecStop=/usr/bin/systemctl --no-block start sshd.service
[Install]
WantedBy=multi-user.target
`;

describe.skipIf(!available.ok)('an activation on a real machine', () => {
  let lab: LabOnFleet;
  let version = 0;
  beforeAll(async () => {
    lab = await startLab({ hosts: names }, (fleet) =>
      machinesOf(fleet, { box: {}, mute: {}, left: {}, stiff: {} }),
    );
    // From here on every generation needs no reboot.
    const { code } = await lab.report(['run', '--yes']);
    expect(code).toBe(0);
  });
  afterAll(async () => lab?.down());

  const describeAs = async (name: (typeof names)[number], told: Told): Promise<void> => {
    version += 1;
    const changed = { ...told, knobs: { generation: `${version}`, ...told.knobs } };
    const all = Object.fromEntries(names.map((each) => [each, each === name ? changed : {}]));
    await lab.flake.describe(machinesOf(lab.fleet, all));
  };
  const expectRuns = async (name: string, { current, profile, next }: Runs): Promise<void> => {
    expect(await lab.runs(name)).toMatchObject({ current, profile, next });
  };
  const notesOf = async (step: string): Promise<readonly string[]> =>
    (await lab.events()).flatMap(({ body }) => {
      if (body.kind === 'step-noted' && body.step === step) return [body.note];
      const ended = body.kind === 'step-ended' && body.step === step ? body.outcome : null;
      return ended?.kind === 'succeeded' ? [ended.facts.note] : [];
    });
  const endOfProcess = async (): Promise<void> => {
    const { pid } = JSON.parse(await readFile(join(lab.stateDirectory, 'lock-holder.json'), 'utf8'));
    process.kill(pid, 'SIGKILL');
  };

  test('is live while its gate lasts, and the boot default only once it is confirmed', async () => {
    const before = await lab.runs('box');
    await describeAs('box', { wellWith, knobs: { units: { 'box.service': startsOnce(goOn) } } });
    await giveFile(lab.fleet, 'box', wellWith);
    const run = lab.start(['run', 'box', '--yes']);
    await run.until(speaks('box/activate-switch'));
    await takeFile(lab.fleet, 'box', wellWith);
    await giveFile(lab.fleet, 'box', goOn);
    await run.until(speaks('box/gate-after-activation'));
    const meanwhile = await lab.runs('box');
    expect(meanwhile.current).not.toBe(before.current);
    expect([meanwhile.profile, meanwhile.next]).toEqual([before.profile, before.next]);
    expect(await strayOn(lab.fleet, 'box')).toContain('lab-activate-switch-');
    await giveFile(lab.fleet, 'box', wellWith);
    const ended = await run.ended;
    expect(ended.code, ended.stdout).toBe(0);
    expect(stepsIn(await lab.events()).slice(-6)).toEqual([
      'box/activate-switch begins',
      'box/activate-switch succeeded',
      'box/gate-after-activation begins',
      'box/gate-after-activation succeeded',
      'box/confirm begins',
      'box/confirm succeeded',
    ]);
    const { current } = meanwhile;
    await expectRuns('box', { ...meanwhile, profile: current, next: current });
    expect((await lab.fleet.exec('box', ['ls', '/run/lab'])).stdout).toBe('');
  });

  test('that does not become healthy is taken back at once, and the report says so', async () => {
    const before = await lab.runs('box');
    await describeAs('box', { page: false, healthy: 2 });
    const { code, body } = await lab.report(['run', 'box', '--yes']);
    expect(code).toBe(1);
    expect(outcomeOf(body, 'box')).toMatchObject({ status: 'restored', failure: { kind: 'unhealthy' } });
    expect(outcomeOf(body, 'box').summary).toContain('returned to what it ran');
    expect(await notesOf('box/restore')).toEqual(['its supervisor returned it']);
    await expectRuns('box', before);
    expect((await lab.runs('box')).generation).toBe(before.generation);
    expect(await strayOn(lab.fleet, 'box')).toBe('');
  });

  test('that fails is taken back by the machine before it says so', async () => {
    const before = await lab.runs('box');
    await describeAs('box', { knobs: { switchExitCode: 2 } });
    const { body } = await lab.report(['run', 'box', '--yes']);
    expect(outcomeOf(body, 'box')).toMatchObject({
      status: 'restored',
      failure: { kind: 'activation-refused' },
    });
    expect(await notesOf('box/restore')).toEqual(['it returned by itself, for the activation failed']);
    await expectRuns('box', before);
  });

  test('goes on while the link is cut in its middle, and is confirmed afterwards', async () => {
    await takeFile(lab.fleet, 'box', goOn);
    await describeAs('box', { knobs: { units: { 'cut.service': startsOnce(goOn) } } });
    const run = lab.start(['run', 'box', '--yes']);
    await run.until(speaks('box/activate-switch'));
    await lab.fleet.fault('box', 'link-down');
    await run.until(
      (body) => body.kind === 'step-noted' && body.note.startsWith('connection lost, the activation goes on'),
    );
    await giveFile(lab.fleet, 'box', goOn);
    await lab.fleet.clearFaults('box');
    const ended = await run.ended;
    expect(ended.code, ended.stdout).toBe(0);
    const { current, profile, next } = await lab.runs('box');
    expect([profile, next]).toEqual([current, current]);
    // A login that the cut has severed lingers for a while; no unit does.
    expect(await strayOn(lab.fleet, 'box')).not.toContain('.service');
  });

  test('that breaks sshd is taken back by the machine itself, and the report says so', async () => {
    const before = await lab.runs('mute');
    await describeAs('mute', { healthy: 2, knobs: { units: { 'silencer.service': silencer } } });
    const { code, body } = await lab.report(['run', 'mute', '--yes']);
    expect(code).toBe(1);
    expect(outcomeOf(body, 'mute')).toMatchObject({ status: 'restored' });
    expect(outcomeOf(body, 'mute').summary).toContain('returned to what it ran');
    expect(await notesOf('mute/restore')).toEqual([
      'it returned by itself, for nobody confirmed the activation in time',
    ]);
    await expectRuns('mute', before);
    expect(await strayOn(lab.fleet, 'mute')).toBe('');
  });

  test('whose orchestrator dies is taken back by the machine itself; resume does it again', async () => {
    const before = await lab.runs('left');
    await describeAs('left', {
      healthy: 20,
      wellWith,
      knobs: { units: { 'left.service': startsOnce(goOn) } },
    });
    await giveFile(lab.fleet, 'left', wellWith);
    const run = lab.start(['run', 'left', '--yes']);
    await run.until(speaks('left/activate-switch'));
    await takeFile(lab.fleet, 'left', wellWith);
    await giveFile(lab.fleet, 'left', goOn);
    await run.until(speaks('left/gate-after-activation'));
    await endOfProcess();
    expect((await run.ended).code).toBe(4);
    expect((await lab.runs('left')).current).not.toBe(before.current);
    await vi.waitFor(() => expectRuns('left', before), { timeout: returnsWithinMs, interval: 500 });
    expect(await lab.fleet.exec('left', ['systemctl', 'is-system-running'])).toMatchObject({
      stdout: 'running\n',
    });
    const end = ['sh', '-c', 'cat /run/lab/*/end; readlink /run/lab/*/verdict'];
    await vi.waitFor(
      async () => expect((await lab.fleet.exec('left', end)).stdout).toBe('restored\nexpired\n'),
      { timeout: soonMs },
    );

    await giveFile(lab.fleet, 'left', wellWith);
    const resumed = await lab.run(['resume']);
    expect(resumed.code, `${resumed.stdout}${resumed.stderr}`).toBe(0);
    const { current, profile, next } = await lab.runs('left');
    expect(current).not.toBe(before.current);
    expect([profile, next]).toEqual([current, current]);
    expect(await strayOn(lab.fleet, 'left')).toBe('');
  });

  test('past a switch inhibitor does not go live: it becomes the boot default, and is rebooted into', async () => {
    const [before, boots] = [await lab.runs('stiff'), await lab.fleet.boots('stiff')];
    await describeAs('stiff', { knobs: { switchInhibitors: { dbus: 'broker' } } });
    const { code, body } = await lab.report(['run', 'stiff', '--yes']);
    expect(code, JSON.stringify(body)).toBe(0);
    expect(outcomeOf(body, 'stiff')).toMatchObject({ status: 'done', rebooted: true });
    expect(await lab.fleet.boots('stiff')).toBe(boots + 1);
    expect((await notesOf('stiff/activate-switch')).at(-1)).toContain('switch inhibitors');
    const { booted, current } = await lab.runs('stiff');
    expect(booted).toBe(current);
    expect(current).not.toBe(before.current);
  });
});
