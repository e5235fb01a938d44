import { describe, expect, test } from 'vitest';
import { recordOf } from '../../src/run/records.ts';
import { toplevelOf } from './fleet.ts';
import type { ProcessEnd } from './scenario.ts';
import { tell } from './story.ts';

/** What the next process makes of a run whose process is gone. */

const killedAfter = (append: number, downMs: number): readonly ProcessEnd[] => [
  { kind: 'killed-at-append', append, when: 'after', downMs },
];

/** The append at which a step is intended, in a run of `box` alone that nothing disturbs. */
const intentOf = async (step: string): Promise<number> => {
  const { events } = await tell({ box: {} });
  const index = events.findIndex(({ body }) => body.kind === 'step-intended' && body.step === step);
  expect(index, `${step} is in the run`).toBeGreaterThan(0);
  // run-started, plan-made and approved are written before the loop.
  return index + 1 - 3;
};

const begunIn = (events: Awaited<ReturnType<typeof tell>>['events']): readonly string[] =>
  events.flatMap(({ body }) => (body.kind === 'step-intended' ? [body.step] : []));

const stepsAgain = (told: Awaited<ReturnType<typeof tell>>): readonly string[] => {
  const resumed = told.events.findIndex(({ body }) => body.kind === 'resumed');
  return begunIn(told.events.slice(resumed));
};

describe('the process dies', () => {
  test('before it could trigger the reboot: the next one triggers it', async () => {
    const told = await tell({ box: {} }, { ends: killedAfter(await intentOf('box/reboot'), 60_000) });
    expect(told.became.box).toBe('done');
    expect(told.done).toEqual(['box switch new', 'box reboot']);
    expect(stepsAgain(told)[0]).toBe('box/reboot');
  });

  test('while the machine is down: the next one finds it down and does not trigger again', async () => {
    const reboot = await intentOf('box/reboot');
    const told = await tell(
      { box: {} },
      // The outcome of the trigger is lost; ten seconds later the machine is in the middle of its boot.
      { ends: [{ kind: 'killed-at-append', append: reboot + 2, when: 'before', downMs: 10_000 }] },
    );
    expect(told.done.filter((line) => line === 'box reboot')).toHaveLength(1);
    expect(recordOf(told.state, 'box/reboot')?.outcome).toMatchObject({
      kind: 'succeeded',
      facts: { note: expect.stringContaining('probably triggered before lab was interrupted') },
    });
    expect(told.became.box).toBe('done');
  });

  test('and comes back after the machine did: the reboot is known by its boot id', async () => {
    const reboot = await intentOf('box/reboot');
    const told = await tell(
      { box: {} },
      { ends: [{ kind: 'killed-at-append', append: reboot + 2, when: 'before', downMs: 3_600_000 }] },
    );
    expect(told.done.filter((line) => line === 'box reboot')).toHaveLength(1);
    expect(recordOf(told.state, 'box/reboot')?.outcome).toMatchObject({
      facts: { note: expect.stringContaining('it has rebooted since the run looked at it') },
    });
    expect(told.became.box).toBe('done');
  });

  test.each([
    ['before it could trigger the reboot', 0, 'after'],
    ['before it could say which boot it ends', 1, 'before'],
    ['right after it said so', 1, 'after'],
    ['after the trigger', 2, 'before'],
  ] as const)(
    '%s, of a machine that had rebooted by itself into what it was to leave: it is rebooted once',
    async (_when, more, when) => {
      // In the middle of the copy: what it is to boot is not there yet.
      const box = { strategy: 'recreate', faults: [{ kind: 'crash', atMs: 1_000 }] } as const;
      const calm = await tell({ box }, { overrides: [{ blocker: 'just-booted', machine: null }] });
      const index = calm.events.findIndex(
        ({ body }) => body.kind === 'step-intended' && body.step === 'box/reboot',
      );
      for (const downMs of [1_000, 600_000]) {
        const told = await tell(
          { box },
          {
            overrides: [{ blocker: 'just-booted', machine: null }],
            ends: [{ kind: 'killed-at-append', append: index + 1 - 3 + more, when, downMs }],
          },
        );
        expect([told.became.box, told.done]).toEqual(['done', ['box boot new', 'box reboot']]);
      }
    },
  );

  test('in the middle of an activation: the next one follows it instead of starting another', async () => {
    const { state } = await tell({ box: {} });
    const begun = (recordOf(state, 'box/activate-switch')?.intendedAt ?? 0) - (state.approvedAt ?? 0);
    const told = await tell({ box: {} }, { ends: [{ kind: 'killed-at', ms: begun + 6_000, downMs: 500 }] });
    expect(told.done).toEqual(['box switch new', 'box reboot']);
    expect(told.became.box).toBe('done');
  });

  test('after an activation that is just on its way back, for nobody confirmed it: it begins anew', async () => {
    const dones = new Set<string>();
    // From long before its supervisor gives up to long after it has returned.
    for (let downMs = 116_000; downMs < 150_000; downMs += 2_000) {
      const { became, done } = await tell({ box: {} }, { ends: [{ kind: 'killed-at', ms: 22_000, downMs }] });
      expect(became.box).toBe('done');
      dones.add(done.join(', '));
    }
    expect([...dones]).toEqual(['box switch new, box reboot', 'box switch new, box switch new, box reboot']);
  });

  for (const skewMs of [3_600_000, -3_600_000])
    test(`by a process whose clock is ${skewMs > 0 ? 'ahead' : 'behind'}: no wait ends early for it, none is longer`, async () => {
      const sound = await tell({ box: {}, late: { delay: 60 } });
      const endOf = (id: string): number =>
        (recordOf(sound.state, id)?.endedAt ?? 0) - (sound.state.approvedAt ?? 0);
      const at = (ms: number) => ({ ends: [{ kind: 'killed-at', ms, downMs: 500, skewMs } as const] });
      // The machine still runs the old boot when it is looked at again.
      const boot = await tell({ box: {}, late: { delay: 60 } }, at(endOf('box/reboot') + 100));
      expect(boot.became).toEqual({ box: 'done', late: 'done' });
      // In the middle of the delay.
      const delay = await tell({ box: {}, late: { delay: 60 } }, at(endOf('late/confirm') + 5_000));
      expect(delay.became).toEqual({ box: 'done', late: 'done' });
      expect(delay.rebootsAt[1]).toBeLessThan((sound.rebootsAt[1] ?? 0) + 90);
    });

  test('between the look at the dependencies and the reboot: they are looked at again', async () => {
    const app = { dependencies: ['nas'] };
    const calm = await tell({ nas: {}, app }, { selection: ['app'] });
    const intended = calm.events.findIndex(
      ({ body }) => body.kind === 'step-intended' && body.step === 'app/reboot',
    );
    const told = await tell(
      { nas: { faults: [{ kind: 'falls-ill', atMs: 1_800_000, forMs: null }] }, app },
      { selection: ['app'], ends: killedAfter(intended + 1 - 3, 3_600_000) },
    );
    expect(told.done).toEqual(['app switch new']);
    expect(told.became.app).toBe('skipped: dependency');
  });
});

