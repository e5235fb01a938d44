import { lookOfPlan } from '../../flow/session-blockers.ts';
import { blockerKinds } from '../../plan/blocker-kinds.ts';
import {
  type Override,
  overridesFit,
  overrideWords,
  parseOverrides,
  sameOverride,
} from '../../plan/override.ts';
import { overridesNamed } from '../../run/blockers.ts';
import { reportOf } from '../../run/report.ts';
import type { Scene } from '../state/scene.ts';
import { type Act, type Dialog, intent, notice } from '../state/ui.ts';
import { cancel } from './begin.ts';
import { type Command, command } from './command.ts';

/** Going ahead in spite of what holds machines back: chosen from a list, or named as on the command line. */

type Offer = { readonly override: Override; readonly reason: string };

/** Of the plan that waits: what was seen to hold its machines back. Of a run that has ended: what did. */
const offersIn = ({ snapshot }: Scene): readonly Offer[] => {
  const { phase, run } = snapshot;
  if (phase.kind === 'awaiting-approval')
    return [...(lookOfPlan(snapshot)?.machines ?? [])].flatMap(([machine, held]) =>
      held.kind === 'unknown'
        ? []
        : held.standing
            .filter(({ overridable }) => overridable)
            .map(({ kind, reason }) => ({ override: { machine, blocker: kind }, reason })),
    );
  if (phase.kind !== 'ended' || run?.ended == null) return [];
  return (reportOf(run)?.machines ?? []).flatMap(({ failure }) =>
    failure === null
      ? []
      : overridesNamed(failure).map((override) => ({ override, reason: failure.message })),
  );
};

const replan = (overrides: readonly Override[]): readonly Act[] => [
  intent({ kind: 'replan', overrides }),
  { kind: 'go', view: { kind: 'run' } },
  notice(`planning anew, in spite of ${overrides.map(overrideWords).join(', ')}`, 'quiet'),
];

/** More would push the choices out of a small terminal; the others can be named after `:`. */
const choicesMax = 4;

const overrideDialog = (offers: readonly Offer[], waits: boolean): Dialog => {
  const single = offers.slice(0, choicesMax).map(({ override }) => ({
    label: `${override.machine ?? 'all'}: ${override.blocker}`,
    danger: true,
    acts: replan([override]),
  }));
  const all = { label: 'All of these', danger: true, acts: replan(offers.map(({ override }) => override)) };
  return {
    title: 'Go ahead in spite of what?',
    body: [
      `${waits ? 'This plan is discarded, and it' : 'The run'} is planned anew with your choice written into it. Nothing is done before you approve that plan.`,
      ...offers.map(({ override, reason }) => `${override.machine}: ${override.blocker}: ${reason}`),
      ...(offers.length > choicesMax ? [`:override MACHINE:BLOCKER names any of the ${offers.length}.`] : []),
    ],
    choices: [cancel, ...single, ...(offers.length > 1 ? [all] : [])],
    focus: 0,
    typed: null,
  };
};

const typedOverrides = (scene: Scene, argument: string): readonly Act[] => {
  const parsed = parseOverrides(argument.split(/\s+/u));
  if (!parsed.ok) return [notice(`${parsed.failure.message}; ${parsed.failure.remedy}`)];
  const plan = scene.snapshot.run?.plan;
  const fit = overridesFit(parsed.value, plan?.machines.map(({ machine }) => machine.name) ?? []);
  if (!fit.ok) return [notice(`${fit.failure.message}; ${fit.failure.remedy}`)];
  const fresh = parsed.value.filter(
    (one) => !(plan?.overrides ?? []).some((known) => sameOverride(one, known)),
  );
  return fresh.length === 0 ? [notice('the plan goes ahead in spite of that already')] : replan(fresh);
};

const whyNot = (scene: Scene): string | null => {
  const { phase, run } = scene.snapshot;
  if (run?.plan == null) return 'there is no plan';
  if (phase.kind === 'awaiting-approval') return null;
  if (phase.kind !== 'ended') return 'no plan waits for your answer';
  return offersIn(scene).length > 0 ? null : 'nothing that can be overridden held a machine back';
};

export const overrideCommands: readonly Command[] = [
  command({
    id: 'override',
    aliases: ['in-spite-of'],
    group: 'Run',
    title: 'plan anew, going ahead in spite of what holds machines back (no room, somebody logged in …)',
    keys: ['o'],
    danger: 'changes',
    when: ({ view, snapshot: { phase } }) =>
      view.kind === 'run' && (phase.kind === 'awaiting-approval' || phase.kind === 'ended'),
    hint: (scene) => (offersIn(scene).length > 0 ? { text: 'in spite of it', rank: 5.5 } : null),
    disabledReason: whyNot,
    run: (scene, argument) => {
      if (argument !== '') return typedOverrides(scene, argument);
      const offers = offersIn(scene);
      if (offers.length > 0)
        return [
          { kind: 'go', view: { kind: 'run' } },
          {
            kind: 'dialog',
            dialog: overrideDialog(offers, scene.snapshot.phase.kind === 'awaiting-approval'),
          },
        ];
      return [
        notice(
          lookOfPlan(scene.snapshot)?.looking !== false
            ? 'the machines are still being looked at'
            : 'nothing that can be overridden holds a machine back now; :override MACHINE:BLOCKER names what may come',
        ),
      ];
    },
    completions: (scene) => [
      ...offersIn(scene).map(({ override }) => `${override.machine}:${override.blocker}`),
      ...blockerKinds,
    ],
  }),
];
