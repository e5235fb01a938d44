import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Claim, LeaseAnswer, LeaseRequest } from '../../src/ports.ts';
import { activate } from '../../src/remote/activate.ts';
import { lease } from '../../src/remote/lease.ts';
import { triggerReboot } from '../../src/remote/reboot.ts';
import { settle } from '../../src/remote/settle.ts';
import { leapingClock } from './clocks.ts';
import { answered, exited, fakeRemote, lost } from './fake-remote.ts';
import { addToplevel, type LocalMachine, localMachine } from './local-machine.ts';
import { machineNamed, claim as mine } from './machine.ts';

const machine = machineNamed('grey-area');
const theirs: Claim = { run: '20260102-080000-cafe', owner: 'bob@laptop', ttlMs: 600_000 };
const bootId = '0f0e0d0c-0b0a-4908-8706-050403020100';
const otherBoot = 'a0a1a2a3-0b0a-4908-8706-050403020100';
const file = '/var/lib/lab/lease';

let local: LocalMachine;
beforeEach(() => {
  local = localMachine();
});
afterEach(() => local.remove());

const ask = (what: LeaseRequest['ask'], claim: Claim = mine, asked = machine): Promise<LeaseAnswer> =>
  lease(local.remote, asked, { ask: what, claim, deadlineMs: 20_000 }, {});
/** The machine's uptime, seconds; its boot stays what it is. */
const upFor = (seconds: number): void => local.write('/proc/uptime', `${seconds}.42 9000.00\n`);
const rebooted = (began: number, up: number): void => {
  local.write('/proc/sys/kernel/random/boot_id', `${otherBoot}\n`);
  local.play('began', `${began}250000\n`);
  upFor(up);
};
const heldBy = ({ run, owner }: Claim, leftMs: number): LeaseAnswer => ({
  kind: 'taken',
  by: { run, owner, machine: machine.name, state: 'held', leftMs },
});

