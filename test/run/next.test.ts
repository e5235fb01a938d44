import { describe, expect, test } from 'vitest';
import type { Machine } from '../../src/fleet/machine.ts';
import { noFailing, type StepOutcome } from '../../src/run/event.ts';
import { lookedAt } from '../../src/run/looks.ts';
import { concurrency, next } from '../../src/run/next.ts';
import { delayEndsAt } from '../../src/run/perform.ts';
import { progressOf } from '../../src/run/progress.ts';
import { recordOf } from '../../src/run/records.ts';
import { planFor, seen } from '../plan/input.ts';
import { type MachineTraits, machineNamed } from '../simulation/fleet.ts';
import { approved, failedWith, type History, skippedFor, succeededWith, unknownWith } from './history.ts';

const well = { verdict: 'well', why: 'systemd is running', failing: noFailing } as const;

/** What is to be done; all are well whenever somebody looks. */
const decide = (history: History): string => {
  const decision = next(history.state);
  switch (decision.kind) {
    case 'perform':
      return decision.steps.map(({ id }) => id).join(' ');
    case 'look': {
      const { moment } = decision;
      const seen = lookedAt(history.state, moment).map(({ machine }) => ({ machine: machine.name, ...well }));
      history.add({ kind: 'look-begun', moment }).add({ kind: 'looked', moment, seen });
      return decide(history);
    }
    case 'await':
      return 'await';
    case 'end':
      return `${decision.result}: ${decision.reason}`;
    default:
      return decision satisfies never;
  }
};

const fleet = (...machines: readonly Machine[]): History => approved(planFor(machines));
const box = (traits: MachineTraits = {}): Machine => machineNamed('box', { delay: 0, ...traits });
const toActivation = ['box/preflight', 'box/copy', 'box/activate-switch'];
const toReboot = [...toActivation, 'box/gate-after-activation', 'box/confirm', 'box/reboot'];

describe('the order of things', () => {
  test('every machine is looked at, then every closure copied, then one machine after the other', () => {
    const history = fleet(machineNamed('a', { delay: 0 }), machineNamed('b', { delay: 0 }));
    expect(decide(history)).toBe('a/preflight b/preflight');
    history.begin('a/preflight', 'b/preflight').end('a/preflight', succeededWith());
    expect(decide(history)).toBe('await');
    history.end('b/preflight', succeededWith());
    expect(decide(history)).toBe('a/copy b/copy');
    history.pass('a/copy', 'b/copy');
    expect(decide(history)).toBe('a/activate-switch');
    history.begin('a/activate-switch');
    expect(decide(history)).toBe('await');
    history
      .end('a/activate-switch', succeededWith())
      .pass('a/gate-after-activation', 'a/confirm', 'a/reboot', 'a/await-boot');
    expect(decide(history)).toBe('a/gate-after-reboot');
    history.pass('a/gate-after-reboot');
    expect(decide(history)).toBe('b/activate-switch');
  });

  test('looks and copies are bounded', () => {
    const many = Array.from({ length: 40 }, (_, index) => machineNamed(`m${String(index).padStart(2, '0')}`));
    const history = fleet(...many);
    expect(decide(history).split(' ')).toHaveLength(concurrency.preflight);
    history.begin(...decide(history).split(' '));
    expect(decide(history)).toBe('await');
    history.end('m00/preflight', succeededWith());
    expect(decide(history).split(' ')).toEqual(['m16/preflight']);
    for (const { name } of many) {
      const id = `${name}/preflight`;
      if (recordOf(history.state, id) === undefined) history.begin(id);
      if (recordOf(history.state, id)?.status === 'open') history.end(id, succeededWith());
    }
    expect(decide(history).split(' ')).toHaveLength(concurrency.copy);
  });

  test('a run to its end is done', () => {
    const history = fleet(box()).pass(...toReboot, 'box/await-boot', 'box/gate-after-reboot');
    expect(decide(history)).toBe('done: every machine is as planned');
  });

  test('an activation that asks for a reboot gets one, and its gate comes after that', () => {
    const same = approved(planFor([box()], { wantedKernel: '6.12.10' }));
    same.pass('box/preflight', 'box/copy').begin('box/activate-switch');
    same.end('box/activate-switch', succeededWith({ needsReboot: true }));
    expect(decide(same)).toBe('box/reboot');
  });

  test('one that the plan does not take is told with what a reboot would boot', () => {
    const remedyOf = (mode: 'switch' | 'test'): string => {
      const plan = planFor([box()], { goal: { kind: 'deploy', mode } });
      const { state } = approved(plan)
        .pass('box/preflight', 'box/copy')
        .begin(`box/activate-${mode}`)
        .end(`box/activate-${mode}`, succeededWith({ needsReboot: true }));
      return plan.machines.map((entry) => progressOf(state, entry).failure?.remedy).join();
    };
    expect(remedyOf('switch')).toBe('reboot it when it suits: `lab reboot box`');
    expect(remedyOf('test')).toContain('`lab deploy box --mode boot`, then `lab reboot box`');
  });

  test('nothing is decided before a plan is approved', () => {
    const history = fleet(box());
    expect(() => next({ ...history.state, approvedAt: null })).toThrow(TypeError);
  });
});

