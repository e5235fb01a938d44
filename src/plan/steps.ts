import type { Machine } from '../fleet/machine.ts';
import type { ActivationMode } from '../ports.ts';
import type { Draft } from './draft.ts';
import { longestLookMs } from './longest-look.ts';
import { type Prior, type Step, stepId } from './plan.ts';

/** What a confirmation may lag behind the longest wait of its gate besides: a slow machine, and the way there. */
const confirmMarginMs = 60_000;

/** The gate before a machine is disturbed: what it needs and, in a rollback, what needs it. */
export const dependencySteps = (
  { name, dependencies }: Machine,
  suffix: string,
  neededBy: readonly string[],
): readonly Step[] =>
  dependencies.length === 0 && neededBy.length === 0
    ? []
    : [
        {
          id: stepId(name, 'dependencies', suffix),
          machine: name,
          kind: 'dependencies',
          needs: dependencies,
          ...(neededBy.length === 0 ? {} : { neededBy }),
        },
      ];

/** Down, up, and healthy again. */
export const rebootSteps = (
  machine: Machine,
  draft: Draft,
  delayMs: number,
  neededBy: readonly string[],
): readonly Step[] => {
  const { name } = machine;
  const { deadlines, stable } = machine.reboot;
  return [
    ...(delayMs > 0 ? [{ id: stepId(name, 'delay'), machine: name, kind: 'delay', delayMs } as const] : []),
    ...dependencySteps(machine, 'before-reboot', neededBy),
    { id: stepId(name, 'reboot'), machine: name, kind: 'reboot' },
    {
      id: stepId(name, 'await-boot'),
      machine: name,
      kind: 'await-boot',
      booted: draft.bootTarget,
      downMs: deadlines.down * 1_000,
      upMs: deadlines.up * 1_000,
    },
    {
      id: stepId(name, 'gate', 'after-reboot'),
      machine: name,
      kind: 'gate',
      after: 'reboot',
      current: draft.bootTarget,
      deadlineMs: deadlines.healthy * 1_000,
      stableMs: stable * 1_000,
    },
  ];
};

/** Each mode in turn; what goes live is gated and confirmed. */
export const activationSteps = (machine: Machine, draft: Draft): readonly Step[] => {
  const { name } = machine;
  const { wanted } = draft;
  if (wanted === null) return [];
  const deadlineMs = machine.reboot.deadlines.healthy * 1_000;
  const stableMs = machine.reboot.stable * 1_000;
  // The look that first passes may have begun when the deadline came, and the one that shows it to be stable when that did.
  const looksMs = 2 * longestLookMs(machine);
  return draft.modes.flatMap((mode): readonly Step[] => {
    const activate = {
      id: stepId(name, 'activate', mode),
      machine: name,
      kind: 'activate',
      toplevel: wanted,
      mode,
      ...(draft.generation === null || mode === 'test' ? {} : { generation: draft.generation }),
    } as const;
    if (mode === 'boot' || mode === 'dry-activate') return [activate];
    return [
      { ...activate, confirmWithinMs: deadlineMs + stableMs + confirmMarginMs + looksMs },
      {
        id: stepId(name, 'gate', 'after-activation'),
        machine: name,
        kind: 'gate',
        after: 'activation',
        current: wanted,
        deadlineMs,
        stableMs,
      },
      { id: stepId(name, 'confirm'), machine: name, kind: 'confirm', toplevel: wanted, mode },
    ];
  });
};

/** The way back, or null where nothing would be changed. */
export const restoreStep = (
  machine: Machine,
  prior: Prior,
  modes: readonly ActivationMode[],
): Step | null => {
  if (prior.current === null || modes.length === 0 || modes.includes('dry-activate')) return null;
  const onlyTest = modes.every((mode) => mode === 'test');
  return {
    id: stepId(machine.name, 'restore'),
    machine: machine.name,
    kind: 'restore',
    current: prior.current,
    profile: prior.profile,
    mode: onlyTest ? 'test' : 'switch',
    ...(prior.generation === null || prior.generation < 1 ? {} : { generation: prior.generation }),
  };
};
