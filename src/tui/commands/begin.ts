import { selectMachines } from '../../fleet/selector.ts';
import type { Goal } from '../../plan/plan.ts';
import { count } from '../../text/words.ts';
import { selectedKey } from '../screen/pane.ts';
import { underWay } from '../screen/words.ts';
import type { KeyName } from '../state/keys.ts';
import type { Scene } from '../state/scene.ts';
import { type Act, type Dialog, intent, notice } from '../state/ui.ts';
import { type Command, command } from './command.ts';

/** Why nothing can be begun now; null when something can. */
export const busy = ({ snapshot }: Scene): string | null => {
  if (snapshot.evaluation.value === null) return 'the flake has not been evaluated yet';
  switch (snapshot.phase.kind) {
    case 'preparing':
      return 'a run is being prepared: 3 shows it';
    case 'awaiting-approval':
      return 'a plan waits for your yes or no: 3 shows it';
    case 'running':
      return 'a run is under way: 3 shows it';
    case 'none':
    case 'ended':
    case 'refused':
      return null;
    default:
      return snapshot.phase satisfies never;
  }
};

type Targets = { readonly names: readonly string[]; readonly words: string };

/** What a goal is for: what stands after the name; else the marked machines; else the one on show; else `fallback`. */
const targetsOf = (
  scene: Scene,
  argument: string,
  fallback: 'all' | 'cursor',
): Targets | { problem: string } => {
  const { ui, rows, view, machine, snapshot } = scene;
  const fleet = snapshot.evaluation.value?.fleet;
  if (argument !== '' && fleet !== undefined) {
    const chosen = selectMachines(fleet, argument.split(/\s+/u));
    if (!chosen.ok) return { problem: `${chosen.failure.message}; ${chosen.failure.remedy}` };
    return {
      names: chosen.value,
      words: chosen.value.length === 1 ? (chosen.value[0] ?? '') : count(chosen.value.length, 'machine'),
    };
  }
  const marked = rows.map(({ name }) => name).filter((name) => ui.marked.has(name));
  if (marked.length > 0)
    return {
      names: marked,
      words: marked.length === 1 ? (marked[0] ?? '') : `${marked.length} marked machines`,
    };
  if (machine !== null && (fallback === 'cursor' || view.kind === 'machine'))
    return { names: [machine], words: machine };
  if (fallback === 'cursor') return { problem: 'mark machines, or put the cursor on one' };
  return { names: [], words: `all ${count(rows.length, 'machine')}` };
};

export const prepare = (goal: Goal, names: readonly string[]): readonly Act[] => [
  intent({ kind: 'prepare', goal, machines: names }),
  { kind: 'go', view: { kind: 'run' } },
];

export const cancel = { label: 'Cancel', danger: false, acts: [] } as const;

const updateDialog = (goal: Goal, targets: Targets): Dialog => ({
  title: 'Update and full run',
  body: [
    `The inputs in flake.lock move to their newest versions, every system is built, and a plan is made for ${targets.words}.`,
    'No machine is touched before you approve that plan; if you discard it, flake.lock is put back.',
  ],
  choices: [cancel, { label: 'Update and prepare', danger: false, acts: prepare(goal, targets.names) }],
  focus: 0,
  typed: null,
});

const starter = (given: {
  readonly id: string;
  readonly aliases: readonly string[];
  readonly key: KeyName;
  readonly title: string;
  readonly text: string;
  readonly rank: number;
  readonly goal: Goal;
  readonly fallback: 'all' | 'cursor';
  /** What speaks against it besides another run; null for nothing. It is then not worth a hint either. */
  readonly without?: (scene: Scene) => string | null;
}): Command =>
  command({
    id: given.id,
    aliases: given.aliases,
    group: 'Run',
    title: given.title,
    keys: [given.key],
    danger: 'changes',
    when: ({ view }) => view.kind !== 'help',
    hint: (scene) => {
      const { view, snapshot } = scene;
      return view.kind === 'log' ||
        view.kind === 'problems' ||
        (view.kind === 'run' && underWay(snapshot)) ||
        given.without?.(scene) != null
        ? null
        : {
            text: given.text,
            // Behind a run that has ended, a new one is the first thing wanted, and the others the last.
            rank:
              view.kind !== 'run' || snapshot.phase.kind === 'none'
                ? given.rank
                : given.id === 'run'
                  ? 12
                  : 90 + given.rank / 100,
          };
    },
    disabledReason: (scene) => busy(scene) ?? given.without?.(scene) ?? null,
    run: (scene, argument) => {
      const targets = targetsOf(scene, argument, given.fallback);
      if ('problem' in targets) return [notice(targets.problem)];
      return given.goal.kind === 'run' && given.goal.update
        ? [{ kind: 'dialog', dialog: updateDialog(given.goal, targets) }]
        : prepare(given.goal, targets.names);
    },
    completions: ({ rows }) => rows.map(({ name }) => name),
  });