describe('a failure', () => {
  const three = (traits: MachineTraits): History =>
    fleet(
      machineNamed('box', { delay: 0, rebootOrder: 1, ...traits }),
      machineNamed('app', { dependencies: ['box'], rebootOrder: 2 }),
      machineNamed('free', { rebootOrder: 3 }),
    ).pass(
      'box/preflight',
      'app/preflight',
      'free/preflight',
      'box/copy',
      'app/copy',
      'free/copy',
      'box/activate-switch',
    );
  const gateFails = (history: History): History =>
    history.begin('box/gate-after-activation').end('box/gate-after-activation', failedWith('unhealthy'));

  test.each(['low', 'medium'] as const)('%s: its dependents find out, the rest goes on', (criticality) => {
    const history = gateFails(three({ criticality })).pass('box/restore');
    expect(decide(history)).toBe('app/dependencies');
    history.begin('app/dependencies').end('app/dependencies', skippedFor('dependency'));
    expect(decide(history)).toBe('free/activate-switch');
  });

  test('high: the run holds', () => {
    expect(decide(gateFails(three({ criticality: 'high' })).pass('box/restore'))).toBe(
      'held: box (criticality high) failed and was returned to what it ran: nothing after it was touched',
    );
  });

  test('what was not confirmed goes back, whatever the criticality', () => {
    for (const criticality of ['low', 'medium', 'high', 'critical'] as const) {
      expect(decide(gateFails(three({ criticality })))).toBe('box/restore');
      const unsure = three({ criticality }).pass('box/gate-after-activation').begin('box/confirm');
      expect(decide(unsure.end('box/confirm', unknownWith('confirmation-unknown')))).toBe('box/restore');
    }
  });

  test('critical: first the way back, then the hold', () => {
    const history = gateFails(three({ criticality: 'critical' }));
    expect(decide(history)).toBe('box/restore');
    history.begin('box/restore');
    expect(decide(history)).toBe('await');
    history.end('box/restore', succeededWith());
    expect(decide(history)).toBe(
      'held: box (criticality critical) failed and was returned to what it ran: nothing after it was touched',
    );
  });

  test('critical: a way back that failed is tried once, and not claimed', () => {
    for (const outcome of [failedWith('unreachable'), unknownWith('activation-unknown')]) {
      const history = gateFails(three({ criticality: 'critical' }))
        .begin('box/restore')
        .end('box/restore', outcome);
      expect(decide(history)).toBe('held: box (criticality critical) failed: nothing after it was touched');
    }
  });

  test('a hold waits for what is under way', () => {
    const history = fleet(machineNamed('box', { criticality: 'high' }), machineNamed('other')).begin(
      'box/preflight',
      'other/preflight',
    );
    history.end('box/preflight', failedWith('no-root'));
    expect(decide(history)).toBe('await');
    history.end('other/preflight', succeededWith());
    expect(decide(history)).toMatch(/^held/u);
  });

  test('an activation refused midway is put back, whatever the criticality', () => {
    for (const criticality of ['low', 'medium', 'high'] as const) {
      const history = fleet(box({ criticality }))
        .pass('box/preflight', 'box/copy')
        .begin('box/activate-switch');
      history.end('box/activate-switch', failedWith('activation-refused'));
      expect(decide(history)).toBe('box/restore');
    }
  });

  test('what somebody else deployed meanwhile is not put back', () => {
    const history = fleet(box({ criticality: 'critical' })).pass('box/preflight', 'box/copy');
    history.begin('box/activate-switch').end('box/activate-switch', failedWith('changed-since-plan'));
    expect(decide(history)).toMatch(/^held: .* failed: nothing/u);
  });

  test('before anything was touched needs no way back', () => {
    const history = fleet(box({ criticality: 'critical' })).begin('box/preflight');
    history.end('box/preflight', failedWith('no-root'));
    expect(decide(history)).toMatch(/^held: .* failed: nothing/u);
  });

  test('blue-green goes back to blue when green is not healthy, and not when a later step fails', () => {
    const green = ['box/preflight', 'box/copy', 'box/activate-test'];
    const ill = fleet(box({ strategy: 'blue-green' }))
      .pass(...green)
      .begin('box/gate-after-activation');
    ill.end('box/gate-after-activation', failedWith('unhealthy'));
    expect(decide(ill)).toBe('box/restore');
    const later = fleet(box({ strategy: 'blue-green' }))
      .pass(...green, 'box/gate-after-activation', 'box/confirm', 'box/activate-boot')
      .begin('box/reboot');
    later.end('box/reboot', failedWith('reboot-refused'));
    expect(decide(later)).toMatch(/^failed/u);
  });

  test('a preflight that failed or was skipped is not begun again', () => {
    for (const outcome of [failedWith('no-root'), skippedFor('unreachable')]) {
      const history = fleet(box(), machineNamed('other')).begin('box/preflight', 'other/preflight');
      history.end('box/preflight', outcome).end('other/preflight', succeededWith());
      expect(decide(history)).toBe('other/copy');
    }
  });
});

