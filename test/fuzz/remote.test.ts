import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { judgeUnit } from '../../src/health/systemd.ts';
import type { ExecResult } from '../../src/ports.ts';
import { activate } from '../../src/remote/activate.ts';
import { outcomeOf, parseUnit, phaseOf } from '../../src/remote/activation-unit.ts';
import { parseGenerations } from '../../src/remote/generations.ts';
import { parseObservation } from '../../src/remote/observe.ts';
import { parsePreflight } from '../../src/remote/preflight.ts';
import { triggerReboot } from '../../src/remote/reboot.ts';
import { settle } from '../../src/remote/settle.ts';
import { leapingClock } from '../remote/clocks.ts';
import { exited, fakeRemote } from '../remote/fake-remote.ts';
import { hashed } from '../remote/local-machine.ts';
import { claim, machineNamed } from '../remote/machine.ts';
import { damaged, expectCalm, hostileText, hugeTexts, soon, stringsIn, timeBoxed } from './hostile.ts';

/** Everything that a machine answers, believed as far as it has the form of an answer. */

const machine = machineNamed('grey-area');
const bootId = '0f0e0d0c-0b0a-4908-8706-050403020100';
const toplevel = hashed('a', 'nixos-system-test');
const unit = 'lab-activate-switch-20260101-120000-beef';

const keysOf: Readonly<Record<string, readonly string[]>> = {
  observe: [
    ...['boot-id', 'uptime', 'state', 'failed', 'booted', 'current', 'profile', 'generation'],
    ...['kernel-release', 'nixos-version', 'booted-kernel', 'profile-params'],
  ],
  preflight: ['activating', 'activator', 'nix', 'boot', 'inhibitors'],
  unit: [
    ...['LoadState', 'ActiveState', 'SubState', 'Result', 'ExecMainCode', 'ExecMainStatus'],
    ...['code', 'refused', 'end', 'failed', 'log'],
  ],
  start: ['outcome', 'description', 'message'],
  settle: ['end', 'verdict', 'refused'],
  trigger: ['outcome', 'boot-id', 'message'],
  generations: ['generation', '1-version', '1-kernel', 'current', 'booted', 'default'],
  clear: ['state'],
};

/** Values that are almost right, so that what comes after the first check is reached too. */
const likely = fc.constantFrom(
  ...[bootId, toplevel, '4711.42 1.0', 'running', 'degraded', 'loaded', 'active', 'exited', 'not-found'],
  ...['0', '1', '2', '4', '97', '100', '255', 'yes', 'started', 'existing', 'refused', 'triggered'],
  ...['other-boot', 'confirmed', 'restored', 'stuck', 'pending', 'gone', 'restore', 'confirm'],
  ...[`lab switch ${toplevel}`, `1 1700000000 ${toplevel}`, 'system-1-link', '-- cursor: s=1'],
);
const recordOf = (name: string): fc.Arbitrary<string> => {
  const key = fc.constantFrom(...(keysOf[name] ?? []), 'other', '__proto__');
  const line = fc
    .tuple(key, fc.oneof({ weight: 3, arbitrary: likely }, { weight: 2, arbitrary: hostileText(4) }))
    .map(([word, value]) => `${word}=${value}`);
  const whole = fc
    .array(line, { maxLength: 16 })
    .map((lines) => [`lab-${name}`, ...lines, 'lab-end', ''].join('\n'));
  return fc.oneof(
    { weight: 3, arbitrary: whole },
    { weight: 1, arbitrary: whole.chain(damaged) },
    { weight: 1, arbitrary: hostileText() },
  );
};
const answerOf = (name: string): fc.Arbitrary<ExecResult> =>
  fc.record({
    code: fc.oneof(
      { weight: 6, arbitrary: fc.constant(0) },
      { weight: 1, arbitrary: fc.constantFrom(null, 1, 255) },
    ),
    signal: fc.constantFrom(null, 'KILL', '\u001b[2J'),
    stdout: recordOf(name),
    stderr: hostileText(),
    truncated: fc.nat({ max: 9 }).map((number) => number === 0),
  });
const plain = (stdout: string): ExecResult => ({
  code: 0,
  signal: null,
  stdout,
  stderr: '',
  truncated: false,
});

const parsers: Readonly<Record<string, (result: ExecResult) => unknown>> = {
  observe: parseObservation,
  preflight: parsePreflight,
  unit: (result) => {
    const reading = parseUnit(result);
    if (typeof reading === 'string') return reading;
    const phase = phaseOf(reading);
    const status = phase.kind === 'ended' ? phase.status : 1;
    // Words of systemd that are compared and never shown.
    const { unit: _compared, ...rest } = reading;
    return { rest, phase, outcome: outcomeOf(status, 'switch', reading.log, reading.failedUnits, true) };
  },
  generations: parseGenerations,
};

