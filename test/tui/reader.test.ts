import { PassThrough } from 'node:stream';
import { describe, expect, test } from 'vitest';
import type { LabSnapshot } from '../../src/flow/session.ts';
import { createReader } from '../../src/tui/reader.ts';
import { runReader } from '../../src/tui/run-reader.ts';
import { defaultSettings } from '../../src/tui/state/settings.ts';
import { fakeSession } from './fixtures/fake-session.ts';
import { emptySnapshot, health, seedSnapshot } from './fixtures/lab.ts';
import { criticalRebootSnapshot, liveSnapshot, waitingSnapshot } from './fixtures/runs.ts';

/** The screen as lines, for screen readers. */

const reading = (snapshot: LabSnapshot) => {
  const lab = fakeSession(snapshot);
  const printed: string[] = [];
  const left: string[] = [];
  const reader = createReader(lab.session, {
    readonly: false,
    settings: defaultSettings,
    print: (line) => void printed.push(line),
    onTerminal: (intent) => void left.push(intent.kind),
  });
  /** What is said from now on. */
  const after = (act: () => void): string => {
    const from = printed.length;
    act();
    return printed.slice(from).join('\n');
  };
  return {
    lab,
    left,
    all: () => printed.join('\n'),
    say: (text: string) => after(() => reader.line(text)),
    after,
  };
};

test('a lab is told machine by machine, in words alone', () => {
  const { all } = reading(seedSnapshot);
  expect(all()).toContain('Machines.');
  expect(all()).toContain('current: congenital-optimist, healthy');
  expect(all()).toMatch(/reverse-proxy, offline/u);
  expect(all()).toMatch(/^[\x20-\x7e\n]*$/u);
});

test('keys move and tell the one row; commands open views; an empty line tells it again', () => {
  const { say } = reading(seedSnapshot);
  expect(say('j')).toMatch(/^grey-area, degraded/u);
  expect(say('details')).toContain('grey-area, overview.');
  expect(say('sequence')).toContain('Wave 1');
  expect(say('')).toContain('Sequence.');
  expect(say('/nonsense')).toContain('no machine matches');
  expect(say('rebot')).toContain('did you mean "reboot"?');
  expect(say('/')).toContain('grey-area');
  expect(say('hints')).toContain('d: details');
});

test('news are told as they come', () => {
  const { lab, after } = reading(liveSnapshot);
  const sick = new Map(seedSnapshot.health).set(
    'sleeper-service',
    health('sleeper-service', 'unhealthy', 'x'),
  );
  expect(after(() => lab.show({ health: sick }))).toBe('sleeper-service is unhealthy now, was healthy');
  const away = seedSnapshot.observations.get('reverse-proxy');
  if (away === undefined) throw new Error('the fixture has changed');
  const gone = new Map(seedSnapshot.observations).set('grey-area', away);
  expect(after(() => lab.show({ observations: gone }))).toBe('grey-area no longer answers');
});

test('the machines are told once they are known', () => {
  const { lab, after, all } = reading(emptySnapshot);
  expect(all()).toContain('evaluating the flake');
  expect(after(() => lab.show(seedSnapshot))).toContain('grey-area, degraded');
});

describe('questions', () => {
  test('are answered by number, and the first choice is the safe one', () => {
    const { lab, say } = reading(waitingSnapshot);
    say('3');
    expect(say('a')).toContain('1: Cancel');
    expect(say('1')).not.toContain('Question');
    expect(lab.asked).toEqual([]);
    say('a');
    say('sleeper-service');
    say('2');
    expect(lab.asked).toEqual(['approve']);
  });

  test('about a critical machine want its name first', () => {
    const { lab, say } = reading(criticalRebootSnapshot);
    say('3');
    expect(say('a')).toContain('Type sleeper-service first, then a number.');
    say('2');
    expect(lab.asked).toEqual([]);
    say('sleeper-service');
    say('2');
    expect(lab.asked).toEqual(['approve']);
  });
});

test('q leaves, and so does the end of the input', async () => {
  const { say, left } = reading(seedSnapshot);
  say('q');
  expect(left).toEqual(['quit']);
  const [input, output] = [new PassThrough(), new PassThrough()];
  let told = '';
  output.on('data', (chunk: Buffer) => {
    told += chunk.toString();
  });
  const ended = runReader(fakeSession(seedSnapshot).session, {
    readonly: false,
    settings: defaultSettings,
    input,
    output,
    runInteractive: async () => 0,
  });
  input.end('2\n');
  await ended;
  await expect.poll(() => told).toContain('Wave 1');
});