describe('a lease on a machine, with the script in a real shell', () => {
  it('is had by who takes it first, and told to who comes second', async () => {
    expect(await ask('look')).toEqual({ kind: 'free', last: null });
    expect(await ask('take')).toEqual({ kind: 'held' });
    expect(await ask('take', theirs)).toEqual(heldBy(mine, 600_000));
    expect(await ask('look', theirs)).toEqual(heldBy(mine, 600_000));
    expect(await ask('renew', theirs)).toEqual(heldBy(mine, 600_000));
  });

  it('is had by exactly one of many that ask at once', async () => {
    const claims = Array.from({ length: 12 }, (_, index) => ({
      ...mine,
      run: `20260101-120000-00${10 + index}`,
    }));
    const answers = await Promise.all(claims.map((claim) => ask('take', claim)));
    const winners = claims.filter((_, index) => answers[index]?.kind === 'held');
    expect(winners).toHaveLength(1);
    expect(answers.filter(({ kind }) => kind === 'taken')).toHaveLength(11);
    expect(await ask('look')).toMatchObject({ kind: 'taken', by: { run: winners[0]?.run } });
  });

  it('is the same run’s again when it asks again, whenever that is', async () => {
    upFor(1_000);
    await ask('take');
    upFor(90_000);
    expect(await ask('renew')).toEqual({ kind: 'held' });
    expect(await ask('look')).toEqual(heldBy(mine, 600_000));
  });

  it('is not another person’s under the same run id', async () => {
    await ask('take');
    expect(await ask('take', { ...mine, owner: 'mallory@desk' })).toMatchObject({ kind: 'taken' });
  });

  it('is for one machine: the same run does not have it for another one, whose address leads here', async () => {
    const another = machineNamed('sleeper-service');
    await ask('take', mine, another);
    const taken = { kind: 'taken', by: { ...owner(mine), machine: another.name, state: 'held' } };
    for (const what of ['take', 'renew', 'release', 'disown'] as const)
      expect(await ask(what)).toMatchObject(taken);
    expect(await ask('renew', mine, another)).toEqual({ kind: 'held' });
    // Nor where it has run out, or was given back at an end of that run.
    upFor(90_000);
    for (const what of ['take', 'renew'] as const)
      expect(await ask(what)).toMatchObject({ kind: 'taken', by: { state: 'expired' } });
    await ask('release', mine, another);
    for (const what of ['take', 'renew'] as const)
      expect(await ask(what)).toMatchObject({ kind: 'taken', by: { state: 'released' } });
    expect(await ask('take', theirs)).toEqual({ kind: 'held' });
    await ask('release', theirs);
    // What was taken by mistake, more than once perhaps, leaves it with whoever had it before: what came of that stays known.
    for (const what of ['take', 'renew', 'take'] as const)
      expect(await ask(what, mine, another)).toEqual({ kind: 'held' });
    expect(await ask('disown', mine, another)).toEqual({ kind: 'free', last: null });
    expect(await ask('renew')).toMatchObject({
      kind: 'taken',
      by: { ...owner(theirs), state: 'released', machine: machine.name },
    });
    expect(await ask('take', mine, another)).toEqual({ kind: 'held' });
    // Who names the run means the record, whatever its machine is called.
    expect(await ask('break', mine, another)).toEqual({ kind: 'free', last: null });
  });

  it('leaves nothing behind where it was taken by mistake and nobody had it before', async () => {
    const another = machineNamed('sleeper-service');
    await ask('take', theirs);
    await ask('disown', theirs);
    expect(existsSync(local.path(file))).toBe(false);
    await ask('take', mine, another);
    await ask('disown', mine, another);
    expect(existsSync(local.path(file))).toBe(false);
    expect(await ask('renew')).toEqual({ kind: 'held' });
  });

  it('that an earlier build wrote is for whatever machine its run asks of', async () => {
    local.write(
      file,
      `lab-lease=1\nstate=held\nrun=${mine.run}\nowner=${mine.owner}\nboot=${bootId}\nsince=1\nttl=600000\n`,
    );
    expect(await ask('renew')).toEqual({ kind: 'held' });
    expect(await ask('look')).toEqual(heldBy(mine, 600_000));
  });

  it('runs out by the uptime of the machine, whatever its wall clock says', async () => {
    upFor(5_000);
    await ask('take');
    upFor(5_599);
    expect(await ask('look')).toEqual(heldBy(mine, 1_000));
    upFor(5_600);
    expect(await ask('look')).toMatchObject({ kind: 'free', last: { ...owner(mine), state: 'expired' } });
    expect(await ask('take', theirs)).toEqual({ kind: 'held' });
  });

  it('is still held after a reboot, and counts from the boot', async () => {
    upFor(1_000_000);
    await ask('take');
    rebooted(0, 30);
    expect(await ask('take', theirs)).toEqual(heldBy(mine, 570_000));
    expect(await ask('renew')).toEqual({ kind: 'held' });
    rebooted(0, 631);
    expect(await ask('take', theirs)).toEqual({ kind: 'held' });
  });

  it('counts from the boot of the machine where its uptime is that of the host it runs on', async () => {
    upFor(7_000_000);
    await ask('take');
    rebooted(8_000_000, 8_000_060);
    expect(await ask('take', theirs)).toEqual(heldBy(mine, 540_000));
  });

  it('that was given back is free, and its run may come back to it while nobody else had it', async () => {
    await ask('take');
    expect(await ask('release')).toEqual({ kind: 'free', last: null });
    expect(await ask('look')).toEqual({
      kind: 'free',
      last: { ...owner(mine), state: 'released', leftMs: 0 },
    });
    expect(await ask('renew')).toEqual({ kind: 'held' });
    await ask('release');
    expect(await ask('take', theirs)).toEqual({ kind: 'held' });
    await ask('release', theirs);
    expect(await ask('renew')).toEqual({
      kind: 'taken',
      by: { ...owner(theirs), state: 'released', leftMs: 0 },
    });
  });

  it('is not given back by who does not have it', async () => {
    await ask('take');
    expect(await ask('release', theirs)).toEqual(heldBy(mine, 600_000));
    expect(await ask('take', theirs)).toMatchObject({ kind: 'taken' });
  });

  it('is broken by who names its run, and that run cannot go on with it', async () => {
    await ask('take');
    const breaker = { ...theirs, run: '20260101-000000-0000' };
    expect(await ask('break', breaker)).toEqual(heldBy(mine, 600_000));
    expect(await ask('break', { ...theirs, run: mine.run })).toEqual({ kind: 'free', last: null });
    expect(await ask('renew')).toEqual({
      kind: 'taken',
      by: { ...owner(theirs), run: mine.run, state: 'broken', leftMs: 0 },
    });
    expect(await ask('take', theirs)).toEqual({ kind: 'held' });
  });

  it('whose record is damaged is nobody’s, until a person has looked', async () => {
    await ask('take');
    for (const damage of [
      '',
      'lab-lease=2\nrun=x\n',
      'lab-lease=1\nstate=held\nrun=x\nowner=y\nttl=08\nsince=-1\n',
      '\0\0\0',
    ]) {
      local.write(file, damage);
      for (const what of ['take', 'renew', 'look'] as const)
        expect(await ask(what)).toEqual({
          kind: 'taken',
          by: { run: 'unreadable', owner: 'unknown', state: 'unreadable', leftMs: 0 },
        });
    }
    expect(await ask('break', { ...mine, run: 'unreadable' })).toEqual({ kind: 'free', last: null });
    expect(await ask('take')).toEqual({ kind: 'held' });
  });

  it('whose record is a folder, or leads to one, is damaged too, and is only had where it can be written', async () => {
    local.write('/var/lib/lab/elsewhere/kept', '');
    symlinkSync(local.path('/var/lib/lab/elsewhere'), local.path(file));
    expect(await ask('take')).toMatchObject({ kind: 'taken', by: { state: 'unreadable' } });
    expect(await ask('break', { ...mine, run: 'unreadable' })).toEqual({ kind: 'free', last: null });
    expect(await ask('take')).toEqual({ kind: 'held' });
    expect(await ask('look')).toEqual(heldBy(mine, 600_000));

    rmSync(local.path(file));
    local.write(`${file}/kept`, '');
    expect(await ask('break', { ...mine, run: 'unreadable' })).toMatchObject({
      kind: 'unknown',
      message: expect.stringMatching(/lease cannot be written: .*not empty/iu),
    });
    rmSync(local.path(`${file}/kept`));
    expect(await ask('break', { ...mine, run: 'unreadable' })).toEqual({ kind: 'free', last: null });
    expect(await ask('take')).toEqual({ kind: 'held' });
  });

  it.each(['mkfifo', 'ln -s /dev/zero', 'truncate -s 1G'])(
    'whose record is none to be read (%s) is damaged, and keeps nobody',
    async (make) => {
      await ask('take');
      rmSync(local.path(file));
      execFileSync('sh', ['-c', `${make} "$1"`, 'sh', local.path(file)]);
      expect(await ask('take')).toMatchObject({ kind: 'taken', by: { state: 'unreadable' } });
      expect(await ask('break', { ...mine, run: 'unreadable' })).toEqual({ kind: 'free', last: null });
      expect(await ask('take')).toEqual({ kind: 'held' });
    },
  );

  it('whose lock is a pipe, or held by somebody else for good, says so', async () => {
    const lock = '/var/lib/lab/lease.lock';
    local.write(lock, '');
    const holder = spawn('flock', [local.path(lock), 'cat'], { stdio: ['pipe', 'pipe', 'inherit'] });
    holder.stdin.write('held');
    await once(holder.stdout, 'data');
    const cannot = { kind: 'unknown', message: expect.stringContaining('lease.lock cannot be locked') };
    expect(await ask('take')).toMatchObject(cannot);
    holder.stdin.end();
    await once(holder, 'exit');
    rmSync(local.path(lock));
    execFileSync('mkfifo', [local.path(lock)]);
    expect(await ask('take')).toMatchObject(cannot);
  }, 60_000);

  it('survives what a record or a claim could hold to harm', async () => {
    const hostile = { ...mine, owner: '$(touch /tmp/owned)`id`\nstate=released\n"' };
    expect(await ask('take', hostile)).toEqual({ kind: 'held' });
    expect(readFileSync(local.path(file), 'utf8')).toContain(
      'owner=__touch__tmp_owned__id__state_released__\n',
    );
    local.write(
      file,
      `lab-lease=1\nstate=held\nrun=$(reboot)\nowner=\u001b[31mred;\`id\`\nboot=${bootId}\nsince=1\nttl=600000\n`,
    );
    expect(await ask('look')).toMatchObject({ kind: 'taken', by: { run: '$(reboot)', owner: 'red;`id`' } });
  });

  it('is unknown where it cannot be written', async () => {
    local.write('/var/lib/lab', 'a file');
    expect(await ask('take')).toMatchObject({ kind: 'unknown', error: null });
    expect(await ask('look')).toEqual({ kind: 'free', last: null });
  });

  it('is unknown where it cannot be written anew, and says what the machine says of that', async () => {
    local.write('/var/lib/lab/lease.new/in-the-way', '');
    expect(await ask('take')).toMatchObject({
      kind: 'unknown',
      message: expect.stringMatching(/lease cannot be written: .*directory/iu),
    });
  });
});

