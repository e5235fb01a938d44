import { goalWords } from '../../plan/goal-words.ts';
import { count, roughly } from '../../text/words.ts';
import { whyNotRollBack } from '../screen/hold.ts';
import { countPlan, namesToType, planSummary } from '../screen/plan.ts';
import type { Scene } from '../state/scene.ts';
import { type Dialog, intent, notice } from '../state/ui.ts';
import { busy, cancel, prepare } from './begin.ts';
import { type Command, command } from './command.ts';
import { retry, skip } from './steer-machine.ts';

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

const abortDialog: Dialog = {
  title: 'Abort the run?',
  body: [
    'The step under way is left as it is: nobody waits for its end, and its machine may be in between. A machine that watches over its own activation returns by itself.',
    'Stopping (x) lets the step end first, and is nearly always what you want.',
  ],
  choices: [
    { label: 'Keep running', danger: false, acts: [] },
    { label: 'Stop instead', danger: false, acts: [intent({ kind: 'stop' })] },
    { label: 'Abort', danger: true, acts: [intent({ kind: 'abort' })] },
  ],
  focus: 0,
  typed: null,
};

/** Approving and steering. */
export const steerCommands: readonly Command[] = [
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
    danger: 'changes',
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
    danger: 'changes',
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
    id: 'pause',
    aliases: ['unpause', 'continue'],
    group: 'Run',
    title: 'pause: no further step begins; again: it goes on',
    keys: ['z'],
    danger: 'changes',
    when: (scene) => inRunView(scene) && phaseIs('running')(scene),
    hint: ({ snapshot }) => ({ text: snapshot.run?.pausedBy == null ? 'pause' : 'go on', rank: 6 }),
    disabledReason: ({ snapshot: { phase } }) =>
      phase.kind !== 'running'
        ? 'no run is under way'
        : phase.stopRequested
          ? 'it is stopping: nothing more begins anyway'
          : null,
    run: ({ snapshot: { run } }) =>
      run?.pausedBy == null
        ? [
            intent({ kind: 'pause' }),
            notice('the step under way ends, then the run waits; z goes on', 'quiet'),
          ]
        : [intent({ kind: 'unpause' })],
  }),
  command({
    id: 'abort',
    group: 'Run',
    title: 'abort: leave the step under way as it is, and end at once',
    keys: ['X'],
    danger: 'changes',
    when: (scene) => inRunView(scene) && phaseIs('running')(scene),
    hint: () => ({ text: 'abort', rank: 60 }),
    disabledReason: (scene) => (phaseIs('running')(scene) ? null : 'no run is under way'),
    run: () => [{ kind: 'dialog', dialog: abortDialog }],
  }),
  skip,
  retry,
  command({
    id: 'roll-back-run',
    group: 'Run',
    title: 'return the machines of this run to what they ran before it; shows its plan first',
    keys: ['b'],
    danger: 'changes',
    when: (scene) => inRunView(scene) && phaseIs('ended', 'running')(scene),
    hint: ({ snapshot: { phase } }) => (phase.kind === 'ended' ? { text: 'roll back', rank: 9 } : null),
    disabledReason: (scene) => {
      const { run } = scene.snapshot;
      return busy(scene) ?? (run === null ? 'there is no run to take back' : whyNotRollBack(run));
    },
    run: ({ snapshot: { run } }) =>
      run === null ? [] : prepare({ kind: 'rollback', to: { kind: 'run', run: run.run }, reboot: true }, []),
  }),
  command({
    id: 'detach',
    group: 'Run',
    title: 'leave the screen; the run goes on, and `lab` shows it again',
    disabledReason: ({ snapshot: { demo, phase } }) =>
      phase.kind !== 'running'
        ? 'no run is under way'
        : demo
          ? 'the run of a demo lives in this process'
          : null,
    run: () => [intent({ kind: 'quit' })],
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
