import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { quoteForRemoteShell } from '../../src/ssh/quote.ts';
import { type LabOnFleet, soonMs, startLab, storiesPossible } from './lab.ts';
import { machinesOf } from './story.ts';
import { isTheShells, type Terminal, terminal, withTmux } from './terminal.ts';

/**
 * The screen in a real terminal over a real host: `s` is a real ssh to a real sshd. What is typed there is that shell's,
 * and nobody else's; what comes back is the screen as it was left.
 */

const available = await storiesPossible('ssh from the screen');

withTmux();

describe.skipIf(!available.ok)('the screen over a real host', () => {
  let lab: LabOnFleet;
  let script: string;
  beforeAll(async () => {
    lab = await startLab({ hosts: ['web'] }, (fleet) =>
      machinesOf(fleet, { web: { user: 'root', minUptime: 3_600 } }),
    );
    const { fleet, flake, program, stateDirectory } = lab;
    const env = Object.entries({ ...fleet.environment, LAB_STATE_DIR: stateDirectory });
    script = join(fleet.directory, 'screen.sh');
    writeFileSync(
      script,
      [
        ...env.map(([name, value]) => `export ${name}=${quoteForRemoteShell([value])}`),
        `cd ${quoteForRemoteShell([flake.folder])}`,
        `exec ${quoteForRemoteShell(fleet.asOrchestrator(program))}`,
        '',
      ].join('\n'),
    );
  });
  afterAll(async () => lab?.down());

  const open = async (shell = 'sh'): Promise<Terminal> => {
    const it = await terminal(lab.flake.folder, 110, 30);
    if (shell !== 'sh') {
      // Only a shell with job control can stop its children.
      it.type(`exec ${shell} --norc --noprofile`);
      it.type('PS1="$ "; clear');
    }
    it.type(`sh ${script}; echo "ended with $?"`);
    await it.waitFor(/▶ +web .*(?:healthy|degraded)/u);
    return it;
  };
  /** Into the shell on the machine. */
  const enter = async (it: Terminal): Promise<void> => {
    it.keys('s');
    await it.waitFor(/web.*[#$] ?$/mu);
    expect(it.state()).toEqual({ alternate: false, cursor: true });
  };
  const backOnScreen = async (it: Terminal): Promise<void> => {
    await it.waitFor(/\[1 Machines\]/u);
    await it.waitFor(/▶ +web/u);
    expect(it.state()).toEqual({ alternate: true, cursor: false });
  };
  /** No run, no question, no other view: nothing that was typed elsewhere did anything here. */
  const nothingHappened = async (it: Terminal): Promise<void> => {
    expect(it.text()).toMatch(/\[1 Machines\]/u);
    expect(it.text()).not.toMatch(/Preparing|Plan:|Cancel|marked/u);
    const { body } = await lab.json<{ runs: readonly unknown[] }>(['journal', '--runs']);
    expect(body.runs).toEqual([]);
  };

  test('what is typed on the machine is the machine’s: it answers, and the screen does none of it', async () => {
    const it = await open();
    await enter(it);
    it.type('echo "here is $(cat /proc/sys/kernel/hostname)"');
    await it.waitFor(/^here is web/mu);
    // Keys that mean much on the screen, also while the machine does not read, and as raw as an editor has them.
    it.type('r R D u C x q');
    await it.waitFor(/not found/u);
    it.type('sleep 2');
    it.keys('r', 'R', 'Enter', 'q', 'Enter', ':', 'Enter');
    it.type('stty raw -echo; echo rea""dy; dd bs=1 count=6 2>/dev/null | od -c | head -n 1; stty sane');
    await it.waitFor(/ready/u);
    it.keys('r', 'a', 'q', 'R', 'C-c', 'z');
    await it.waitFor(/r +a +q +R +003 +z/u);
    it.type('exit');
    await backOnScreen(it);
    await nothingHappened(it);
    it.keys('q');
    await it.waitFor(/ended with 0/u);
    await isTheShells(it);
  });

  test('Ctrl-C there ends what runs there, and neither the connection nor the screen', async () => {
    const it = await open();
    await enter(it);
    it.type('echo begun; sleep 600');
    await it.waitFor(/^begun/mu);
    it.keys('C-c');
    it.type('echo "still on the machine"');
    await it.waitFor(/^still on the machine/mu);
    it.keys('C-d');
    await backOnScreen(it);
    await nothingHappened(it);
    it.keys('q');
    await it.waitFor(/ended with 0/u);
  });

  test('an exit code other than 0 is told and waits for Enter; other keys do nothing meanwhile', async () => {
    const it = await open();
    await enter(it);
    it.type('exit 7');
    await it.waitFor(/\[lab\] ssh to web ended with exit code 7/u);
    expect(it.state().alternate).toBe(false);
    it.keys('q', 'R', 'r');
    it.keys('Enter');
    await backOnScreen(it);
    await nothingHappened(it);
    it.keys('q');
    await it.waitFor(/ended with 0/u);
    await isTheShells(it);
  });

  test('a connection that is cut under it is told, and the screen is there again', async () => {
    const it = await open();
    await enter(it);
    // The sshd of this very connection dies, as it does when a machine goes down.
    it.type('kill -9 $PPID');
    await it.waitFor(/\[lab\] ssh to web ended with exit code 255/u);
    it.keys('Enter');
    await backOnScreen(it);
    await nothingHappened(it);
    it.keys('q');
    await it.waitFor(/ended with 0/u);
  });

  test('suspended after it, and resumed, it goes to the machine again', async () => {
    const it = await open('bash');
    await enter(it);
    it.type('exit');
    await backOnScreen(it);
    it.keys('C-z');
    await it.waitFor(/Stopped/u);
    expect(it.state()).toEqual({ alternate: false, cursor: true });
    it.type('fg');
    await backOnScreen(it);
    await enter(it);
    it.type('echo "once more on $(cat /proc/sys/kernel/hostname)"; exit');
    await backOnScreen(it);
    it.keys('q');
    // bash has forgotten what was to come behind a stopped command: its prompt is all there is.
    await it.waitFor(/closed\.\n\$ *$/mu);
    await isTheShells(it);
  });

  test(
    'which packages would change is told of what is not built, of what is, and of what the machine alone has',
    async () => {
      type Diffs = {
        readonly machines: readonly {
          readonly diff: {
            readonly changes: readonly { name: string; from: string[]; to: string[] }[];
          } | null;
          readonly failure: { readonly kind: string } | null;
        }[];
      };
      const unbuilt = await lab.json<Diffs>(['diff']);
      expect([unbuilt.code, unbuilt.body.machines[0]?.failure?.kind]).toEqual([1, 'not-built']);
      // As where another machine has deployed it: its store alone holds what it runs.
      const { current } = await lab.runs('web');
      const deleted = await lab.fleet.run(['nix-store', '--delete', '--ignore-liveness', current]);
      expect([deleted.code, deleted.stdout + deleted.stderr]).toEqual([
        0,
        expect.stringContaining('deleted'),
      ]);
      const built = await lab.json<Diffs>(['diff', '--build']);
      expect(built.code).toBe(0);
      const linux = built.body.machines[0]?.diff?.changes.find(({ name }) => name === 'linux');
      expect(linux).toMatchObject({ from: ['6.6.1'], to: ['6.12.1'] });

      const it = await open();
      it.keys('d');
      await it.waitFor(/linux +6\.6\.1 → 6\.12\.1/u);
      it.keys('q');
      await it.waitFor(/ended with 0/u);
    },
    4 * soonMs,
  );

  test(
    'a plan says what would hold its machine back, and is made anew in spite of it, by engines of their own',
    async () => {
      const it = await open();
      it.keys('r');
      await it.waitFor(/1 machine would be held back and skipped/u);
      await it.waitFor(/held back +just-booted: it booted/u);
      it.keys('o');
      await it.waitFor(/Go ahead in spite of what\?/u);
      it.keys('Tab', 'Enter');
      await it.waitFor(/goes ahead in spite of just-booted on web/u);
      await it.waitFor(/in spite of +just-booted: it booted/u);
      expect(it.text()).not.toMatch(/would be held back/u);
      it.keys('x');
      await it.waitFor(/Run declined/u);
      it.keys('q');
      await it.waitFor(/ended with 0/u);
      const { body } = await lab.json<{ runs: readonly { ended: { result: string } | null }[] }>([
        'journal',
        '--runs',
      ]);
      expect(body.runs.map(({ ended }) => ended?.result)).toEqual(['declined', 'declined']);
    },
    4 * soonMs,
  );
});
