import fc from 'fast-check';
import { describe, test } from 'vitest';
import { createBuildLog } from '../../src/nix-integration/build-log.ts';
import { causeOf } from '../../src/nix-integration/causes.ts';
import type { FlakeRef } from '../../src/nix-integration/flake-ref.ts';
import { type NixEvent, parseNixLine } from '../../src/nix-integration/internal-json.ts';
import { parseLock } from '../../src/nix-integration/lock.ts';
import { diffLocks } from '../../src/nix-integration/lock-diff.ts';
import { hostOf, inputsLockedInMemory, markerOf } from '../../src/nix-integration/markers.ts';
import { createProgress, nameOfStorePath } from '../../src/nix-integration/progress.ts';
import { readRecord } from '../../src/nix-integration/record.ts';
import { parseNixVersion } from '../../src/nix-integration/version.ts';
import { createLineCutter } from '../../src/process/output.ts';
import { damaged, expectCalm, hostileText, hugeTexts, soon, stringsIn, timeBoxed } from './hostile.ts';

/** Everything that Nix prints, believed by nobody. */

const nowhere: FlakeRef = { kind: 'remote', url: 'github:nobody/nothing' };
const field = fc.oneof(hostileText(4), fc.double(), fc.integer());
const event = fc.oneof(
  fc.record({
    action: fc.constant('msg'),
    level: fc.oneof(fc.constant(0), fc.integer(), fc.double()),
    msg: fc.oneof(
      hostileText(),
      hostileText(6).map((text) => `trace: @lab ${text}`),
      hostileText(6).map((text) => `trace: @lab ok box ${text}`),
      hostileText(6).map((text) => `error: builder for '/nix/store/x.drv' failed ${text}`),
    ),
    raw_msg: fc.option(hostileText(), { nil: undefined }),
    file: fc.option(
      hostileText(3).map((text) => `/${text}`),
      { nil: undefined },
    ),
    line: fc.option(fc.integer(), { nil: undefined }),
    column: fc.option(fc.integer(), { nil: undefined }),
  }),
  fc.record({
    action: fc.constant('start'),
    id: fc.nat({ max: 4 }),
    type: fc.constantFrom(100, 101, 102, 103, 104, 105, 108, 7),
    text: hostileText(),
    fields: fc.array(field, { maxLength: 6 }),
  }),
  fc.record({ action: fc.constant('stop'), id: fc.nat({ max: 4 }) }),
  fc.record({
    action: fc.constant('result'),
    id: fc.nat({ max: 4 }),
    type: fc.constantFrom(101, 104, 105, 106, 107),
    fields: fc.array(field, { maxLength: 6 }),
  }),
);
const line = fc.oneof(
  event.map((value) => `@nix ${JSON.stringify(value)}`),
  event.chain((value) => damaged(`@nix ${JSON.stringify(value)}`)),
  hostileText(),
);

/** All that is made of events on their way to people. */
const shownOf = async (lines: readonly string[]): Promise<readonly string[]> => {
  const told: string[] = [];
  const builds = createBuildLog();
  const progress = createProgress(
    (text) => void told.push(text),
    () => 0,
  );
  const events: NixEvent[] = [];
  for (const text of lines) {
    const parsed = parseNixLine(text);
    events.push(parsed);
    builds.onEvent(parsed);
    progress(parsed);
    markerOf(parsed);
    hostOf(parsed);
    inputsLockedInMemory(parsed);
  }
  const cause = await causeOf(events, nowhere, async (text) => text);
  const failed = [...builds.failed().values()].flatMap(({ message, log }) => [message, ...log]);
  return [...told, cause.message, cause.remedy, ...cause.detail, ...failed];
};

describe('what Nix says on stderr', () => {
  test('is read without a throw, and is calm wherever it is shown', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(line, { maxLength: 12 }), async (lines) => {
        expectCalm(await shownOf(lines));
      }),
      timeBoxed(3_000),
    );
  });

  test.each(hugeTexts)('10 MB of %s are read soon', async (_name, huge) => {
    const lines: string[] = [];
    const cutter = createLineCutter((text) => lines.push(text));
    await soon('cutting', () => cutter.push(huge));
    cutter.end();
    const some = [lines[0] ?? '', ...lines.slice(0, 200)];
    const whole = JSON.stringify({
      action: 'msg',
      level: 0,
      msg: huge.slice(0, 900_000),
      raw_msg: huge.slice(0, 100_000),
    });
    expectCalm(await soon('telling', () => shownOf([...some, `@nix ${whole}`])));
  });
});

describe('evaluation records', () => {
  const valid = JSON.stringify({
    name: 'box',
    hostName: 'box',
    healthChecks: [],
    dependencies: [],
    groups: [],
  });
  test('that are anything at all are a machine or a reason, and calm', () => {
    const json = fc.oneof(hostileText(), damaged(valid), fc.json());
    fc.assert(
      fc.property(json, (text) => {
        const record = readRecord('box', text);
        if (record.kind === 'failed') expectCalm([record.failed.message, record.failed.remedy]);
      }),
      timeBoxed(3_000),
    );
  });
  test.each(hugeTexts)('of 10 MB of %s are refused soon', async (_name, huge) => {
    await soon('reading', () => readRecord('box', huge));
    await soon('reading', () => readRecord('box', JSON.stringify({ name: huge.slice(0, 1_000_000) })));
  });
});

describe('a lock file', () => {
  const node = fc.record(
    {
      inputs: fc.dictionary(
        fc.oneof(fc.constantFrom('a', 'b', 'root', '__proto__'), hostileText(2)),
        fc.oneof(
          fc.constantFrom('a', 'b', 'root'),
          fc.array(fc.constantFrom('a', 'b', 'root'), { maxLength: 4 }),
          hostileText(2),
        ),
      ),
      locked: fc.dictionary(
        fc.constantFrom('type', 'owner', 'repo', 'rev', 'url', 'path', 'lastModified'),
        field,
      ),
      original: fc.dictionary(fc.constantFrom('type', 'owner', 'repo', 'ref', 'url', 'id'), field),
    },
    { requiredKeys: [] },
  );
  const lock = fc.record({
    version: fc.constantFrom(7, 6, 99),
    root: fc.constantFrom('root', 'a', 'gone'),
    nodes: fc.dictionary(fc.constantFrom('root', 'a', 'b'), node),
  });
  const text = fc.oneof(
    lock.map((value) => JSON.stringify(value)),
    hostileText(),
    fc.json(),
  );
  test('with circles, dead ends and lies is compared or refused, and calm', () => {
    fc.assert(
      fc.property(text, text, (before, after) => {
        const [old, young] = [parseLock(before), parseLock(after)];
        if (old.lock === null || young.lock === null) return;
        expectCalm(stringsIn(diffLocks(old.lock, young.lock)));
      }),
      timeBoxed(3_000),
    );
  });
});

test('versions and store paths of any form are read without a throw', async () => {
  fc.assert(
    fc.property(hostileText(), (text) => {
      parseNixVersion(text);
      nameOfStorePath(text);
    }),
    timeBoxed(2_000),
  );
  for (const [name, huge] of hugeTexts) {
    await soon(`a version of ${name}`, () => parseNixVersion(huge));
    await soon(`a path of ${name}`, () => nameOfStorePath(huge));
  }
});
