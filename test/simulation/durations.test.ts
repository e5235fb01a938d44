import { describe, expect, test } from 'vitest';
import { eventLine, reportLines } from '../../src/cli/render-run.ts';
import type { Durations } from '../../src/plan/durations.ts';
import { recordOf } from '../../src/run/records.ts';
import { reportOf } from '../../src/run/report.ts';
import type { Fault } from '../../src/sim/fault.ts';
import { tell } from './story.ts';

/** A reboot of the machines of these stories takes 18 s by nature. */
const usual: Durations = { reboot: { times: 9, typicalMs: 18_000, slowMs: 18_000, longestMs: 20_000 } };
const slow: Fault = { kind: 'slow-boot', ms: 90_000 };
const patient = { deadlines: { down: 30, up: 300, healthy: 60 } };
const notesOf = (told: Awaited<ReturnType<typeof tell>>) =>
  recordOf(told.state, 'box/await-boot')?.notes ?? [];

describe('a reboot', () => {
  test('that takes much longer than ever is warned of once, and the report keeps it', async () => {
    const told = await tell({ box: { faults: [slow], ...patient } }, { durations: { box: usual } });
    const warnings = notesOf(told).filter(({ warning }) => warning === true);
    expect(warnings).toHaveLength(1);
    expect(warnings[0]?.note).toMatch(
      /^6\d s since the trigger: much longer than it has ever taken \(20 s at most\)/u,
    );
    // It stays a warning.
    expect(told.became.box).toBe('done');
    const report = reportOf(told.state);
    expect(report?.machines[0]?.warnings).toEqual([warnings[0]?.note]);
    // Seen by whoever watches, and by whoever reads the report.
    const event = told.events.find(({ body }) => body.kind === 'step-noted' && body.warning === true);
    expect(event === undefined ? '' : eventLine(event)).toContain('box: ! await boot: 6');
    expect(report === null ? [] : reportLines(report)).toContain(`  box: ! ${warnings[0]?.note}`);
  });

  test('that takes as long as ever is told against what is usual, without a warning', async () => {
    const told = await tell({ box: {} }, { durations: { box: usual } });
    expect(notesOf(told).filter(({ warning }) => warning === true)).toEqual([]);
    expect(notesOf(told).map(({ note }) => note)).toContainEqual(
      expect.stringMatching(/^down, waiting for it to come back, \d+ s \(usually 18 s\)$/u),
    );
    const outcome = recordOf(told.state, 'box/await-boot')?.outcome;
    expect(outcome?.kind === 'succeeded' ? outcome.facts.note : '').toMatch(
      /booted as expected after \d+ s \(usually 18 s\)$/u,
    );
  });

  test('is not warned of again by the process that takes the run up', async () => {
    const told = await tell(
      { box: { faults: [slow], ...patient } },
      { durations: { box: usual }, ends: [{ kind: 'killed-at', ms: 115_000, downMs: 1_000 }] },
    );
    expect(told.events.filter(({ body }) => body.kind === 'resumed')).toHaveLength(1);
    expect(notesOf(told).filter(({ warning }) => warning === true)).toHaveLength(1);
  });

  test('of a machine without a history is warned of by nobody', async () => {
    const told = await tell({ box: { faults: [slow], ...patient } });
    expect(notesOf(told).filter(({ warning }) => warning === true)).toEqual([]);
  });
});
