import { selectMachines } from '../../fleet/selector.ts';
import { goalWords } from '../../plan/goal-words.ts';
import type { Goal } from '../../plan/plan.ts';
import { count, roughly } from '../../text/words.ts';
import { countPlan, namesToType, planSummary } from '../screen/plan.ts';
import { underWay } from '../screen/words.ts';
import type { KeyName } from '../state/keys.ts';
import type { Scene } from '../state/scene.ts';
import { type Act, type Dialog, intent, notice } from '../state/ui.ts';
import { type Command, command } from './command.ts';

const busy = ({ snapshot }: Scene): string | null => {
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

const prepare = (goal: Goal, names: readonly string[]): readonly Act[] => [
  intent({ kind: 'prepare', goal, machines: names }),
  { kind: 'go', view: { kind: 'run' } },
];

const cancel = { label: 'Cancel', danger: false, acts: [] } as const;

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
}): Command =>
  command({
    id: given.id,
    aliases: given.aliases,
    group: 'Run',
    title: given.title,
    keys: [given.key],
    danger: 'changes',
    when: ({ view }) => view.kind !== 'help',
    hint: ({ view, snapshot }) =>
      view.kind === 'log' || view.kind === 'problems' || (view.kind === 'run' && underWay(snapshot))
        ? null
        : {
            text: given.text,
            rank: view.kind === 'run' && snapshot.phase.kind !== 'none' ? 90 + given.rank / 100 : given.rank,
          },
    disabledReason: busy,
    run: (scene, argument) => {
      const targets = targetsOf(scene, argument, given.fallback);
      if ('problem' in targets) return [notice(targets.problem)];
      return given.goal.kind === 'run' && given.goal.update
        ? [{ kind: 'dialog', dialog: updateDialog(given.goal, targets) }]
        : prepare(given.goal, targets.names);
    },
    completions: ({ rows }) => rows.map(({ name }) => name),
  });

const approvalDialog = (scene: Scene): Dialog | null => {
  const plan = scene.snapshot.run?.plan;
  if (plan == null) return null;
  const { rebooting, skipped } = countPlan(plan);
  const names = namesToType(plan);
  return {
    title: `Approve: ${goalWords(plan.goal)}`,
    body: [
      `${planSummary(plan)}; about ${roughly(plan.expectedMs)}.`,
      ...(skipped > 0
        ? [
            skipped === 1
              ? 'One machine is left as it is: the plan says why.'
              : `${skipped} machines are left as they are: the plan says why.`,
          ]
        : []),
      ...(names.length > 0 ? [`Critical: type ${names.join(', then ')} to go on.`] : []),
    ],
    choices: [
      cancel,
      {
        label: rebooting > 0 ? `Start: ${count(rebooting, 'reboot')}` : 'Start',
        danger: true,
        acts: [intent({ kind: 'approve' })],
      },
    ],
    focus: 0,
    typed: names.length > 0 ? { names, text: '' } : null,
  };
};

const stopDialog: Dialog = {
  title: 'Stop the run?',
  body: ['The steps under way end first, no other begins. Machines in between are reported as they are.'],
  choices: [
    { label: 'Keep running', danger: false, acts: [] },
    { label: 'Stop', danger: true, acts: [intent({ kind: 'stop' })] },
  ],
  focus: 0,
  typed: null,
};

const phaseIs =
  (...kinds: readonly Scene['snapshot']['phase']['kind'][]) =>
  ({ snapshot }: Scene): boolean =>
    kinds.includes(snapshot.phase.kind);

const inRunView = ({ view }: Scene): boolean => view.kind === 'run';

/** Beginning, approving, stopping. */
export const runCommands: readonly Command[] = [
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
  command({
    id: 'approve',
    group: 'Run',
    title: 'approve the plan that waits (asks once more)',
    keys: ['a', 'enter'],
    danger: 'changes',
    when: (scene) => inRunView(scene) && phaseIs('awaiting-approval')(scene),
    hint: () => ({ text: 'approve', rank: 5 }),
    disabledReason: (scene) => (phaseIs('awaiting-approval')(scene) ? null : 'no plan waits for approval'),
    run: (scene) => {
      const dialog = approvalDialog(scene);
      return dialog === null
        ? [notice('the plan is not here yet')]
        : [
            { kind: 'go', view: { kind: 'run' } },
            { kind: 'dialog', dialog },
          ];
    },
  }),
  command({
    id: 'discard',
    aliases: ['decline'],
    group: 'Run',
    title: 'discard the plan that waits; nothing was touched',
    keys: ['x'],
    when: (scene) => inRunView(scene) && phaseIs('awaiting-approval')(scene),
    hint: () => ({ text: 'discard', rank: 6 }),
    disabledReason: (scene) => (phaseIs('awaiting-approval')(scene) ? null : 'no plan waits for approval'),
    run: () => [intent({ kind: 'decline' }), notice('the plan was discarded', 'quiet')],
  }),
  command({
    id: 'stop',
    group: 'Run',
    title: 'stop gracefully: the steps under way end, no other begins',
    keys: ['x'],
    when: (scene) => inRunView(scene) && phaseIs('running', 'preparing')(scene),
    hint: () => ({ text: 'stop', rank: 5 }),
    disabledReason: ({ snapshot: { phase } }) => {
      if (phase.kind === 'running') return phase.stopRequested ? 'it is stopping already' : null;
      return phase.kind === 'preparing' ? null : 'no run is under way';
    },
    run: ({ snapshot: { phase } }) =>
      phase.kind === 'running'
        ? [{ kind: 'dialog', dialog: stopDialog }]
        : [intent({ kind: 'stop' }), notice('the preparation stops; no machine was touched', 'quiet')],
  }),
  command({
    id: 'dismiss',
    aliases: ['close'],
    group: 'Run',
    title: 'put the result away',
    keys: ['x'],
    when: (scene) => inRunView(scene) && phaseIs('ended', 'refused')(scene),
    hint: () => ({ text: 'put away', rank: 15 }),
    disabledReason: (scene) => (phaseIs('ended', 'refused')(scene) ? null : 'there is no result to put away'),
    run: () => [intent({ kind: 'dismiss' }), { kind: 'go', view: { kind: 'machines' } }],
  }),
];
