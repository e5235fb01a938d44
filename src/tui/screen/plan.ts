import { goalWords } from '../../plan/goal-words.ts';
import { overrideWords } from '../../plan/override.ts';
import type { MachinePlan, Plan } from '../../plan/plan.ts';
import type { LockChange, LockedRef } from '../../ports.ts';
import { tellDelay } from '../../run/telling.ts';
import { count, day, moment, roughly } from '../../text/words.ts';
import { blank, cellsOf, flowing, type Line, labelled, line, span } from '../draw/line.ts';
import type { Pen } from '../draw/pen.ts';
import type { Tone } from '../draw/theme.ts';
import { packageSummary } from './closure.ts';
import { type Pane, textPane } from './pane.ts';
import { heldBackLines, heldBackWords, type KnownOfPlan, nothingKnown } from './plan-known.ts';
import { closureWords } from './words.ts';

/** How many machines a plan acts on, and in which way. */
type PlanCounts = {
  readonly acting: number;
  readonly activating: number;
  readonly rebooting: number;
  readonly nothing: number;
  /** Skipped, and left out because they could not be evaluated. */
  readonly skipped: number;
};

export const countPlan = ({ machines, leftOut }: Plan): PlanCounts => {
  const acting = machines.filter(({ decision }) => decision.kind === 'act');
  return {
    acting: acting.length,
    activating: acting.filter(({ activation }) => activation !== null).length,
    rebooting: acting.filter(({ reboot }) => reboot !== null).length,
    nothing: machines.filter(({ decision }) => decision.kind === 'nothing').length,
    skipped: machines.filter(({ decision }) => decision.kind === 'skip').length + leftOut.length,
  };
};

/** Critical machines that this plan touches, in whatever way: their names have to be typed. */
export const namesToType = ({ machines }: Plan): readonly string[] =>
  machines
    .filter(
      ({ decision, machine }) =>
        decision.kind === 'act' && machine.orchestration.criticalityLevel === 'critical',
    )
    .map(({ machine }) => machine.name);

export const planSummary = (plan: Plan): string => {
  const { acting, activating, rebooting, nothing, skipped } = countPlan(plan);
  if (acting === 0) return 'nothing to do';
  return [
    ...(activating > 0 ? [`${activating} to activate`] : []),
    `${rebooting} to reboot`,
    ...(nothing > 0 ? [`${nothing} already as wanted`] : []),
    ...(skipped > 0 ? [`${skipped} skipped`] : []),
  ].join(', ');
};

const labelWidth = 17;

const fact = (label: string, text: string, tone: Tone, width: number, pen: Pen): readonly Line[] =>
  labelled(span(`     ${label}`, 'quiet'), labelWidth, pen.clean(text), tone, width - 1);

const ref = (locked: LockedRef | null): string =>
  locked === null ? 'none' : `${locked.rev?.slice(0, 8) ?? locked.url} (${day(locked.lastModified)})`;

const inputWidthMax = 32;

const lockLines = (changes: readonly LockChange[], width: number, pen: Pen): readonly Line[] =>
  changes.length === 0
    ? []
    : [
        blank,
        line(` flake.lock: ${count(changes.length, 'input')} moved`, 'title'),
        ...changes.flatMap(({ input, kind, from, to }) =>
          labelled(
            span(`   ${pen.clean(input)}  `, 'strong'),
            5 +
              Math.min(inputWidthMax, Math.max(...changes.map((change) => cellsOf(pen.clean(change.input))))),
            pen.clean(kind === 'removed' ? `removed (was ${ref(from)})` : `${ref(from)} → ${ref(to)}`),
            'plain',
            width - 1,
          ),
        ),
      ];

const failureWords: Record<MachinePlan['machine']['orchestration']['criticalityLevel'], string> = {
  low: 'is noted; machines that need it are skipped',
  medium: 'makes the run partial; machines that need it are skipped',
  high: 'halts the run',
  critical: 'halts the run and returns it to what it runs now',
};

const actLines = (
  plan: Plan,
  entry: MachinePlan,
  width: number,
  pen: Pen,
  known: KnownOfPlan,
): readonly Line[] => {
  const { activation, reboot, prior, wanted, machine, contingent } = entry;
  const told = tellDelay(plan, entry);
  const delay = told === null ? '' : `, ${told}`;
  return [
    ...(activation === null
      ? fact('activate', `no: ${entry.noActivationWhy}`, 'quiet', width, pen)
      : [
          ...fact('activate', `${activation.mode}: ${activation.why}`, 'plain', width, pen),
          ...fact(
            '',
            `${closureWords(prior?.current ?? null, machine.name)} → ${closureWords(wanted, machine.name)}`,
            'quiet',
            width,
            pen,
          ),
          ...packageSummary(entry, known.diffs).flatMap(({ text, tone }) =>
            fact('packages', text, tone, width, pen),
          ),
        ]),
    ...(reboot === null
      ? fact(
          'reboot',
          contingent.length > 0
            ? `no, unless the activation asks for it: ${entry.noRebootWhy}`
            : `no: ${entry.noRebootWhy}`,
          'quiet',
          width,
          pen,
        )
      : fact('reboot', `${reboot.why.join(', ')}${delay}`, 'warn', width, pen)),
    ...(machine.dependencies.length === 0
      ? []
      : fact(
          'only while',
          `${machine.dependencies.join(', ')} ${machine.dependencies.length === 1 ? 'is' : 'are'} healthy`,
          'plain',
          width,
          pen,
        )),
    ...fact('a failure', failureWords[machine.orchestration.criticalityLevel], 'quiet', width, pen),
  ];
};

