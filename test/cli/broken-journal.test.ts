import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Journal } from '../../src/journal/journal.ts';
import { openJournal } from '../../src/journal/sqlite.ts';
import { roomForARunBytes } from '../../src/journal/state-directory.ts';
import { noSmallDisks, type SmallDisk, smallDisk } from '../journal/small-disk.ts';
import { createStage, exampleMachines } from './stage.ts';

process.env.TZ = 'UTC';

const newKernel = { 'sleeper-service': '6.12.11', 'grey-area': '6.12.11' };

/** Run ids are random, and how many events come before the damaged one is not what is shown here. */
const plain = (shown: string): string =>
  shown.replaceAll(/\d{8}-\d{6}-[0-9a-f]{4}/gu, 'RUN').replaceAll(/\bevent \d+/gu, 'event N');

describe('a journal that is damaged', () => {
  let directory = '';
  let opened: Journal | null = null;
  const stage = () =>
    createStage({
      machines: exampleMachines,
      wants: newKernel,
      journal: (now) => {
        opened = openJournal(directory, now);
        return opened;
      },
    });
  const damage = (statement: string): void => {
    const db = new DatabaseSync(join(directory, 'journal.db'));
    db.exec(statement);
    db.close();
  };
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'lab-broken-journal-'));
  });
  afterEach(() => {
    opened?.close();
    rmSync(directory, { recursive: true, force: true });
  });

  test('hides no other run, is told where it is asked for, and status needs none of it', async () => {
    const { run } = stage();
    await run('run', '--yes', '--no-update');
    damage(`INSERT INTO events (at, run, body) VALUES (1795147200000, '20261120-040000-dead', '{"kind":"from');
            INSERT INTO runs (first, run) SELECT max(seq), '20261120-040000-dead' FROM events`);
    const sessions = [
      await run('journal', '--runs'),
      await run('journal', '--lines', '2'),
      await run('journal', '--report', '--json'),
      await run('resume'),
      await run('run', '--yes', '--no-update'),
    ];
    expect(sessions.map(({ exitCode }) => exitCode)).toEqual([3, 4, 4, 4, 4]);
    const shown = sessions.map(({ shown }) => plain(shown.replaceAll(directory, 'STATE'))).join('\n');
    await expect(shown).toMatchFileSnapshot('./golden/damaged-journal.txt');
    expect((await run('status')).exitCode).toBe(0);
  });

  test('a follower that reads line by line gets the failure as a line, too', async () => {
    const { run } = stage();
    await run('run', '--yes', '--no-update');
    damage(`UPDATE events SET body = '{"kind":"from' WHERE seq = (SELECT max(seq) - 1 FROM events)`);
    const { out, exitCode } = await run('journal', '--follow', '--lines', '2', '--json');
    const lines = out.trim().split('\n');
    expect([exitCode, lines.length]).toEqual([4, 1]);
    expect(JSON.parse(out)).toMatchObject({ schema: 'lab/failure/1', failure: { kind: 'journal' } });
  });

  test('a history that does not fit its plan is never continued, and bars no new run', async () => {
    const first = stage();
    await first.run('run', '--yes', '--no-update');
    const latest = opened?.runs(1)[0]?.run;
    damage(`DELETE FROM events WHERE body LIKE '%run-ended%';
            DELETE FROM events WHERE body LIKE '%step-intended%' AND body LIKE '%sleeper-service/reboot%'`);
    const sessions = [
      await first.run('journal', '--runs'),
      await first.run('resume', String(latest)),
      await first.run('journal', '--report', '--run', String(latest)),
    ];
    expect(sessions.map(({ exitCode }) => exitCode)).toEqual([3, 4, 4]);
    await expect(sessions.map(({ shown }) => plain(shown)).join('\n')).toMatchFileSnapshot(
      './golden/impossible-history.txt',
    );
    expect(first.world.effects.filter(({ kind }) => kind === 'reboot')).toHaveLength(2);

    const anew = await first.run('run', '--yes', '--no-update');
    expect(anew.exitCode).toBe(0);
    expect(anew.out).toContain('the plan asks nothing of any machine');
  });
});

describe.skipIf(noSmallDisks !== null)('a disk that fills in the middle of a run', () => {
  let disk: SmallDisk;
  beforeEach(() => {
    disk = smallDisk(roomForARunBytes);
  });
  afterEach(() => disk.remove());

  test('holds the run where it is, with no effect unrecorded; with room again, resume ends it', async () => {
    let opened: Journal | null = null;
    const stage = createStage({
      machines: exampleMachines,
      wants: newKernel,
      journal: (now) => {
        opened = openJournal(join(disk.path, 'state'), now);
        return opened;
      },
    });
    stage.onEffect((effect) => {
      // Just enough for what is already begun to be noted, or not.
      if (effect.kind === 'activate') disk.fill();
    });
    const broke = await stage.run('run', '--yes', '--no-update');
    expect(broke.exitCode).toBe(4);
    expect(broke.shown).toMatch(
      /lab: the journal .*journal\.db could not be written: database or disk is full/u,
    );
    expect(broke.shown).toContain('→ make room on that file system');
    expect(stage.world.effects.filter(({ kind }) => kind === 'reboot')).toEqual([]);
    const intents = stage.journal
      .eventsOf(String(stage.journal.runs(1)[0]?.run))
      .flatMap(({ body }) => (body.kind === 'step-intended' ? [body.step] : []));
    for (const { kind, machine } of stage.world.effects)
      expect(
        intents.some((id) => id.startsWith(`${machine}/${kind}`)),
        `${kind} on ${machine} was intended`,
      ).toBe(true);
    expect((await stage.run('journal', '--runs')).out).toContain('not ended');

    stage.onEffect(() => {});
    disk.makeRoom();
    const resumed = await stage.run('resume');
    expect(resumed.exitCode).toBe(0);
    expect(stage.world.effects.filter(({ kind }) => kind === 'reboot').map(({ machine }) => machine)).toEqual(
      ['sleeper-service', 'grey-area'],
    );
    (opened as Journal | null)?.close();
  });
});
