import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { JournalFailure } from '../../src/journal/journal.ts';
import { openJournal, openJournalToRead } from '../../src/journal/sqlite.ts';
import {
  prepareStateDirectory,
  roomForARunBytes,
  seeRoomForARun,
} from '../../src/journal/state-directory.ts';
import type { EventBody } from '../../src/run/event.ts';
import { noSmallDisks, type SmallDisk, smallDisk } from './small-disk.ts';

const run = '20261120-234101-3fa9';
const started: EventBody = {
  kind: 'run-started',
  goal: { kind: 'run', update: true },
  flake: '/etc/nixos',
  selectors: [],
  by: { user: 'amy', host: 'desk', pid: 1, via: 'cli' },
  labVersion: '0.1.0',
  opened: { cwd: '/', overrideInputs: [], nixOptions: [], sshConfig: null },
};
const noted = (note: string): EventBody => ({ kind: 'preparation-noted', work: 'build', note });
const uid = process.getuid?.() ?? -1;

const thrownBy = (act: () => unknown): JournalFailure => {
  try {
    act();
  } catch (error) {
    if (error instanceof JournalFailure) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
};

describe('a journal that is taken away while it is read again and again', () => {
  test.for([
    ['removed', (path: string) => rmSync(path)],
    ['moved away', (path: string) => renameSync(path, `${path}.2`)],
    [
      'replaced',
      (path: string) => {
        cpSync(path, `${path}.2`);
        renameSync(`${path}.2`, path);
      },
    ],
  ] as const)('tells so instead of telling nothing for ever: %s', ([, take]) => {
    const place = mkdtempSync(join(tmpdir(), 'lab-state-'));
    const writer = openJournal(place, () => 5);
    const reader = openJournal(place, () => 5);
    writer.append(run, started);
    const seen = reader.after(0, 10);
    expect(seen).toHaveLength(1);
    expect(reader.after(1, 10)).toEqual([]);
    take(join(place, 'journal.db'));
    const told = /removed or replaced while it was read/u;
    expect(thrownBy(() => reader.after(1, 10)).message).toMatch(told);
    // What is asked of a run in there would never be heard.
    expect(thrownBy(() => reader.ask(run, 'stop', 'amy')).message).toMatch(told);
    for (const journal of [writer, reader]) journal.close();
    rmSync(place, { recursive: true });
  });
});

describe('a journal that is taken away while it is written', () => {
  let place = '';
  beforeEach(() => {
    place = mkdtempSync(join(tmpdir(), 'lab-state-'));
  });
  afterEach(() => rmSync(place, { recursive: true, force: true }));

  test.for([
    ['removed', (path: string) => rmSync(path)],
    [
      'replaced',
      (path: string) => {
        cpSync(path, `${path}.2`);
        renameSync(`${path}.2`, path);
      },
    ],
    ['removed with its folder', (path: string) => rmSync(dirname(path), { recursive: true })],
    ['its log removed', (path: string) => rmSync(`${path}-wal`)],
    ['its log emptied', (path: string) => truncateSync(`${path}-wal`)],
    ['written over in its place', (path: string) => writeFileSync(path, 'x'.repeat(8_192))],
  ] as const)('is noticed by the next append: %s', ([, take]) => {
    const journal = openJournal(join(place, 'state'), () => 5);
    journal.append(run, started);
    take(join(place, 'state', 'journal.db'));
    expect(thrownBy(() => journal.append(run, noted('lost'))).message).toMatch(
      /removed or replaced|cut short/u,
    );
    journal.close();
  });

  test('is noticed by the next append: its log cut in the middle, where what comes after it would be lost', () => {
    const journal = openJournal(join(place, 'state'), () => 5);
    journal.append(run, started);
    for (let count = 0; count < 20; count += 1) journal.append(run, noted('kept'));
    const log = join(place, 'state', 'journal.db-wal');
    truncateSync(log, Math.floor(statSync(log).size / 2));
    expect(thrownBy(() => journal.append(run, noted('lost'))).message).toContain('cut short');
    journal.close();
  });

  /** What another program does to the journal with SQLite itself, as backups do, and people who look after databases. */
  const elsewhere = (...orders: readonly string[]): void => {
    const script = `
      const { DatabaseSync } = require('node:sqlite');
      const [path, ...orders] = process.argv.slice(1);
      const db = new DatabaseSync(path);
      for (const order of orders) console.log(JSON.stringify(db.prepare(order).all()));
      db.close();
    `;
    execFileSync(process.execPath, ['-e', script, join(place, 'state', 'journal.db'), ...orders]);
  };

  test.for([
    ['its log is written back and emptied', ['PRAGMA wal_checkpoint(TRUNCATE)']],
    ['it is made smaller', ['VACUUM', 'PRAGMA wal_checkpoint(TRUNCATE)']],
  ] as const)('and one that somebody tidies by SQLite itself has lost nothing: %s', ([, orders]) => {
    const journal = openJournal(join(place, 'state'), () => 5);
    journal.append(run, started);
    // As runs that are pruned do, it leaves room in the file.
    elsewhere(
      'CREATE TABLE x AS SELECT randomblob(400000)',
      'DROP TABLE x',
      'PRAGMA wal_checkpoint(PASSIVE)',
    );
    journal.append(run, noted('before it'));
    elsewhere(...orders);
    expect(statSync(join(place, 'state', 'journal.db-wal')).size).toBe(0);
    for (let count = 0; count < 3; count += 1) journal.append(run, noted('after it'));
    expect(journal.tail(3).map(({ body }) => body)).toEqual(Array(3).fill(noted('after it')));
    // And it is watched over as before.
    truncateSync(join(place, 'state', 'journal.db-wal'));
    expect(thrownBy(() => journal.append(run, noted('lost'))).message).toMatch(/cut short/u);
    journal.close();
  });

  test('and one that somebody tidied is damaged all the same where it lost something besides', () => {
    const journal = openJournal(join(place, 'state'), () => 5);
    journal.append(run, started);
    for (let count = 0; count < 20; count += 1) journal.append(run, noted('x'.repeat(20_000)));
    elsewhere('PRAGMA wal_checkpoint(TRUNCATE)');
    const path = join(place, 'state', 'journal.db');
    truncateSync(path, Math.floor(statSync(path).size / 2));
    expect(thrownBy(() => journal.append(run, noted('lost'))).message).toMatch(/cut short/u);
    journal.close();
  });

  test('and one that only grows, and is read by others meanwhile, is not', () => {
    const journal = openJournal(join(place, 'state'), () => 5);
    journal.append(run, started);
    for (let count = 0; count < 400; count += 1) {
      journal.append(run, noted('x'.repeat(2_000)));
      if (count % 50 === 0) openJournal(join(place, 'state'), () => 5).close();
    }
    expect(journal.eventsOf(run)).toHaveLength(401);
    journal.close();
  });
});

describe('a journal that is being written', () => {
  let place = '';
  beforeEach(() => {
    place = mkdtempSync(join(tmpdir(), 'lab-state-'));
  });
  afterEach(() => rmSync(place, { recursive: true, force: true }));

  /**
   * What another program gets that asks for the whole file, as one does that closes it last. By another name for the file:
   * there it finds no index of a log, from which newer SQLite would know of us without any lock.
   */
  const wantedWhole = (path: string): string => {
    linkSync(path, join(place, 'other.db'));
    const script = `
      const { DatabaseSync } = require('node:sqlite');
      const db = new DatabaseSync(process.argv[1], { timeout: 0 });
      try {
        console.log(db.prepare('PRAGMA journal_mode = DELETE').get().journal_mode);
      } catch (error) {
        console.log(error.message);
      }
      db.close();
    `;
    const said = execFileSync(process.execPath, ['-e', script, join(place, 'other.db')], {
      encoding: 'utf8',
    });
    rmSync(join(place, 'other.db'));
    return said.trim();
  };

  test('is held, so that no other program takes its log away, until the last of this process has closed it', () => {
    const path = join(place, 'journal.db');
    const journal = openJournal(place, () => 5);
    journal.append(run, started);
    const viewer = openJournal(place, () => 5);
    expect(viewer.eventsOf(run)).toHaveLength(1);
    viewer.close();
    expect(wantedWhole(path)).toContain('locked');
    journal.append(run, noted('not lost'));
    journal.close();
    expect(wantedWhole(path)).toBe('delete');
    const again = openJournal(place, () => 5);
    expect(again.eventsOf(run)).toHaveLength(2);
    again.close();
  });
});

describe('a state directory that cannot be one', () => {
  let place = '';
  beforeEach(() => {
    place = mkdtempSync(join(tmpdir(), 'lab-state-'));
  });
  afterEach(() => rmSync(place, { recursive: true, force: true }));

  test('for a file lies where it should be, or where a folder above it should be', () => {
    writeFileSync(join(place, 'state'), '');
    for (const directory of [join(place, 'state'), join(place, 'state', 'lab')]) {
      const { message, remedy } = thrownBy(() => openJournal(directory, () => 5));
      expect(message).toBe(
        `the state directory ${directory} cannot be made: something that is no folder stands in its way`,
      );
      expect(remedy).toContain('LAB_STATE_DIR');
    }
  });

  test('for a link leads nowhere', () => {
    symlinkSync(join(place, 'away', 'deeper'), join(place, 'state'));
    expect(thrownBy(() => openJournal(join(place, 'state'), () => 5)).trouble).toBe('unwritable');
  });

  test('for its file system takes no folders, which is said at once and not tried for ever', () => {
    const directory = `/proc/${process.pid}/state/lab`;
    const { message, remedy, trouble } = thrownBy(() => openJournal(directory, () => 5));
    expect(message).toContain(`the state directory ${directory} cannot be made`);
    expect(remedy).toContain('LAB_STATE_DIR');
    expect(trouble).toBe('unwritable');
  });

  test('for it is somebody else’s', () => {
    const directory = join(place, 'state');
    mkdirSync(directory);
    const somebody = uid === 0 ? 1234 : 0;
    if (uid === 0) chownSync(directory, somebody, somebody);
    const { message, remedy } = thrownBy(() => prepareStateDirectory(uid === 0 ? directory : '/', uid));
    expect(message).toContain(`belongs to user ${somebody}, and this is user ${uid}`);
    expect(remedy).toContain('run lab as its owner');
  });

  test('for everybody could replace what is recorded in it', () => {
    const directory = join(place, 'state');
    mkdirSync(directory);
    chmodSync(directory, 0o1777);
    const { message, remedy } = thrownBy(() => prepareStateDirectory(directory, uid));
    expect(message).toContain('can be written by every user');
    expect(remedy).toContain(`chmod o-w ${directory}`);
    chmodSync(directory, 0o770);
    expect(() => prepareStateDirectory(directory, uid)).not.toThrow();
  });

  test('is made with all folders above it where nothing stands in its way', () => {
    openJournal(join(place, 'a', 'b', 'state'), () => 5).close();
    expect(seeRoomForARun(join(place, 'a', 'b', 'state'), uid)).toEqual({ ok: true, value: undefined });
  });
});

describe.skipIf(noSmallDisks !== null)('a disk that is full or takes no writes', () => {
  let disk: SmallDisk;
  const state = (): string => join(disk.path, 'state');
  beforeEach(() => {
    disk = smallDisk(roomForARunBytes + 1024 * 1024);
  });
  afterEach(() => disk.remove());

  test('is told before a run begins, with what is left and what is asked for', () => {
    expect(seeRoomForARun(state(), uid)).toMatchObject({ ok: true });
    disk.fill(2 * 1024 * 1024);
    const refused = seeRoomForARun(state(), uid);
    expect(refused).toMatchObject({ ok: false, failure: { kind: 'no-room', phase: 'journal' } });
    expect(!refused.ok && refused.failure.message).toMatch(
      /has \d\.\d MB left.* asks for 16\.0 MB: no machine/u,
    );
  });

  test('is told when not even the folder can be made, or the file', () => {
    disk.fill();
    expect(thrownBy(() => openJournal(state(), () => 5))).toMatchObject({ trouble: 'no-room' });
    disk.makeRoom();
    mkdirSync(state(), { recursive: true });
    disk.fill();
    expect(thrownBy(() => openJournal(state(), () => 5))).toMatchObject({ trouble: 'no-room' });
  });

  test('is told too where it is files that find no room', () => {
    mkdirSync(state(), { mode: 0o700 });
    for (let count = 0; ; count += 1)
      try {
        writeFileSync(join(disk.path, `file-${count}`), '');
      } catch {
        break;
      }
    const refused = seeRoomForARun(state(), uid);
    expect(refused).toMatchObject({
      ok: false,
      failure: { kind: 'no-room', message: expect.stringContaining('no inodes') },
    });
    expect(thrownBy(() => openJournal(state(), () => 5))).toMatchObject({
      trouble: 'no-room',
      message: expect.stringContaining('no inodes'),
    });
  });

  test('breaks an append with what to do, keeps what was written, and takes more once there is room', () => {
    const journal = openJournal(state(), () => 5);
    journal.append(run, started);
    disk.fill(64 * 1024);
    let written = 1;
    const broke = thrownBy(() => {
      for (;;) {
        journal.append(run, noted('x'.repeat(4_000)));
        written += 1;
      }
    });
    expect(broke).toMatchObject({ trouble: 'no-room', remedy: expect.stringContaining('make room') });
    expect(journal.eventsOf(run)).toHaveLength(written);
    expect(() => journal.ask(run, 'stop', 'amy')).toThrow(JournalFailure);
    // Another run cannot begin either, and the failure names the room, not the transaction it broke.
    expect(thrownBy(() => journal.append('20261121-040000-0001', started)).trouble).toBe('no-room');

    disk.makeRoom();
    expect(journal.append(run, noted('goes on')).seq).toBe(written + 1);
    journal.close();
    const again = openJournal(state(), () => 6);
    expect(again.eventsOf(run)).toHaveLength(written + 1);
    again.close();
  });

  test('is read all the same, after a clean end and after a process that died', () => {
    const journal = openJournal(state(), () => 5);
    journal.append(run, started);
    journal.append(run, noted('half way'));
    // As it lies on the disk when its process is killed now: with SQLite's log beside it.
    const crashed = join(disk.path, 'crashed');
    cpSync(state(), crashed, { recursive: true });
    expect(existsSync(join(crashed, 'journal.db-wal'))).toBe(true);
    journal.close();
    disk.remount('ro');
    const found = openJournalToRead(crashed, () => 6);
    expect(found.eventsOf(run)).toHaveLength(2);
    found.close();
    const after = openJournalToRead(state(), () => 6);
    expect(after.runs(5).map((summary) => summary.run)).toEqual([run]);
    expect(after.eventsOf(run)).toHaveLength(2);
    expect(thrownBy(() => after.append(run, noted('no')))).toMatchObject({ trouble: 'unwritable' });
    expect(thrownBy(() => after.ask(run, 'stop', 'amy'))).toMatchObject({ trouble: 'unwritable' });
    after.close();
  });

  test('that is full can be read of though nothing at all can be written', () => {
    const journal = openJournal(state(), () => 5);
    journal.append(run, started);
    journal.close();
    disk.fill();
    const broke = thrownBy(() => openJournal(state(), () => 5));
    expect(broke).toMatchObject({ trouble: 'no-room', message: expect.stringContaining('disk is full') });
    const found = openJournalToRead(state(), () => 6);
    expect(found.eventsOf(run)).toHaveLength(1);
    found.close();
  });

  test('that takes no writes is told before a run begins', () => {
    mkdirSync(state());
    disk.remount('ro');
    const message = `the state directory ${state()} is on a read-only file system`;
    expect(thrownBy(() => openJournal(state(), () => 5))).toMatchObject({ trouble: 'unwritable', message });
    expect(seeRoomForARun(state(), uid)).toMatchObject({
      ok: false,
      failure: { kind: 'state-directory', message },
    });
    const deeper = thrownBy(() => openJournalToRead(join(state(), 'deeper'), () => 5));
    expect(deeper.message).toContain('the folder it belongs in is read-only or not writable');
    disk.remount('rw');
  });
});
