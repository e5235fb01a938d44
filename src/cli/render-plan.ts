import type { PlanPackages } from '../flow/compare-plan.ts';
import { diffPieces } from '../plan/closure-words.ts';
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

/** Packages told by name, of each machine; `lab diff` names all. */
const namedMax = 5;
const lineCharsMax = 100;
/** Of one package: some are there in hundreds of versions. */
const pieceCharsMax = 80;

const cut = (text: string): string =>
  text.length > pieceCharsMax ? `${text.slice(0, pieceCharsMax - 1)}…` : text;

/** What an activation changes, on a few lines; nothing where that is not known. */
const packageLines = (name: string, packages: PlanPackages): readonly string[] => {
  const known = packages.get(name);
  if (known === undefined || !known.ok) return [];
  const lines: string[] = [];
  for (const piece of diffPieces(known.value, namedMax).map((text) => cut(sanitiseLine(text)))) {
    const last = lines.at(-1);
    if (last === undefined) lines.push(`       packages: ${piece}`);
    else if (last.length + 2 + piece.length <= lineCharsMax) lines.splice(-1, 1, `${last}, ${piece}`);
    else lines.splice(-1, 1, `${last},`, `         ${piece}`);
  }
  return lines.length === 0 ? ['       packages: all as they are'] : lines;
};

/** Of how many machines the packages are not told, and how to learn of them. */
const untoldLines = (packages: PlanPackages): readonly string[] => {
  const failures = [...packages.values()].flatMap((known) => (known.ok ? [] : [known.failure]));
  const [first] = failures;
  if (first === undefined) return [];
  const otherwise = failures.some(({ kind }) => kind !== 'not-built');
  const whose = `the packages of ${count(failures.length, 'machine')}`;
  return [
    '',
    otherwise
      ? `${sanitiseLine(failures.length === 1 ? first.message : `${whose} are not compared: ${first.message}`)}: \`lab diff\` names them.`
      : `What changes in ${whose} is not known before it is built: \`lab diff --build\` builds and compares.`,
  ];
};

const machineLines = (plan: Plan, entry: MachinePlan, packages: PlanPackages): readonly string[] => {
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
          ...packageLines(machine.name, packages),
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

/** The whole plan for people, wave by wave, nothing left out. `packages`: what is known of them, where somebody looked. */
export const planLines = (plan: Plan, packages: PlanPackages = new Map()): readonly string[] => {
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
      ...plan.machines
        .filter((entry) => entry.wave === wave)
        .flatMap((entry) => machineLines(plan, entry, packages)),
    ]),
    ...(plan.leftOut.length > 0 ? ['', 'Left out'] : []),
    ...plan.leftOut.flatMap(({ name, message, remedy }) => [
      `  ✖ ${name}: ${sanitiseLine(message)}`,
      `       → ${sanitiseLine(remedy)}`,
    ]),
    ...untoldLines(packages),
  ];
};
