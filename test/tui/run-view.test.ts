import { describe, expect, test } from 'vitest';
import type { LabSnapshot } from '../../src/flow/session.ts';
import { amountIn } from '../../src/tui/screen/amount.ts';
import type { UiAction } from '../../src/tui/state/ui.ts';
import { seedSnapshot } from './fixtures/lab.ts';
import {
  approvedEvents,
  doneSnapshot,
  heldSnapshot,
  interruptedSnapshot,
  liveSnapshot,
  runId,
  succeeded,
  waitingSnapshot,
  withRun,
} from './fixtures/runs.ts';
import { frameText, sceneOf } from './fixtures/scene.ts';
import { opened } from './fixtures/shell.ts';

/** A run under way, one that needs somebody, and what can be done about either. */

const inRun: UiAction = { kind: 'go', view: { kind: 'run' } };
const text = (snapshot: LabSnapshot, size: { columns: number; rows: number } = { columns: 110, rows: 40 }) =>
  frameText(sceneOf(snapshot, [inRun], size));

test('a plan that waits says until when, at every width', () => {
  for (const columns of [60, 110])
    expect(text(waitingSnapshot, { columns, rows: 24 }).replaceAll(/\s+/gu, ' ')).toMatch(
      /waits for your answer until \d\d:\d\d/u,
    );
});

test('the age of what is shown stays in sight while it is being read anew', () => {
  const still = text(seedSnapshot);
  const age = /seen .*?(?= *\n)/u.exec(still)?.[0] ?? '';
  expect(age).not.toBe('');
  expect(text({ ...seedSnapshot, observing: new Set(['grey-area']) })).toContain(age);
});

describe('a run under way', () => {
  const copying = withRun({ kind: 'running', stopRequested: false }, [
    ...approvedEvents,
    ...succeeded('grey-area/preflight'),
    { kind: 'step-intended', step: 'grey-area/copy' },
    { kind: 'step-noted', step: 'grey-area/copy', note: 'copied 30.0 of 60.0 MB' },
    { kind: 'step-noted', step: 'grey-area/copy', note: 'copying linux-6.12.11' },
  ]);

  test('tells the step, its deadline and its evidence of the machine under the cursor', () => {
    const shown = text(liveSnapshot);
    expect(shown).toMatch(/sleeper-service ─+/u);
    expect(shown).toMatch(/✔ preflight .*✔ reboot +\S boot +· gate/u);
    expect(shown).toMatch(/awaiting the boot: 1 s, deadline in 11:59/u);
    expect(shown).toContain('down, waiting for it to come back');
  });

  test('shows the time a machine takes against what was expected', () => {
    expect(text(liveSnapshot)).toMatch(/IN ALL/u);
    expect(text(liveSnapshot)).toMatch(/sleeper-service.*\d s of \d+ (?:s|min)/u);
  });

  test('the cursor goes along with it until somebody moves it', () => {
    const { press, lab, text: screen } = opened(liveSnapshot);
    press('3');
    expect(screen()).toMatch(/▶ sleeper-service/u);
    lab.show(copying);
    expect(screen()).toMatch(/▶ grey-area/u);
    press('k');
    expect(screen()).toMatch(/▶ sleeper-service/u);
    lab.show({ ...copying, now: copying.now + 1 });
    expect(screen()).toMatch(/▶ sleeper-service/u);
  });

  test('shows how far a copy is as a bar', () => {
    expect(text(copying, { columns: 140, rows: 40 })).toMatch(
      /█████░░░░░ 30\.0\/60\.0 MB {2}copying linux-6\.12\.11/u,
    );
  });

  test('on a small screen keeps the rows, and the newest of the log', () => {
    const shown = text(liveSnapshot, { columns: 60, rows: 20 });
    expect(shown).toContain('sleeper-service');
    expect(shown).toContain('awaiting the boot');
    expect(shown).toContain('Log ─');
  });
});

test('amounts are read from what builds and copies say', () => {
  expect(amountIn('copied 12.5 of 50.0 MB')).toEqual({ share: 0.25, words: '12.5/50.0 MB' });
  expect(amountIn('built 3 of 12, 2 under way')).toEqual({ share: 0.25, words: '3/12' });
  expect(amountIn('copying linux-6.12.11')).toBeNull();
  expect(amountIn('9 of 0')).toBeNull();
  expect(amountIn('12 of 3')).toBeNull();
});