const rollBack: Goal = { kind: 'rollback', to: { kind: 'previous' }, reboot: true };

/** To the generation under the cursor, where generations are on show; else to the one before. */
const rollBackCommand = command({
  id: 'roll-back',
  aliases: ['rollback'],
  group: 'Run',
  title:
    'back to the generation under the cursor, or to the previous one; of the marked machines or this one',
  keys: ['b'],
  danger: 'changes',
  when: ({ view, machine }) =>
    machine !== null && (view.kind === 'machines' || view.kind === 'machine' || view.kind === 'sequence'),
  hint: ({ view }) =>
    view.kind === 'machine' && view.tab === 'generations' ? { text: 'roll back to it', rank: 5 } : null,
  disabledReason: (scene) => busy(scene) ?? isRunning(scene),
  run: (scene, argument) => {
    const { view, pane, scroll, machine } = scene;
    const number = view.kind === 'machine' && view.tab === 'generations' ? selectedKey(pane, scroll) : null;
    if (number !== null && machine !== null && argument === '')
      return prepare({ ...rollBack, to: { kind: 'generation', number: Number(number) } }, [machine]);
    const targets = targetsOf(scene, argument, 'cursor');
    return 'problem' in targets ? [notice(targets.problem)] : prepare(rollBack, targets.names);
  },
  completions: ({ rows }) => rows.map(({ name }) => name),
});

/** The generation under the cursor is the one that runs: there is nothing to go back to. */
const isRunning = ({ view, pane, scroll, snapshot, machine }: Scene): string | null => {
  if (view.kind !== 'machine' || view.tab !== 'generations' || machine === null) return null;
  const number = selectedKey(pane, scroll);
  const generation = snapshot.generations.get(machine)?.value?.find((one) => String(one.number) === number);
  if (generation === undefined) return 'its generations are not known yet';
  return generation.isCurrent && generation.isDefault
    ? `generation ${number} runs, and boots next, already`
    : null;
};

const nothingOwed = ({ rows }: Scene): string | null =>
  rows.some(({ debt }) => debt.text !== '') ? null : 'nothing is owed: no past run left anything undone';

/** Beginning. */
export const beginCommands: readonly Command[] = [
  starter({
    id: 'run',
    aliases: ['full-run'],
    key: 'r',
    title: 'full run: build, deploy, reboot what needs it; of the marked machines or all',
    text: 'run',
    rank: 20,
    goal: { kind: 'run', update: false },
    fallback: 'all',
  }),
  starter({
    id: 'update-run',
    aliases: ['update', 'upgrade'],
    key: 'u',
    title: 'the same after updating flake.lock',
    text: 'update',
    rank: 25,
    goal: { kind: 'run', update: true },
    fallback: 'all',
  }),
  starter({
    id: 'deploy',
    aliases: ['deploy-all'],
    key: 'D',
    title: 'build and deploy by each strategy, without rebooting; of the marked machines or all',
    text: 'deploy',
    rank: 30,
    goal: { kind: 'deploy', mode: 'strategy' },
    fallback: 'all',
  }),
  starter({
    id: 'reboot',
    aliases: [],
    key: 'R',
    title: 'reboot the marked machines, or the one under the cursor',
    text: 'reboot',
    rank: 35,
    goal: { kind: 'reboot', which: 'all' },
    fallback: 'cursor',
  }),
  rollBackCommand,
  starter({
    id: 'catch-up',
    aliases: ['catchup', 'owed'],
    key: 'C',
    title: 'what past runs left undone on machines that were away; of the marked machines or all',
    text: 'catch up',
    rank: 27,
    goal: { kind: 'run', update: false, catchUp: true },
    fallback: 'all',
    without: nothingOwed,
  }),
];