describe('nobody takes the run up again', () => {
  const left = async (downMs: number, abandoned: boolean) => {
    const { state } = await tell({ box: {} });
    const proven = (recordOf(state, 'box/gate-after-activation')?.intendedAt ?? 0) - (state.approvedAt ?? 0);
    return tell({ box: {} }, { ends: [{ kind: 'killed-at', ms: proven + 1_000, downMs }], abandoned });
  };

  test('a machine that was activated and not confirmed is back at what it ran, by itself', async () => {
    const { world } = await left(0, true);
    const old = toplevelOf('box', 'old');
    expect(world.look('box')).toMatchObject({ current: old, profile: old, booted: old });
    const [unit] = world.look('box').units.values();
    expect(unit?.watch?.end).toEqual({ kind: 'restored', why: 'unconfirmed' });
  });

  test('in time: the next process finds it live, proves it again and confirms it', async () => {
    const { became, done } = await left(5_000, false);
    expect([became.box, done]).toEqual(['done', ['box switch new', 'box reboot']]);
  });

  test('before the machine has returned: the next process activates it again', async () => {
    const { became, done } = await left(3_600_000, false);
    expect([became.box, done]).toEqual(['done', ['box switch new', 'box switch new', 'box reboot']]);
  });
});

describe('the machine that the engine runs on', () => {
  const cast = { box: {}, desk: { orchestrator: true } } as const;
  const plot = { localMachine: 'desk', resumesAtBoot: true } as const;

  test('reboots last, takes the process with it, and the run ends after its boot', async () => {
    const told = await tell(cast, plot);
    expect(told.became).toEqual({ box: 'done', desk: 'done' });
    expect(told.result).toBe('done');
    expect(told.done).toEqual(['box switch new', 'box reboot', 'desk switch new', 'desk reboot']);
    expect(told.events.filter(({ body }) => body.kind === 'resumed')).toHaveLength(1);
  });

  test('that hangs in its shutdown leaves the run open: the shutdown has ended the process', async () => {
    const hang = { kind: 'never-goes-down' } as const;
    const told = await tell({ ...cast, desk: { orchestrator: true, faults: [hang] } }, plot);
    // The shutdown ends the process first; nobody takes the run up while the machine hangs.
    expect(told.result).toBe('none');
    expect(recordOf(told.state, 'desk/await-boot')?.outcome ?? null).toBeNull();
  });

  test('that somebody stops before its reboot was triggered is not waited for: the run ends, as it was asked to', async () => {
    const sound = await tell(cast, plot);
    const reboot = recordOf(sound.state, 'desk/reboot');
    const from = (reboot?.intendedAt ?? 0) - (sound.state.approvedAt ?? 0);
    const lastsMs = (reboot?.endedAt ?? 0) - (reboot?.intendedAt ?? 0);
    for (const kind of ['stopped-at', 'aborted-at'] as const)
      for (let laterMs = 1; laterMs < lastsMs; laterMs += 5) {
        const end = { kind, ms: from + laterMs, downMs: 60_000 };
        const { events, became } = await tell(cast, { ...plot, ends: [end] });
        const kinds = events.map(({ body }) => body.kind);
        const until = kinds.indexOf('resumed');
        const triggered = events
          .slice(0, until)
          .some(
            ({ body }) =>
              body.kind === 'step-noted' && body.endsBoot !== undefined && body.step === 'desk/reboot',
          );
        expect(kinds.slice(0, until).includes('run-ended') || triggered, `${kind} ${laterMs} ms`).toBe(true);
        expect(became.desk).toBe('done');
      }
  });

  test('that comes back on the old generation is reported by the process after the boot', async () => {
    const told = await tell(
      { ...cast, desk: { orchestrator: true, faults: [{ kind: 'old-generation' }] } },
      plot,
    );
    expect(told.became.desk).toBe('failed: old-generation');
    expect(told.result).toBe('partial');
  });
});

