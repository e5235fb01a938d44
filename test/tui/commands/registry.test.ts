import { describe, expect, test } from 'vitest';
import {
  actsOfCommandLine,
  actsOfKey,
  commands,
  completed,
  completionsOf,
  helpOf,
  hintsOf,
} from '../../../src/tui/commands/registry.ts';
import type { Scene } from '../../../src/tui/state/scene.ts';
import type { Act, UiAction } from '../../../src/tui/state/ui.ts';
import type { View } from '../../../src/tui/state/view.ts';
import { emptySnapshot, seedSnapshot } from '../fixtures/lab.ts';
import { heldSnapshot, liveSnapshot, preparingSnapshot, waitingSnapshot } from '../fixtures/runs.ts';
import { sceneOf } from '../fixtures/scene.ts';

const views: readonly View[] = [
  { kind: 'machines' },
  { kind: 'machine', name: 'grey-area', tab: 'health' },
  { kind: 'sequence' },
  { kind: 'run' },
  { kind: 'log' },
  { kind: 'problems' },
  { kind: 'help' },
];
const snapshots = [
  emptySnapshot,
  seedSnapshot,
  preparingSnapshot,
  waitingSnapshot,
  liveSnapshot,
  heldSnapshot,
];
const everyScene: readonly Scene[] = snapshots.flatMap((snapshot) =>
  views.map((view) => sceneOf(snapshot, [{ kind: 'go', view }])),
);
const inRun: UiAction = { kind: 'go', view: { kind: 'run' } };
const noticeOf = (acts: readonly Act[]): string =>
  acts.flatMap((act) => (act.kind === 'notice' ? [act.notice?.text ?? ''] : [])).join();

describe('the registry', () => {
  test('no name means two things', () => {
    const names = commands.flatMap(({ id, aliases }) => [id, ...aliases]);
    expect(new Set(names).size).toBe(names.length);
  });

  test('wherever one is, a key means one thing', () => {
    for (const scene of everyScene) {
      const keys = commands.filter(({ when }) => when(scene)).flatMap((command) => command.keys);
      const twice = keys.filter((key, index) => keys.indexOf(key) !== index);
      expect({ view: scene.view.kind, phase: scene.snapshot.phase.kind, twice }).toMatchObject({ twice: [] });
    }
  });

  test('the help lists every command, with its keys and why it cannot be done', () => {
    const help = helpOf(sceneOf(seedSnapshot));
    expect(help.map(({ name }) => name).sort()).toEqual(commands.map(({ id }) => id).sort());
    expect(help.find(({ name }) => name === 'approve')?.disabled).toBe('no plan waits for approval');
    expect(help.find(({ name }) => name === 'filter')?.disabled).toBeNull();
  });

  test('help and quit are always in the hint bar', () => {
    for (const scene of everyScene) {
      const hints = hintsOf(scene).map(({ text }) => text);
      expect(hints).toContain(scene.view.kind === 'help' ? 'close' : 'quit');
      if (scene.view.kind !== 'help') expect(hints).toContain('help');
    }
  });
});

describe('what cannot be done', () => {
  test('is shown as such and answers with its reason', () => {
    const scene = sceneOf(liveSnapshot);
    expect(hintsOf(scene).find(({ text }) => text === 'run')).toMatchObject({ disabled: true });
    expect(noticeOf(actsOfKey('r', scene))).toBe('run: a run is under way: 3 shows it');
  });

  test('a read-only screen refuses everything that changes anything', () => {
    const scene = sceneOf(waitingSnapshot, [inRun], { readonly: true });
    for (const key of ['u', 'r', 'D', 'R', 'a'])
      expect(noticeOf(actsOfKey(key, scene))).toContain('read-only');
    expect(noticeOf(actsOfCommandLine('deploy', scene))).toContain('read-only');
  });

  test('nothing is begun before the flake is evaluated', () => {
    expect(noticeOf(actsOfKey('r', sceneOf(emptySnapshot)))).toContain('not been evaluated yet');
  });

  test('a machine that could not be evaluated has no shell', () => {
    const scroll = { selected: 'what-are-the-civilian-applications', top: 0 };
    const scene = sceneOf(seedSnapshot, [{ kind: 'scroll', scroll }]);
    expect(noticeOf(actsOfKey('s', scene))).toContain('could not be evaluated');
  });
});

describe('the line after :', () => {
  const scene = sceneOf(seedSnapshot);

  test('a name may be shortened as long as it stays clear', () => {
    expect(actsOfCommandLine('seq', scene)).toEqual([{ kind: 'go', view: { kind: 'sequence' } }]);
    expect(noticeOf(actsOfCommandLine('sort', scene))).toContain('sort-drift, sort-generation');
  });

  test('a slip of the finger is answered with what was meant', () => {
    expect(noticeOf(actsOfCommandLine('rebot', scene))).toContain('did you mean "reboot"?');
    expect(noticeOf(actsOfCommandLine('qqqqqq', scene))).toContain('? lists them');
  });

  test('machines may follow, as selectors', () => {
    expect(actsOfCommandLine('reboot @infrastructure', scene)[0]).toMatchObject({
      intent: { kind: 'prepare', machines: ['grey-area', 'sleeper-service'] },
    });
    expect(noticeOf(actsOfCommandLine('reboot gray-area', scene))).toContain('did you mean "grey-area"');
    expect(actsOfCommandLine('details grey-area', scene).at(-1)).toMatchObject({
      view: { name: 'grey-area' },
    });
  });

  test('Tab completes names, then machines', () => {
    expect(completed('seq', scene)).toBe('sequence ');
    expect(completed('sort-', scene)).toBe('sort-');
    expect(completed('details gre', scene)).toBe('details grey-area ');
    expect(completed('reboot grey-area sle', scene)).toBe('reboot grey-area sleeper-service ');
    expect(completionsOf('sort-r', scene)).toEqual(['sort-reboot', 'sort-role']);
    expect(completed('nonsense', scene)).toBe('nonsense');
  });
});

describe('what a goal is for', () => {
  const prepared = (key: string, actions: readonly UiAction[] = []): unknown => {
    const [first] = actsOfKey(key, sceneOf(seedSnapshot, actions));
    return first?.kind === 'intent' && first.intent.kind === 'prepare' ? first.intent.machines : first;
  };
  const marks: UiAction = { kind: 'mark', names: ['grey-area', 'reverse-proxy'], on: true };

  test('the marked machines, wherever the cursor is', () => {
    for (const key of ['r', 'D', 'R']) expect(prepared(key, [marks])).toEqual(['grey-area', 'reverse-proxy']);
  });

  test('without marks: all for a run, the one under the cursor for a reboot', () => {
    expect(prepared('r')).toEqual([]);
    expect(prepared('R')).toEqual(['congenital-optimist']);
  });

  test('in the view of a machine: that machine', () => {
    const view = { kind: 'machine', name: 'grey-area', tab: 'overview' } as const;
    expect(prepared('D', [{ kind: 'go', view }])).toEqual(['grey-area']);
  });

  test('marks of machines that are gone count for nothing', () => {
    expect(prepared('r', [{ kind: 'mark', names: ['gone'], on: true }])).toEqual([]);
  });

  test('an update asks first, with the focus on Cancel', () => {
    const [first] = actsOfKey('u', sceneOf(seedSnapshot));
    expect(first).toMatchObject({ dialog: { focus: 0, choices: [{ label: 'Cancel' }, {}] } });
  });
});
