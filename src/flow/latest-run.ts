import type { Journal } from '../journal/journal.ts';
import type { RunId } from '../run/event.ts';

/** An update of flake.lock alone has few events: what is longer is not read to find out. */
const updateEventsMax = 400;
/** Updates in a row that are looked past. */
const updatesInARow = 50;

/** The latest run that is about machines: an update of flake.lock says nothing of what they run. Null for none. */
export const latestRun = (journal: Journal): RunId | null => {
  const isUpdate = ({ run, events }: { readonly run: RunId; readonly events: number }): boolean => {
    if (events > updateEventsMax) return false;
    const [first] = journal.eventsOf(run);
    return first?.body.kind === 'run-started' && first.body.goal.kind === 'update';
  };
  for (const count of [1, updatesInARow]) {
    const found = journal.runs(count).find((summary) => !isUpdate(summary));
    if (found !== undefined) return found.run;
  }
  return null;
};