describe('a stop', () => {
  test('finishes what is under way up to its confirmation, begins nothing else, and the run can be resumed', async () => {
    const { state } = await tell({ box: {} });
    const begun = (recordOf(state, 'box/activate-switch')?.intendedAt ?? 0) - (state.approvedAt ?? 0);
    const told = await tell(
      { box: {} },
      { ends: [{ kind: 'stopped-at', ms: begun + 2_000, downMs: 60_000 }] },
    );
    const kinds = told.events.map(({ body }) => body.kind);
    const stopped = kinds.indexOf('stop-requested');
    const ended = kinds.indexOf('run-ended');
    expect(told.events[ended]?.body).toMatchObject({ result: 'interrupted' });
    // A live activation is proven and confirmed first: left alone, the machine would take it back.
    expect(begunIn(told.events.slice(stopped, ended))).toEqual(['box/gate-after-activation', 'box/confirm']);
    expect(kinds[ended - 1]).toBe('step-ended');
    expect(told.became.box).toBe('done');
  });

  test('cuts a delay short', async () => {
    const told = await tell(
      { box: { delay: 3_600 } },
      { ends: [{ kind: 'stopped-at', ms: 300_000, downMs: 0 }] },
    );
    const at = (kind: string): number => told.events.find(({ body }) => body.kind === kind)?.at ?? 0;
    expect(at('run-ended') - at('stop-requested')).toBeLessThan(1_000);
    expect(told.became.box).toBe('done');
  });
});

describe('a pause', () => {
  test('lets an activation under way come to its confirmation, holds the next one back, and goes on afterwards', async () => {
    const told = await tell({ box: {} }, { pauses: [{ atMs: 8_000, forMs: 1_000_000 }] });
    const at = (kind: string): number => told.events.find(({ body }) => body.kind === kind)?.at ?? 0;
    expect(at('unpaused') - at('paused')).toBeGreaterThan(900_000);
    const between = told.events.filter(({ at: when }) => when >= at('paused') && when < at('unpaused'));
    expect(begunIn(between)).toEqual(['box/gate-after-activation', 'box/confirm']);
    expect(between.at(-1)?.body).toMatchObject({ kind: 'step-ended', step: 'box/confirm' });
    expect(told.became.box).toBe('done');
  });

  test('that nobody ends can still be stopped, and aborted', async () => {
    for (const kind of ['stopped-at', 'aborted-at'] as const) {
      const told = await tell(
        { box: {} },
        {
          pauses: [{ atMs: 8_000, forMs: 1_000_000 }],
          ends: [{ kind, ms: 500_000, downMs: 600_000 }],
        },
      );
      const interrupted = told.events.find(({ body }) => body.kind === 'run-ended');
      expect(interrupted?.body).toMatchObject({ result: 'interrupted' });
      expect((interrupted?.at ?? 0) - told.startedAt).toBeLessThan(501_000);
      expect(told.became.box).toBe('done');
    }
  });
});

test('a journal that cannot be written ends the process, and nothing more is done', async () => {
  const { events } = await tell({ box: {}, other: {} });
  for (let append = 1; append < events.length - 3; append += 3) {
    const told = await tell(
      { box: {}, other: {} },
      { ends: [{ kind: 'journal-breaks', append, downMs: 60_000 }] },
    );
    expect(told.became).toEqual({ box: 'done', other: 'done' });
  }
});
