import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  dropLastWords,
  readWhyDied,
  reserveLastWords,
  writeLastWords,
} from '../../src/compose/last-words.ts';
import { noSmallDisks, smallDisk } from '../journal/small-disk.ts';

const run = '20261120-234101-3fa9';
const failure = {
  kind: 'journal',
  machine: null,
  phase: 'journal',
  message: 'the journal could not be written: database or disk is full',
  remedy: 'make room',
};

describe('why an engine is gone', () => {
  let place = '';
  const words = (): string => join(place, 'engines', `${run}.last-words`);
  const log = (): string => join(place, 'engine.log');
  beforeEach(() => {
    place = mkdtempSync(join(tmpdir(), 'lab-last-words-'));
  });
  afterEach(() => rmSync(place, { recursive: true, force: true }));

  test('is what it said last', () => {
    expect(reserveLastWords(words())).toMatchObject({ ok: true });
    writeLastWords(words(), { ...failure, detail: ['evidence'] });
    expect(readWhyDied(run, words(), log())).toEqual(failure);
  });

  test('is not known when it was killed, or ended well', () => {
    reserveLastWords(words());
    expect(readWhyDied(run, words(), log())).toBeNull();
    dropLastWords(words());
    expect(readWhyDied(run, words(), log())).toBeNull();
  });

  test('is the error of its log where a defect ended it', () => {
    writeFileSync(
      log(),
      '/somewhere/drive.ts:1\n  throw\n\nTypeError: step x belongs to no machine\n    at begin\n',
    );
    expect(readWhyDied(run, words(), log())).toMatchObject({
      kind: 'died',
      message: `the process of run ${run} died: TypeError: step x belongs to no machine`,
      remedy: expect.stringContaining(log()),
    });
  });

  test('is at the end of its log, however long that has become', () => {
    writeFileSync(log(), `TypeError: of long ago\n${'a line\n'.repeat(100_000)}RangeError: of just now\n`);
    expect(readWhyDied(run, words(), log())?.message).toBe(
      `the process of run ${run} died: RangeError: of just now`,
    );
  });

  test('is nothing that cannot be understood', () => {
    reserveLastWords(words());
    writeFileSync(words(), '{"kind":"journal","message":');
    expect(readWhyDied(run, words(), log())).toBeNull();
  });

  test.skipIf(noSmallDisks !== null)('can be said on a disk that is full', () => {
    const disk = smallDisk(1024 * 1024);
    try {
      const path = join(disk.path, 'words');
      reserveLastWords(path);
      disk.fill();
      writeLastWords(path, failure);
      expect(readWhyDied(run, path, log())).toEqual(failure);
      expect(reserveLastWords(join(disk.path, 'more'))).toMatchObject({ ok: false });
    } finally {
      disk.remove();
    }
  });
});
