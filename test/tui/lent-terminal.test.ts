import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { talkOver } from '../../src/tui/terminal.ts';

/** What is typed to a program that has the terminal is that program's. */

test('a program that has the terminal gets the keys: reading stops, and what came is not run on the way back', async () => {
  const stdin = new PassThrough() as unknown as NodeJS.ReadStream & PassThrough;
  const stdout = new PassThrough() as unknown as NodeJS.WriteStream;
  let stopped = 0;
  stdin.on('pause', () => {
    stopped += 1;
  });
  await talkOver({ stdin, stdout, suspend: (act) => act() }, async () => {
    expect(stopped).toBeGreaterThan(0);
    stdin.write('shutdown -r');
    return null;
  });
  expect(stdin.read()).toBeNull();
  stdin.write('j');
  expect(String(stdin.read())).toBe('j');
});