const machineLines = (
  plan: Plan,
  entry: MachinePlan,
  width: number,
  pen: Pen,
  known: KnownOfPlan,
): readonly Line[] => {
  const { machine, decision, position, expectedMs } = entry;
  const { glyphs } = pen;
  const number = `${String(position + 1).padStart(2)}.`;
  const title = (glyph: string, tone: Tone, what: string): readonly Line[] =>
    flowing(
      [
        span(` ${number}`, 'quiet'),
        span(` ${glyph}`, tone),
        span(` ${machine.name}`, 'strong'),
        span(`  ${pen.clean(what)}`, tone),
      ],
      width - 1,
      5,
    );
  switch (decision.kind) {
    case 'skip':
      return [
        ...title(glyphs.bad, 'bad', 'skipped'),
        ...fact('because', decision.message, 'bad', width, pen),
        ...fact('what to do', decision.remedy, 'plain', width, pen),
      ];
    // Told together, below what is done.
    case 'nothing':
      return [];
    case 'act': {
      const acts = [
        ...(entry.activation === null ? [] : ['activate']),
        ...(entry.reboot === null ? [] : ['reboot']),
      ].join(' and ');
      return [
        ...title(glyphs.pointer, 'accent', `${acts}, about ${roughly(expectedMs)}`),
        ...actLines(plan, entry, width, pen, known),
        ...heldBackLines(known.look?.machines.get(machine.name)).flatMap(({ label, text, tone }) =>
          fact(label, text, tone, width, pen),
        ),
      ];
    }
    default:
      return decision satisfies never;
  }
};

/** Machines that nothing is done to, by the reason: what is done has the first place. */
const idleLines = ({ machines }: Plan, width: number, pen: Pen): readonly Line[] => {
  const byReason = new Map<string, readonly string[]>();
  for (const { decision, machine, noActivationWhy, noRebootWhy } of machines) {
    if (decision.kind !== 'nothing') continue;
    const reason = [noActivationWhy, noRebootWhy].filter((why) => why !== '').join('; ');
    byReason.set(reason, [...(byReason.get(reason) ?? []), machine.name]);
  }
  return [...byReason].flatMap(([reason, names]) => [
    ...labelled(span(`   ${pen.glyphs.good} `, 'quiet'), 5, names.join(', '), 'strong', width - 1),
    ...fact('because', reason, 'quiet', width, pen),
  ]);
};

/** The whole plan as text: everything that will happen, and what will not, with the reasons. */
export const planLines = (
  plan: Plan,
  lockChanges: readonly LockChange[],
  remarks: readonly string[],
  width: number,
  pen: Pen,
  known: KnownOfPlan = nothingKnown,
): readonly Line[] => {
  const concerned = plan.machines.filter(({ decision }) => decision.kind !== 'nothing');
  const waves = [...new Set(concerned.map(({ wave }) => wave))].sort((a, b) => a - b);
  const idle = idleLines(plan, width, pen);
  const told = [
    ...(plan.overrides ?? []).map((override) => `goes ahead in spite of ${overrideWords(override)}`),
    ...remarks,
  ];
  return [
    ...lockLines(lockChanges, width, pen),
    ...(told.length === 0 ? [] : [blank, line(' Worth knowing', 'title')]),
    ...told.flatMap((text) =>
      labelled(span(`   ${pen.glyphs.warn} `, 'warn'), 5, pen.clean(text), 'warn', width - 1),
    ),
    ...waves.flatMap((wave) => [
      blank,
      line(` Wave ${wave + 1}`, 'title'),
      ...plan.machines
        .filter((entry) => entry.wave === wave)
        .flatMap((entry) => machineLines(plan, entry, width, pen, known)),
    ]),
    ...(idle.length === 0 ? [] : [blank, line(' Nothing to do', 'title'), ...idle]),
    ...(plan.leftOut.length === 0 ? [] : [blank, line(' Left out', 'title')]),
    ...plan.leftOut.flatMap(({ name, message, remedy }) => [
      ...flowing(
        [span(`     ${pen.glyphs.bad}`, 'bad'), span(` ${pen.clean(name)}`, 'strong')],
        width - 1,
        5,
      ),
      ...fact('because', message, 'bad', width, pen),
      ...fact('what to do', remedy, 'plain', width, pen),
    ]),
  ];
};

/** The plan that waits for yes or no. `remarks`: what is worth knowing before the answer. */
export const planPane = (
  plan: Plan,
  lockChanges: readonly LockChange[],
  remarks: readonly string[],
  width: number,
  pen: Pen,
  known: KnownOfPlan = nothingKnown,
): Pane => {
  const { acting } = countPlan(plan);
  const total = plan.machines.length + plan.leftOut.length;
  return {
    ...textPane([
      ...labelled(
        span('   '),
        3,
        pen.clean(
          `${planSummary(plan)}. No machine is touched yet.${known.answerBy === null ? '' : ` It waits for your answer until ${moment(known.answerBy).slice(11, 16)}.`}`,
        ),
        acting === 0 ? 'quiet' : 'plain',
        width - 1,
      ),
      ...heldBackWords(known).flatMap(({ text, tone }) =>
        labelled(span('   '), 3, pen.clean(text), tone, width - 1),
      ),
      ...planLines(plan, lockChanges, remarks, width, pen, known),
    ]),
    head: [
      ...flowing(
        [
          span(` Plan: ${goalWords(plan.goal)}`, 'strong'),
          span(
            `  ${acting} of ${count(total, 'machine')}${acting === 0 ? '' : `, about ${roughly(plan.expectedMs)}`}`,
            'plain',
          ),
          // Nobody reads it on a telephone, and lines are dear there.
          span(width < 70 ? '' : `  ${plan.hash}`, 'quiet'),
        ],
        width - 1,
        2,
      ),
    ],
  };
};
