import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, onTestFinished, test } from 'vitest';
import { openTypedLines } from '../../src/compose/typed-lines.ts';
import { typedLinesMax } from '../../src/tui/state/input.ts';

/** What was typed after `:` is there in the next session. */

const place = (): { readonly folder: string; readonly path: string } => {
  const folder = mkdtempSync(join(tmpdir(), 'lab-typed-'));
  onTestFinished(() => {
    chmodSync(folder, 0o700);
    rmSync(folder, { recursive: true, force: true });
  });
  return { folder, path: join(folder, 'typed-lines') };
};

test('lines are kept for the next session, for this user alone, each once', () => {
  const { folder, path } = place();
  const first = openTypedLines(folder, true);
  expect(first.lines).toEqual([]);
  for (const line of ['deploy nas', 'reboot web', 'deploy nas']) expect(first.remember(line)).toBeNull();
  expect(openTypedLines(folder, true).lines).toEqual(['reboot web', 'deploy nas']);
  expect(statSync(path).mode & 0o777).toBe(0o600);
});

test('two screens at once keep the lines of both', () => {
  const { folder } = place();
  const [one, other] = [openTypedLines(folder, true), openTypedLines(folder, true)];
  one.remember('deploy nas');
  other.remember('reboot web');
  one.remember('probe');
  expect(openTypedLines(folder, true).lines).toEqual(['deploy nas', 'reboot web', 'probe']);
});

test('a read-only screen reads them and writes nothing', () => {
  const { folder, path } = place();
  openTypedLines(folder, true).remember('deploy nas');
  const before = readFileSync(path, 'utf8');
  const reading = openTypedLines(folder, false);
  expect(reading.lines).toEqual(['deploy nas']);
  expect(reading.remember('probe')).toBeNull();
  expect(readFileSync(path, 'utf8')).toBe(before);
});

test('the newest hundred are kept', () => {
  const { folder } = place();
  const { remember } = openTypedLines(folder, true);
  for (let number = 0; number < typedLinesMax + 5; number += 1) remember(`probe machine-${number}`);
  const { lines } = openTypedLines(folder, true);
  expect([lines.length, lines[0], lines.at(-1)]).toEqual([
    typedLinesMax,
    'probe machine-5',
    `probe machine-${typedLinesMax + 4}`,
  ]);
});

test('whatever the file holds, only what could have been typed comes out of it, and it can be written again', () => {
  const { folder, path } = place();
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.uint8Array({ maxLength: 4_000 })), (content) => {
      writeFileSync(path, content);
      const { lines, remember } = openTypedLines(folder, true);
      expect(lines.length).toBeLessThanOrEqual(typedLinesMax);
      for (const line of lines) expect(line).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/u);
      expect(remember('probe')).toBeNull();
      expect(openTypedLines(folder, true).lines.at(-1)).toBe('probe');
    }),
    { numRuns: 50 },
  );
  writeFileSync(path, 'deploy nas\n\u001b[31mred\nreboot web\n');
  expect(openTypedLines(folder, true).lines).toEqual(['deploy nas', 'reboot web']);
  writeFileSync(path, 'x'.repeat(10_000_000));
  expect(openTypedLines(folder, true).lines).toEqual([]);
});

test('where nothing can be written it is said, and nothing is left half-way', () => {
  const { folder } = place();
  const { remember } = openTypedLines(join(folder, 'nowhere'), true);
  expect(remember('deploy nas')).toMatch(/^what is typed after : is not kept: /u);
});
