import type { RunGoal } from '../plan/plan.ts';
import type { RunId, RunResult } from '../run/event.ts';
import { type MachineProgress, progressOf } from '../run/progress.ts';
import { reportOf } from '../run/report.ts';
import type { RunState } from '../run/state.ts';

/** A run of the journal in a few words: what lists of runs and of outcomes are made of. */
export type PastRun = {
  readonly run: RunId;
  readonly goal: RunGoal;
  readonly flake: string;
  readonly by: { readonly user: string; readonly host: string; readonly via: string };
  readonly startedAt: number;
  /** Null while it has not ended. */
  readonly endedAt: number | null;
  /** How long its plan waited for an answer, milliseconds; 0 while it has not ended. */
  readonly waitedMs: number;
  readonly result: RunResult | null;
  readonly reason: string;
  /** How many inputs of flake.lock it moved for good. */
  readonly inputsMoved: number;
  readonly machines: readonly PastMachine[];
};
export type PastMachine = {
  readonly name: string;
  readonly status: MachineProgress['status'] | 'left-out';
  readonly summary: string;
  readonly tookMs: number;
  readonly rebooted: boolean;
  readonly from: string | null;
  readonly to: string | null;
};

export const pastRunOf = (state: RunState): PastRun => {
  const report = reportOf(state);
  const machines: readonly PastMachine[] =
    report === null
      ? (state.plan?.machines ?? []).map((plan) => ({
          name: plan.machine.name,
          status: progressOf(state, plan).status,
          summary: '',
          tookMs: 0,
          rebooted: false,
          from: plan.prior?.current ?? null,
          to: plan.wanted,
        }))
      : [
          ...report.machines.map(({ machine, status, summary, tookMs, rebooted, from, to }) => ({
            name: machine,
            status,
            summary,
            tookMs,
            rebooted,
            from,
            to,
          })),
          ...report.leftOut.map(({ name, message }) => ({
            name,
            status: 'left-out' as const,
            summary: message,
            tookMs: 0,
            rebooted: false,
            from: null,
            to: null,
          })),
        ];
  return {
    run: state.run,
    goal: state.goal,
    flake: state.flake,
    by: { user: state.by.user, host: state.by.host, via: state.by.via },
    startedAt: state.startedAt,
    endedAt: state.ended?.at ?? null,
    waitedMs: report?.waitedMs ?? 0,
    result: state.ended?.result ?? null,
    reason: state.ended?.reason ?? '',
    inputsMoved: state.lock?.changes.length ?? 0,
    machines,
  };
};

/** What the latest run that did something with a machine made of it, by machine. `runs`: newest first. */
export const lastOutcomes = (
  runs: readonly PastRun[],
): ReadonlyMap<string, { readonly run: PastRun; readonly machine: PastMachine }> => {
  const outcomes = new Map<string, { readonly run: PastRun; readonly machine: PastMachine }>();
  for (const run of runs) {
    if (run.result === null || run.result === 'declined' || run.result === 'expired') continue;
    for (const machine of run.machines)
      if (!outcomes.has(machine.name)) outcomes.set(machine.name, { run, machine });
  }
  return outcomes;
};
