import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type NixEvent, parseNixLine } from '../../src/nix-integration/internal-json.ts';
import { hostOf, inputsLockedInMemory, markerOf } from '../../src/nix-integration/markers.ts';
import { createProgress, nameOfStorePath } from '../../src/nix-integration/progress.ts';

const line = (value: unknown): string => `@nix ${JSON.stringify(value)}`;
const readers = (event: NixEvent) => [markerOf(event), hostOf(event), inputsLockedInMemory(event)];

test('no line makes the parser or its readers throw', () => {
  const anything = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.json().map((text) => `@nix ${text}`),
    fc
      .record(
        {
          action: fc.constantFrom('msg', 'start', 'stop', 'result', 'other'),
          id: fc.oneof(fc.integer(), fc.string(), fc.double()),
          level: fc.integer(),
          type: fc.integer({ min: 99, max: 110 }),
          text: fc.string(),
          msg: fc.oneof(
            fc.string(),
            fc.string().map((text) => `trace: @lab ${text}`),
          ),
          raw_msg: fc.string(),
          fields: fc.array(fc.oneof(fc.integer(), fc.string(), fc.constant(null))),
        },
        { requiredKeys: ['action'] },
      )
      .map(line),
  );
  fc.assert(
    fc.property(fc.array(anything), (lines) => {
      const progress = createProgress(
        (text) => expect(text).not.toMatch(/[\n\u001b]/),
        () => 0,
      );
      for (const one of lines) {
        const event = parseNixLine(one);
        readers(event);
        progress(event);
      }
    }),
    { numRuns: 500 },
  );
});

test('reads errors with root cause and place', () => {
  expect(
    parseNixLine(
      line({
        action: 'msg',
        level: 0,
        msg: 'error: boo\n at x',
        raw_msg: 'boo',
        file: '/f.nix',
        line: 3,
        column: 4,
      }),
    ),
  ).toEqual({
    kind: 'message',
    level: 0,
    text: 'error: boo\n at x',
    raw: 'boo',
    at: { file: '/f.nix', line: 3, column: 4 },
  });
  expect(parseNixLine('git: fatal')).toEqual({ kind: 'plain', text: 'git: fatal' });
  expect(parseNixLine('@nix {"action":"msg"').kind).toBe('plain');
});

test('a line of ten megabytes is not read as an event, and bounded', () => {
  const event = parseNixLine(line({ action: 'msg', level: 0, msg: 'x'.repeat(10_000_000) }));
  expect(event.kind === 'plain' && event.text.length).toBe(1024 * 1024);
});

const trace = (text: string): NixEvent =>
  parseNixLine(line({ action: 'msg', level: 0, msg: `trace: ${text}` }));

test('markers are read only from the start of a trace', () => {
  expect(markerOf(trace('@lab begin nas'))).toEqual({ kind: 'begin', name: 'nas' });
  expect(markerOf(trace('@lab ok nas {"a":"@lab ok b {}"}'))).toEqual({
    kind: 'ok',
    name: 'nas',
    json: '{"a":"@lab ok b {}"}',
  });
  expect(markerOf(trace('@lab names {"names":["a","b c"],"first":["a"]}'))).toEqual({
    kind: 'names',
    names: ['a', 'b c'],
    first: ['a'],
  });
  expect(markerOf(trace('I say: @lab begin nas'))).toBeNull();
  expect(markerOf(trace('@lab names [1]'))).toBeNull();
  expect(
    markerOf(parseNixLine(line({ action: 'msg', level: 0, msg: '\u001b[1mtrace:\u001b[0m @lab begin nas' }))),
  ).toEqual({
    kind: 'begin',
    name: 'nas',
  });
});

test('the machine is read from an error context', () => {
  const event = parseNixLine(
    line({ action: 'msg', level: 0, msg: 'error: … @lab host grey-area\n boo', raw_msg: 'boo' }),
  );
  expect(hostOf(event)).toBe('grey-area');
});

test('a build reads as words', () => {
  const said: string[] = [];
  let now = 0;
  const progress = createProgress(
    (text) => said.push(text),
    () => now,
  );
  const store = '/nix/store/7jgr0qa2fz62jwd44pigv1vwx0zs3pi7';
  const events: unknown[] = [
    { action: 'start', id: 1, type: 104, text: '' },
    { action: 'start', id: 2, type: 105, text: '', fields: [`${store}-nixos-system-nas.drv`, '', 1, 1] },
    { action: 'result', id: 1, type: 105, fields: [0, 3, 1, 0] },
    { action: 'result', id: 1, type: 105, fields: [0, 3, 1, 0] },
    { action: 'result', id: 2, type: 104, fields: ['installPhase'] },
    { action: 'result', id: 2, type: 101, fields: ['a log line is not told'] },
    { action: 'stop', id: 2 },
    { action: 'start', id: 3, type: 100, text: '', fields: [`${store}-linux-6.1`, 'local', 'ssh-ng://nas'] },
    { action: 'result', id: 9, type: 106, fields: [100, 60_000_000] },
    { action: 'result', id: 3, type: 105, fields: [12_000_000, 60_000_000, 0, 0] },
    { action: 'start', id: 4, type: 101, text: '', fields: ['https://example.org/a\u001b[2J.nar'] },
    { action: 'result', id: 1, type: 105, fields: [1, 3, 0, 0] },
  ];
  for (const event of events) {
    progress(parseNixLine(line(event)));
    now += 200;
  }
  expect(said).toEqual([
    'building nixos-system-nas',
    'built 0 of 3, 1 under way',
    'nixos-system-nas: installPhase',
    'copying linux-6.1',
    'copied 12.0 of 60.0 MB',
    'downloading https://example.org/a.nar',
    'built 1 of 3',
  ]);
  expect(nameOfStorePath(`${store}-a.drv`)).toBe('a');
});