describe('how a run ends', () => {
  const withOutcomes = (
    outcomes: Readonly<Record<string, { readonly criticality: 'low' | 'medium'; readonly well: boolean }>>,
  ): string => {
    const history = approved(
      planFor(
        Object.entries(outcomes).map(([name, { criticality }]) => machineNamed(name, { criticality })),
        { goal: { kind: 'deploy', mode: 'boot' } },
      ),
    );
    for (const [name, { well }] of Object.entries(outcomes)) {
      history.begin(`${name}/preflight`);
      history.end(`${name}/preflight`, well ? succeededWith() : skippedFor('unreachable'));
    }
    for (const [name, { well }] of Object.entries(outcomes))
      if (well) history.pass(`${name}/copy`, `${name}/activate-boot`);
    return decide(history);
  };

  test('done, partial and failed', () => {
    const well = { criticality: 'medium', well: true } as const;
    const away = { criticality: 'medium', well: false } as const;
    const lowAway = { criticality: 'low', well: false } as const;
    expect(withOutcomes({ a: well })).toMatch(/^done: every machine/u);
    expect(withOutcomes({ a: well, b: lowAway })).toBe(
      'done: all but machines of low criticality are as planned; not: b',
    );
    expect(withOutcomes({ a: well, b: away })).toBe('partial: not as planned: b');
    expect(withOutcomes({ a: away })).toBe('failed: no machine was brought to its goal: a');
    expect(withOutcomes({ a: lowAway })).toMatch(/^failed/u);
  });

  test('the lease of another run is its failure where no machine failed', () => {
    const failureOf = (outcome: StepOutcome): string | null => {
      const history = fleet(
        ...['a', 'b'].map((name) => machineNamed(name, { strategy: 'recreate', policy: 'never' })),
      );
      history.begin('a/preflight', 'b/preflight').end('a/preflight', outcome);
      history.end('b/preflight', {
        kind: 'skipped',
        reason: 'blocked',
        failure: { kind: 'leased', machine: 'b', phase: 'preflight', message: 'm', remedy: 'r' },
      });
      decide(history);
      const decision = next(history.state);
      if (decision.kind !== 'end') throw new TypeError(decision.kind);
      expect(decision.result).toBe('failed');
      return decision.failure?.kind ?? null;
    };
    expect(failureOf(skippedFor('unreachable'))).toBe('leased');
    expect(failureOf(failedWith('no-root'))).toBeNull();
  });

  test('a machine that could not be evaluated makes it partial', () => {
    const machine = machineNamed('a');
    const history = approved(
      planFor([machine], {
        selection: ['a', 'broken'],
        observations: { a: seen('a', { booted: 'new', current: 'new', profile: 'new' }) },
        more: {
          fleet: { machines: [machine], failed: [{ name: 'broken', message: 'm', remedy: 'r' }] },
        },
      }),
    );
    expect(decide(history)).toBe('partial: not as planned: broken');
  });

  test('interrupted, once the steps under way have ended and what failed was put back', () => {
    const history = fleet(box({ criticality: 'critical' }))
      .pass(...toActivation)
      .begin('box/gate-after-activation');
    history.add({ kind: 'stop-requested', by: 'Ctrl-C' });
    expect(decide(history)).toBe('await');
    history.end('box/gate-after-activation', failedWith('unhealthy'));
    expect(decide(history)).toBe('box/restore');
    history.begin('box/restore').end('box/restore', succeededWith());
    expect(decide(history)).toMatch(/^interrupted: stopped by Ctrl-C/u);
  });

  test('a pause holds the next step back, but not the proof and confirmation of what is live', () => {
    const paused = fleet(box())
      .pass(...toActivation)
      .add({ kind: 'paused', by: 'you' });
    expect(decide(paused)).toBe('box/gate-after-activation');
    paused.begin('box/gate-after-activation');
    expect(decide(paused)).toBe('await');
    paused.end('box/gate-after-activation', succeededWith());
    expect(decide(paused)).toBe('box/confirm');
    paused.pass('box/confirm');
    expect(decide(paused)).toBe('await');
    paused.add({ kind: 'unpaused', by: 'you' });
    expect(decide(paused)).toBe('box/reboot');
  });

  test('a stop or a pause leaves no machine down: a reboot that was triggered is followed until it is up', () => {
    for (const asked of ['stop-requested', 'paused'] as const) {
      const history = fleet(box())
        .pass(...toReboot)
        .add({ kind: asked, by: 'Ctrl-C' });
      expect(decide(history)).toBe('box/await-boot');
      history.pass('box/await-boot');
      expect(decide(history)).toMatch(asked === 'paused' ? /^await$/u : /^interrupted: stopped by Ctrl-C/u);
    }
  });

  test('a stop lets what is live be proven and confirmed, for it would be taken back', () => {
    const stopped = fleet(box())
      .pass(...toActivation)
      .add({ kind: 'stop-requested', by: 'Ctrl-C' });
    expect(decide(stopped)).toBe('box/gate-after-activation');
    stopped.pass('box/gate-after-activation');
    expect(decide(stopped)).toBe('box/confirm');
    stopped.pass('box/confirm');
    expect(decide(stopped)).toMatch(/^interrupted: stopped by Ctrl-C/u);
  });
});