describe('steering', () => {
  test('z pauses, and goes on', () => {
    const { press, lab, text: screen } = opened(liveSnapshot);
    press('3', 'z');
    expect(lab.asked).toEqual(['pause']);
    const { run } = liveSnapshot;
    if (run === null) throw new Error('the fixture has no run');
    lab.show({ run: { ...run, pausedBy: 'amy (tui)' } });
    expect(screen()).toContain('paused by amy (tui): no step begins');
    expect(screen()).toContain('z go on');
    press('z');
    expect(lab.asked.at(-1)).toBe('unpause');
  });

  test('aborting asks first, and offers to stop instead', () => {
    const { press, lab, text: screen } = opened(liveSnapshot);
    press('3', 'X');
    expect(screen()).toContain('[▶ Keep running ]');
    press('enter');
    expect(lab.asked).toEqual([]);
    press('X', 'tab', 'enter', 'X', 'tab', 'tab', 'enter');
    expect(lab.asked).toEqual(['stop', 'abort']);
  });

  test('what makes no sense says why', () => {
    const { press, text: screen } = opened(liveSnapshot);
    press('3', 'K');
    expect(screen()).toContain(
      'skip: sleeper-service is being rebooted: a machine that goes down is waited for',
    );
    press('t');
    expect(screen()).toContain('retry: nothing has failed on sleeper-service');
    press('b');
    expect(screen()).toContain('roll-back-run: a run is under way');
  });

  test('l shows the log of the machine under the cursor alone', () => {
    const { press, text: screen } = opened(liveSnapshot);
    press('3', 'l');
    expect(screen()).toContain('only with: sleeper-service');
    expect(screen()).not.toMatch(/grey-area +✔/u);
  });
});

describe('a run that needs somebody', () => {
  test('says what happened, what is known, what is not, and what each choice would do', () => {
    const shown = text(heldSnapshot, { columns: 110, rows: 60 });
    expect(shown).toContain('WHAT HAPPENED');
    expect(shown).toMatch(/✖ sleeper-service \(failed\) +answers \(20s ago\)/u);
    expect(shown).toContain('WHAT IS NOT KNOWN');
    expect(shown).toMatch(
      /t {2}try again: looks whether sleeper-service has booted.*not rebooted a second time/su,
    );
    expect(shown).toMatch(/r {2}a new run: looks at everything anew/u);
    expect(shown).toMatch(/b {2}\(not now\).*this run activated nothing/su);
  });

  test('names what nobody knows', () => {
    const away = new Map(seedSnapshot.observations);
    const gone = away.get('reverse-proxy');
    if (gone === undefined) throw new Error('the fixture has changed');
    const shown = text({ ...heldSnapshot, observations: away.set('sleeper-service', gone) });
    expect(shown).toContain(
      '? sleeper-service: what it runs now, and whether it is well; it does not answer',
    );
  });

  test('that was interrupted is taken up again with t', () => {
    const { press, lab } = opened(interruptedSnapshot);
    press('3', 't');
    expect(lab.asked).toEqual([`resume ${runId}`]);
  });

  test('that ended well is shown as a result', () => {
    expect(text(doneSnapshot)).not.toContain('WHAT IS NOT KNOWN');
  });
});

describe('rolling back', () => {
  test('by hand goes to the previous generation, and shows its plan', () => {
    const { press, lab } = opened(seedSnapshot);
    press('j', 'b');
    expect(lab.asked).toEqual([
      'prepare {"kind":"rollback","to":{"kind":"previous"},"reboot":true}: grey-area',
    ]);
  });

  test('is refused read-only, and while a plan waits', () => {
    const readonly = opened(seedSnapshot, { readonly: true });
    readonly.press('b');
    expect(readonly.lab.asked).toEqual([]);
    const waiting = opened(waitingSnapshot);
    waiting.press('b');
    expect(waiting.text()).toContain('a plan waits for your yes or no');
  });
});
