import type { SteerAsk } from '../../run/event.ts';
import type { RunState } from '../../run/state.ts';
import { namesFor } from '../../run/steer.ts';
import { triedAgainWith } from '../../run/steered.ts';
import { goesOnFromHere } from '../screen/hold.ts';
import { retryWords, type Steerable, skipWords, steerable } from '../screen/steerable.ts';
import type { Scene } from '../state/scene.ts';
import { type Act, type Dialog, intent, notice } from '../state/ui.ts';
import { cancel } from './begin.ts';
import { type Command, command } from './command.ts';

/** One machine of a run: left out, or tried again. Of a run under way, and of one that has ended. */

const isOn = ({ view, snapshot: { phase } }: Scene): boolean =>
  view.kind === 'run' && (phase.kind === 'running' || phase.kind === 'ended');

const chosen = (
  { snapshot: { phase, run }, machine }: Scene,
  what: SteerAsk['what'],
  argument = '',
): Steerable =>
  run === null || (phase.kind !== 'running' && phase.kind !== 'ended')
    ? { machine: null, not: 'there is no run on show' }
    : steerable(run, what, argument === '' ? machine : argument);

const ended = ({ snapshot: { phase } }: Scene): boolean => phase.kind === 'ended';

const machinesOf = ({ snapshot: { run } }: Scene): readonly string[] =>
  (run?.plan?.machines ?? []).map(({ machine }) => machine.name);

const capital = (text: string): string => `${text.slice(0, 1).toUpperCase()}${text.slice(1)}.`;

const steerDialog = (scene: Scene, run: RunState, { what, machine }: SteerAsk): Dialog => {
  const names = namesFor(run, { what, machine });
  const along =
    what === 'skip'
      ? []
      : triedAgainWith(run, machine).flatMap(({ machine: { name } }) => (name === machine ? [] : [name]));
  return {
    title: what === 'skip' ? `Leave ${machine} out?` : `Try ${machine} again?`,
    body: [
      what === 'retry' ? capital(retryWords(run, machine)) : `The run ${skipWords(machine)}.`,
      ended(scene)
        ? 'The run is taken up again, and goes on with what is left of its plan, as it was approved.'
        : what === 'skip'
          ? 'None of its steps begins; a look, a copy or a delay under way is given up at once.'
          : 'It waits until what is on its way has come to its end.',
      ...(along.length === 0 ? [] : [`With it ${along.join(', ')}, skipped because of it.`]),
      ...(names.length === 0 ? [] : [`Critical: type ${names.join(', then ')} to go on.`]),
    ],
    choices: [
      cancel,
      {
        label: what === 'skip' ? 'Leave it out' : 'Try again',
        danger: true,
        acts: [
          intent({ kind: 'steer', what, machine }),
          notice(`asked: ${what} ${machine}; the log (4) tells the answer`, 'quiet'),
        ],
      },
    ],
    focus: 0,
    typed: names.length === 0 ? null : { names, text: '' },
  };
};

const asks =
  (what: SteerAsk['what']) =>
  (scene: Scene, argument: string): readonly Act[] => {
    const { machine } = chosen(scene, what, argument);
    const { run } = scene.snapshot;
    return run === null || machine === null
      ? []
      : [
          { kind: 'go', view: { kind: 'run' } },
          { kind: 'dialog', dialog: steerDialog(scene, run, { what, machine }) },
        ];
  };

export const skip: Command = command({
  id: 'skip',
  aliases: ['leave-out'],
  group: 'Run',
  title: 'leave the machine under the cursor out of the run, and go on without it',
  keys: ['K'],
  danger: 'changes',
  when: isOn,
  hint: (scene) =>
    ended(scene) && chosen(scene, 'skip').not === null ? { text: 'skip and go on', rank: 9 } : null,
  disabledReason: (scene, argument) => chosen(scene, 'skip', argument).not,
  run: asks('skip'),
  completions: machinesOf,
});

/** A run that was interrupted, or whose process died, goes on as a whole. */
const takesUp = ({ snapshot: { phase, run } }: Scene): boolean =>
  run !== null &&
  ((phase.kind === 'ended' && goesOnFromHere(run)) ||
    (phase.kind === 'refused' && phase.failure.kind === 'died'));

export const retry: Command = command({
  id: 'retry',
  aliases: ['take-up'],
  group: 'Run',
  title: 'try again what failed, and go on; take up a run that was interrupted',
  keys: ['t'],
  danger: 'changes',
  when: (scene) => isOn(scene) || (scene.view.kind === 'run' && scene.snapshot.phase.kind === 'refused'),
  hint: (scene) =>
    takesUp(scene)
      ? { text: 'take up', rank: 8 }
      : chosen(scene, 'retry').not === null
        ? { text: 'try again', rank: 8 }
        : null,
  disabledReason: (scene, argument) => {
    if (takesUp(scene) && argument === '') return null;
    return scene.snapshot.phase.kind === 'refused' ? 'it never began' : chosen(scene, 'retry', argument).not;
  },
  run: (scene, argument) => {
    const { run } = scene.snapshot;
    return run !== null && takesUp(scene) && argument === ''
      ? [intent({ kind: 'resume', run: run.run })]
      : asks('retry')(scene, argument);
  },
  completions: machinesOf,
});