describe('the reboot delay', () => {
  const history = (): History =>
    fleet(machineNamed('a', { delay: 0, rebootOrder: 1 }), machineNamed('b', { delay: 200, rebootOrder: 2 }));
  const delay = (from: History): number => {
    const step = from.state.plan?.machines.flatMap(({ steps }) => steps).find(({ id }) => id === 'b/delay');
    if (step?.kind !== 'delay') throw new Error('b has no delay');
    return delayEndsAt(from.state, step);
  };

  test('counts from the approval when no gate has passed', () => {
    expect(delay(history())).toBe(1_000 + 200_000);
  });

  test('counts from the latest gate of another machine, not from its own', () => {
    const from = history().pass('a/preflight', 'b/preflight', 'a/copy', 'b/copy', 'a/activate-switch');
    from.pass('a/gate-after-activation', 'a/confirm', 'a/reboot', 'a/await-boot', 'a/gate-after-reboot');
    const passedAt = from.state.lastAt;
    expect(delay(from)).toBe(passedAt + 200_000);
    from.pass('b/activate-switch', 'b/gate-after-activation');
    expect(delay(from)).toBe(passedAt + 200_000);
  });

  test('does not count from a gate that failed', () => {
    const from = history().pass('a/preflight', 'b/preflight', 'a/copy', 'b/copy', 'a/activate-switch');
    from.begin('a/gate-after-activation').end('a/gate-after-activation', failedWith('unhealthy'));
    expect(delay(from)).toBe(1_000 + 200_000);
  });
});
