import { goalWords } from '../plan/goal-words.ts';
import { overrideWords } from '../plan/override.ts';
import type { Goal, MachinePlan, Plan } from '../plan/plan.ts';
import { tellDelay } from '../run/telling.ts';
import { sanitiseLine } from '../text/sanitise.ts';
import { count, roughly, shortPath } from '../text/words.ts';
import { owedSince } from './render.ts';

const actLine = ({ activation, reboot }: MachinePlan, goal: Goal): string =>
  [
    ...(activation === null
      ? []
      : [
          activation.mode === 'dry-activate'
            ? 'dry activation'
            : `${goal.kind === 'rollback' ? 'back' : 'deploy'} (${activation.mode})`,
        ]),
    ...(reboot === null ? [] : ['reboot']),
  ].join(', then ') || 'nothing to do';

const machineLines = (plan: Plan, entry: MachinePlan): readonly string[] => {
  const { machine, decision, activation, reboot, prior, wanted, owed } = entry;
  const owedLine = owed === undefined ? [] : [`       ${owedSince(owed)}`];
  const head = (text: string): string => `  ${entry.position + 1}. ${machine.name}: ${text}`;
  if (decision.kind === 'skip')
    return [
      head('skipped'),
      `       ${sanitiseLine(decision.message)}`,
      `       → ${sanitiseLine(decision.remedy)}`,
      ...owedLine,
    ];
  const delay = tellDelay(plan, entry);
  const rebootLine =
    reboot === null
      ? entry.noRebootWhy === ''
        ? []
        : [
            `       reboot: ${entry.noRebootWhy.startsWith('not known') ? '' : 'no: '}${sanitiseLine(entry.noRebootWhy)}`,
          ]
      : [
          `       reboot: yes: ${reboot.why.map((reason) => sanitiseLine(reason)).join(', ')}`,
          ...(delay === null ? [] : [`       not before ${delay}`]),
        ];
  if (decision.kind === 'nothing')
    return [head(`nothing to do (${sanitiseLine(entry.noActivationWhy)})`), ...rebootLine, ...owedLine];
  const gate = entry.steps.find((step) => step.kind === 'dependencies');
  const neededBy = gate?.neededBy ?? [];
  return [
    head(actLine(entry, plan.goal)),
    ...(activation === null
      ? []
      : [
          `       ${shortPath(prior?.current ?? null)}`,
          `     → ${shortPath(wanted)}`,
          `       ${sanitiseLine(activation.why)}`,
        ]),
    ...rebootLine,
    ...owedLine,
    ...(entry.durations === undefined
      ? []
      : [`       expected: about ${roughly(entry.expectedMs)}, as past runs took`]),
    ...(machine.dependencies.length > 0
      ? [`       only while healthy: ${machine.dependencies.join(', ')}`]
      : []),
    ...(neededBy.length > 0
      ? [`       only after these, which need it, went back: ${neededBy.join(', ')}`]
      : []),
    `       a failure ${failureEffect(entry, plan.goal)} (criticality ${machine.orchestration.criticalityLevel})`,
  ];
};

const failureEffect = ({ machine }: MachinePlan, goal: Goal): string => {
  const skipped = goal.kind === 'rollback' ? 'what it needs stays as it is' : 'its dependents are skipped';
  switch (machine.orchestration.criticalityLevel) {
    case 'low':
      return `is noted; ${skipped}`;
    case 'medium':
      return `makes the run partial; ${skipped}`;
    case 'high':
      return 'halts the run';
    case 'critical':
      return 'halts the run and returns the machine to what it runs now';
    default:
      return machine.orchestration.criticalityLevel satisfies never;
  }
};

/** The whole plan for people, wave by wave, nothing left out. */
export const planLines = (plan: Plan): readonly string[] => {
  const acting = plan.machines.filter(({ decision }) => decision.kind === 'act').length;
  const waves = [...new Set(plan.machines.map(({ wave }) => wave))].sort((a, b) => a - b);
  return [
    `Plan ${plan.hash}: ${goalWords(plan.goal)}; ${acting} of ${count(plan.machines.length + plan.leftOut.length, 'machine')} to act on${
      acting > 0 ? `, about ${roughly(plan.expectedMs)}` : ''
    }`,
    ...(plan.overrides ?? []).map((override) => `! goes ahead in spite of ${overrideWords(override)}`),
    ...waves.flatMap((wave) => [
      '',
      `Wave ${wave + 1}`,
      ...plan.machines.filter((entry) => entry.wave === wave).flatMap((entry) => machineLines(plan, entry)),
    ]),
    ...(plan.leftOut.length > 0 ? ['', 'Left out'] : []),
    ...plan.leftOut.flatMap(({ name, message, remedy }) => [
      `  ✖ ${name}: ${sanitiseLine(message)}`,
      `       → ${sanitiseLine(remedy)}`,
    ]),
  ];
};
