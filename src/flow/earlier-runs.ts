import { fail, ok, type Result } from '../failure.ts';
import type { HealthCheck, Machine } from '../fleet/machine.ts';
import type { Journal } from '../journal/journal.ts';
import type { Plan } from '../plan/plan.ts';
import { RunId } from '../run/event.ts';
import { labPlace } from '../run/recollection.ts';
import { type RunState, replayIfPossible } from '../run/state.ts';

/** What the journal holds of earlier runs of one flake: where machines can be returned to, and how they are reached. */
export type EarlierRuns = {
  /** Fails where no such run is recorded, where it is of another flake, and where its history cannot be read. */
  runOf(run: string): Result<RunState>;
  /** The latest plans that were made and approved, the newest first. None where the journal cannot be read. */
  plans(): readonly EarlierPlan[];
};
export type EarlierPlan = { readonly run: RunId; readonly plan: Plan };

/** How many runs are looked through. */
const runsMax = 40;

const refuse = (message: string, remedy: string): Result<never> =>
  fail({ kind: 'usage', machine: null, phase: 'rollback', message, remedy });
const listed = '`lab journal --runs` lists them';

/** `openJournal` gives null where there is none yet. `cwd`: the folder that `flake` is named from. */
export const earlierRunsIn = (
  openJournal: () => Result<Journal | null>,
  flake: string,
  cwd: string,
): EarlierRuns => {
  const own = labPlace(flake, cwd);
  return {
    runOf: (text) => {
      const id = RunId.safeParse(text);
      if (!id.success) return refuse(`"${text.slice(0, 60)}" is not the id of a run`, listed);
      const journal = openJournal();
      if (!journal.ok) return journal;
      const events = journal.value?.eventsOf(id.data) ?? [];
      if (events.length === 0) return refuse(`no run "${id.data}" is recorded`, listed);
      const state = replayIfPossible(events);
      if (state === null)
        return refuse(
          `what is recorded of run ${id.data} cannot be, so nothing is done by it`,
          '`lab rollback MACHINE --to NUMBER` returns machines one by one',
        );
      const other = labPlace(state.flake, state.opened.cwd);
      return other === own
        ? ok(state)
        : refuse(`run ${id.data} was of the flake ${other}, not of ${own}`, `give --flake ${other}`);
    },
    plans: () => {
      const opened = openJournal();
      const journal = opened.ok ? opened.value : null;
      if (journal === null) return [];
      return journal.runs(runsMax).flatMap(({ run }): readonly EarlierPlan[] => {
        const state = replayIfPossible(journal.eventsOf(run));
        if (state?.plan == null || state.approvedAt === null) return [];
        return labPlace(state.flake, state.opened.cwd) === own ? [{ run, plan: state.plan }] : [];
      });
    },
  };
};

/** Every machine that these plans know, as the first of them has it. */
export const machinesIn = (plans: readonly Plan[]): readonly Machine[] => {
  const known = new Map<string, Machine>();
  for (const { machines, bystanders } of plans)
    for (const { machine } of [...machines, ...bystanders])
      if (!known.has(machine.name)) known.set(machine.name, machine);
  return [...known.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
};

/** The checks that came with a toplevel: those of the latest run that brought a machine to it. */
export const checksWith = (
  plans: readonly EarlierPlan[],
  machine: string,
  toplevel: string,
): { readonly run: RunId; readonly checks: readonly HealthCheck[] } | null => {
  for (const { run, plan } of plans) {
    const entry = plan.machines.find((each) => each.machine.name === machine);
    if (entry?.wanted === toplevel) return { run, checks: entry.machine.healthChecks };
  }
  return null;
};

/** The latest run that wanted this toplevel on the machine, or null. */
export const runThatBrought = (
  plans: readonly EarlierPlan[],
  machine: string,
  toplevel: string | null,
): RunId | null => (toplevel === null ? null : (checksWith(plans, machine, toplevel)?.run ?? null));