describe.each(Object.entries(parsers))('the answer of %s', (name, parse) => {
  test('is a value or a sentence, and calm', () => {
    fc.assert(
      fc.property(answerOf(name), (answer) => expectCalm(stringsIn(parse(answer)))),
      timeBoxed(4_000),
    );
  });

  test('of 10 MB is read soon', async () => {
    for (const [piece, huge] of hugeTexts) {
      await soon(piece, () => parse(plain(`lab-${name}\n${huge}\nlab-end\n`)));
      const value = huge.slice(0, 500_000).replaceAll('\n', ' ');
      for (const key of keysOf[name] ?? [])
        await soon(`${key} of ${piece}`, () => parse(plain(`lab-${name}\n${key}=${value}\nlab-end\n`)));
    }
  });
});

test('a boot id counts only as a UUID, whatever stands around it', () => {
  fc.assert(
    fc.property(answerOf('observe'), (answer) => {
      const seen = parseObservation(answer);
      if (typeof seen !== 'string') expect(seen.bootId).toMatch(/^[0-9a-f-]{36}$/u);
    }),
    timeBoxed(3_000),
  );
});

test('units and their states are judged without a throw', async () => {
  fc.assert(
    fc.property(recordOf('unit'), (text) => expectCalm([judgeUnit(text).evidence])),
    timeBoxed(3_000),
  );
  for (const [name, huge] of hugeTexts) await soon(name, () => judgeUnit(huge));
});

describe('a conversation with a machine that says anything', () => {
  type Talk = {
    readonly start: ExecResult;
    readonly unit: readonly ExecResult[];
    readonly settle: readonly ExecResult[];
    readonly trigger: ExecResult;
    readonly clear: ExecResult;
  };
  const talk: fc.Arbitrary<Talk> = fc.record({
    // Mostly begun, so that there is something to follow.
    start: fc.oneof(
      { weight: 3, arbitrary: fc.constant(plain('lab-start\nfence=taken\noutcome=started\nlab-end\n')) },
      { weight: 1, arbitrary: answerOf('start') },
    ),
    unit: fc.array(answerOf('unit'), { minLength: 1, maxLength: 4 }),
    settle: fc.array(answerOf('settle'), { minLength: 1, maxLength: 4 }),
    trigger: answerOf('trigger'),
    clear: answerOf('clear'),
  });
  const remoteOf = (told: Talk) => {
    let readings = 0;
    let words = 0;
    const answerTo = (script: string): ExecResult | undefined => {
      if (script.includes('echo lab-start')) return told.start;
      if (script.includes('echo lab-unit')) return told.unit[readings++ % told.unit.length];
      if (script.includes('echo lab-settle')) return told.settle[words++ % told.settle.length];
      return script.includes('echo lab-trigger') ? told.trigger : told.clear;
    };
    return fakeRemote(({ argv }) => {
      const value = answerTo(argv[2] ?? '');
      return value === undefined ? exited(1) : { ok: true, value };
    });
  };
  const says = (answers: readonly ExecResult[], line: string): boolean =>
    answers.some(({ stdout }) => `\n${stdout}`.includes(`\n${line}\n`));

  test('an activation ends within its deadline, as something that is known', async () => {
    await fc.assert(
      fc.asyncProperty(talk, fc.boolean(), async (told, supervised) => {
        const lines: string[] = [];
        const clock = leapingClock();
        const until = clock.now() + 10 * 60_000;
        const supervision = { confirmWithinMs: 1_000, recorded: { current: null, profile: null } };
        const outcome = await activate(
          { remote: remoteOf(told), clock },
          machine,
          {
            claim,
            toplevel,
            mode: 'switch',
            unit,
            deadlineMs: 60_000,
            ...(supervised ? { supervision } : {}),
          },
          { onProgress: (line) => void lines.push(line) },
        );
        expectCalm([...lines, ...stringsIn(outcome)]);
        expect(clock.now()).toBeLessThan(until);
        // Live is only what a machine said in so many words.
        if (outcome.kind === 'live')
          expect(says(told.unit, 'LoadState=loaded') && told.unit.some(({ code }) => code === 0)).toBe(true);
      }),
      timeBoxed(1_000),
    );
  });

  test('a word to a supervisor is confirmed only by the word that says so', async () => {
    await fc.assert(
      fc.asyncProperty(talk, async (told) => {
        const request = { claim, unit, verdict: 'confirm' as const, deadlineMs: 30_000 };
        const outcome = await settle({ remote: remoteOf(told), clock: leapingClock() }, machine, request, {});
        expectCalm(stringsIn(outcome));
        if (outcome.kind === 'confirmed') expect(says(told.settle, 'end=confirmed')).toBe(true);
      }),
      timeBoxed(1_000),
    );
  });

  test('a reboot is triggered only by the word that says so', async () => {
    await fc.assert(
      fc.asyncProperty(talk, async (told) => {
        const request = { claim, bootId, unit, deadlineMs: 10_000 };
        const outcome = await triggerReboot(remoteOf(told), machine, request, {});
        expectCalm(stringsIn(outcome));
        if (outcome.kind === 'triggered') expect(says([told.trigger], 'outcome=triggered')).toBe(true);
      }),
      timeBoxed(1_000),
    );
  });
});
