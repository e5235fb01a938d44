import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { followLogsOver, journalArgv } from '../../src/compose/follow-logs.ts';
import { machine } from '../tui/fixtures/lab.ts';

const nas = machine('nas');
const signal = new AbortController().signal;

test('a name that is no unit is refused before anything is started', async () => {
  const follow = followLogsOver(() => ['false']);
  const failure = await follow(nas, { unit: '$(reboot)', signal, onLine: () => {} });
  expect(failure).toMatchObject({ kind: 'logs', message: '"$(reboot)" is no name of a unit' });
});

test('lines come as they are written, and the end says why', async () => {
  const lines: string[] = [];
  const follow = followLogsOver(() => ['sh', '-c', 'echo "$0"; echo "Connection closed" >&2; exit 255']);
  const failure = await follow(nas, {
    unit: 'nginx.service',
    signal,
    onLine: (line) => void lines.push(line),
  });
  // One word for the login shell on the far side, which splits it back into exactly the argv.
  const split = spawnSync('sh', ['-c', `printf '%s\\n' ${lines[0]}`], { encoding: 'utf8' }).stdout.trim();
  expect(split.split('\n')).toEqual(journalArgv('nginx.service'));
  expect(failure).toMatchObject({ message: 'Connection closed' });
});

test('nobody is told of an end that was asked for', async () => {
  const leaving = new AbortController();
  const follow = followLogsOver(() => ['sh', '-c', 'exec sleep 60']);
  const ended = follow(nas, { unit: null, signal: leaving.signal, onLine: () => {} });
  leaving.abort();
  expect(await ended).toBeNull();
});
