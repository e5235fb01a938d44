import { fail, ok, type Result } from '../failure.ts';
import type { HealthCheck, Machine } from '../fleet/machine.ts';
import { type Journal, JournalFailure, type RunSummary } from '../journal/journal.ts';
import type { Plan } from '../plan/plan.ts';
import { type RunEvent, RunId } from '../run/event.ts';
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
/** Within so many events nearly every run has its plan approved. */
const earlyMax = 400;

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
  /** Reads of the journal. What is damaged is a failure, and none is made where nothing is yet. */
  const read = <T>(none: T, look: (journal: Journal) => T): Result<T> => {
    const opened = openJournal();
    if (!opened.ok) return opened;
    try {
      return ok(opened.value === null ? none : look(opened.value));
    } catch (error) {
      if (!(error instanceof JournalFailure)) throw error;
      const { message, remedy } = error;
      return fail({ kind: 'journal', machine: null, phase: 'journal', message, remedy });
    }
  };
  return {
    runOf: (text) => {
      const id = RunId.safeParse(text);
      if (!id.success) return refuse(`"${text.slice(0, 60)}" is not the id of a run`, listed);
      const run = id.data;
      const events = read<readonly RunEvent[]>([], (journal) => journal.eventsOf(run));
      if (!events.ok) return events;
      if (events.value.length === 0) return refuse(`no run "${run}" is recorded`, listed);
      const state = replayIfPossible(events.value);
      if (state === null)
        return refuse(
          `what is recorded of run ${run} cannot be, so nothing is done by it`,
          '`lab rollback MACHINE --to NUMBER` returns machines one by one',
        );
      const other = labPlace(state.flake, state.opened.cwd);
      return other === own
        ? ok(state)
        : refuse(`run ${run} was of the flake ${other}, not of ${own}`, `give --flake ${other}`);
    },
    plans: () => {
      const known = read<readonly EarlierPlan[]>([], (journal) =>
        journal.runs(runsMax).flatMap((summary) => approvedPlanOf(journal, summary, own) ?? []),
      );
      return known.ok ? known.value : [];
    },
  };
};

/** A plan stands among the first events of its run; only where it does not are all of them read. */
const approvedPlanOf = (
  journal: Journal,
  { run, lastSeq, events }: RunSummary,
  place: string,
): EarlierPlan | null => {
  const early = journal.after(lastSeq - events, earlyMax).filter((event) => event.run === run);
  const found = planIn(run, early, place);
  if (found !== 'not yet') return found;
  const late = planIn(run, journal.eventsOf(run), place);
  return late === 'not yet' ? null : late;
};

const planIn = (run: RunId, events: readonly RunEvent[], place: string): EarlierPlan | null | 'not yet' => {
  const first = events[0]?.body;
  if (first?.kind !== 'run-started') return 'not yet';
  if (labPlace(first.flake, first.opened.cwd) !== place) return null;
  if (!events.some(({ body }) => body.kind === 'approved')) return 'not yet';
  const made = events.findLast(({ body }) => body.kind === 'plan-made')?.body;
  return made?.kind === 'plan-made' ? { run, plan: made.plan } : null;
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