const owner = ({ run, owner: who }: Claim) => ({ run, owner: who, machine: machine.name });

describe('an act on a machine whose lease somebody else has taken since', () => {
  const unit = 'lab-activate-switch-20260101-120000-beef';
  const acts = (claim: Claim, toplevel: string) => ({
    activation: () =>
      activate(
        { remote: local.remote, clock: leapingClock() },
        machine,
        { claim, toplevel, mode: 'switch', unit, deadlineMs: 20_000 },
        {},
      ),
    reboot: () => triggerReboot(local.remote, machine, { claim, bootId, unit, deadlineMs: 20_000 }, {}),
    word: () =>
      settle(
        { remote: local.remote, clock: leapingClock() },
        machine,
        { claim, unit, verdict: 'confirm', deadlineMs: 20_000 },
        {},
      ),
  });

  it('is refused on the machine, and nothing is done', async () => {
    const toplevel = addToplevel(local, 'a');
    await ask('take');
    upFor(9_000);
    await ask('take', theirs);
    local.write(`/run/lab/${unit}/code`, '0');
    for (const act of Object.values(acts(mine, toplevel)))
      expect(await act()).toEqual({
        kind: 'fenced',
        by: { ...owner(theirs), state: 'held', leftMs: 600_000 },
      });
    expect(() => local.played('started')).toThrow('ENOENT');
    expect(existsSync(local.path(`/run/lab/${unit}/verdict`))).toBe(false);
    await ask('release', theirs);
    expect(await acts(mine, toplevel).reboot()).toMatchObject({ kind: 'fenced', by: { state: 'released' } });
  });

  it('is refused on a machine that the run has as another one, and nothing is done', async () => {
    const toplevel = addToplevel(local, 'a');
    await ask('take', mine, machineNamed('sleeper-service'));
    local.write(`/run/lab/${unit}/code`, '0');
    for (const act of Object.values(acts(mine, toplevel)))
      expect(await act()).toMatchObject({
        kind: 'fenced',
        by: { ...owner(mine), machine: 'sleeper-service', state: 'held' },
      });
    expect(() => local.played('started')).toThrow('ENOENT');
    expect(existsSync(local.path(`/run/lab/${unit}/verdict`))).toBe(false);
  });

  it('goes ahead while the lease is the run’s own or ran out untaken, and renews it', async () => {
    const toplevel = addToplevel(local, 'a');
    local.write('/nix/var/nix/profiles/keep', '');
    upFor(5_000);
    await ask('take');
    upFor(7_000);
    expect(await acts(mine, toplevel).activation()).toMatchObject({ kind: 'live' });
    expect(await ask('take', theirs)).toEqual(heldBy(mine, 600_000));
    upFor(7_300);
    expect(await acts(mine, toplevel).reboot()).toEqual({ kind: 'triggered' });
    expect(await ask('take', theirs)).toEqual(heldBy(mine, 600_000));
    upFor(7_600);
    expect(await acts(mine, toplevel).word()).toEqual({ kind: 'gone' });
    expect(await ask('take', theirs)).toEqual(heldBy(mine, 600_000));
  });

  it('takes the lease where the machine has forgotten that there was one', async () => {
    expect(await acts(mine, '').reboot()).toEqual({ kind: 'triggered' });
    expect(await ask('take', theirs)).toEqual(heldBy(mine, 600_000));
  });

  it('is not held up by an activation that goes on: its unit does not keep the lock', async () => {
    local.play('background', '');
    const toplevel = addToplevel(local, 'a', `until [ -e ${local.path('/run/door')} ]; do sleep 0.05; done`);
    const going = acts(mine, toplevel).activation();
    for (let asked: LeaseAnswer | null = null; asked?.kind !== 'taken'; ) asked = await ask('look');
    expect(await ask('renew')).toEqual({ kind: 'held' });
    local.write('/run/door', '');
    await going;
  });

  it('is refused without a lock to be had', async () => {
    local.write('/var/lib/lab', 'a file');
    const { activation, reboot } = acts(mine, addToplevel(local, 'a'));
    expect(await activation()).toMatchObject({ kind: 'refused', code: null });
    expect(await reboot()).toMatchObject({ kind: 'refused' });
    expect(() => local.played('started')).toThrow('ENOENT');
  });
});

describe('an answer about a lease', () => {
  const asked = (remote: ReturnType<typeof fakeRemote>) =>
    lease(remote, machine, { ask: 'take', claim: mine, deadlineMs: 10_000 }, {});

  it('is unknown when the machine is not reached, and says why', async () => {
    expect(await asked(fakeRemote(() => lost()))).toMatchObject({
      kind: 'unknown',
      error: { kind: 'unreachable', retryable: true },
    });
  });

  it.each([
    exited(1, '', 'sudo: a password is required\n'),
    exited(0, 'lab-lease\noutcome=held\n'),
    answered('lease', 'outcome='),
    answered('lease', 'outcome=held?'),
    answered('settle', 'outcome=held'),
  ])('is never taken for held without the word that says so', async (answer) => {
    expect(await asked(fakeRemote(() => answer))).toMatchObject({ kind: 'unknown', error: null });
  });

  it('that somebody has it counts, whoever that is', async () => {
    expect(await asked(fakeRemote(() => answered('lease', 'outcome=taken', 'lease=what?')))).toMatchObject({
      kind: 'taken',
      by: { state: 'unreadable' },
    });
  });
});
