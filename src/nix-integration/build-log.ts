import { sanitiseLine } from '../text/sanitise.ts';
import { activities, type NixEvent, results, withoutColours } from './internal-json.ts';

const logLinesMax = 20;
const buildsMax = 5_000;

/** A derivation whose own builder failed, with the end of its log. */
export type FailedBuild = {
  readonly drvPath: string;
  readonly message: string;
  readonly log: readonly string[];
};

const derivation = /'((?:\/[\w.+-]+)+\.drv)'/u;
/** Failures that only pass on those of other derivations. */
const passedOn = /dependenc\w+ of derivation|dependenc\w+ failed|^build of /u;

/** Follows the builds of one `--keep-going` and remembers which failed of themselves. */
export const createBuildLog = (): {
  readonly onEvent: (event: NixEvent) => void;
  readonly failed: () => ReadonlyMap<string, FailedBuild>;
} => {
  const builds = new Map<number, string>();
  const logs = new Map<string, string[]>();
  const failed = new Map<string, FailedBuild>();
  return {
    onEvent: (event) => {
      if (event.kind === 'start' && event.activity === activities.build && builds.size < buildsMax) {
        builds.set(event.id, String(event.fields[0] ?? ''));
      } else if (event.kind === 'stop') {
        builds.delete(event.id);
      } else if (event.kind === 'result' && event.type === results.logLine) {
        const drvPath = builds.get(event.id);
        if (drvPath === undefined) return;
        const log = logs.get(drvPath) ?? [];
        logs.set(drvPath, log);
        log.push(sanitiseLine(String(event.fields[0] ?? '')));
        if (log.length > logLinesMax) log.shift();
      } else if (event.kind === 'message' && event.level === 0 && event.raw !== null) {
        const raw = withoutColours(event.raw);
        const drvPath = derivation.exec(raw)?.[1];
        if (drvPath === undefined || passedOn.test(raw) || failed.has(drvPath)) return;
        const first = raw.split('\n', 1)[0] ?? raw;
        failed.set(drvPath, { drvPath, message: sanitiseLine(first, 300), log: logs.get(drvPath) ?? [] });
      }
    },
    failed: () => failed,
  };
};
