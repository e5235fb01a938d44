import type { OnProgress } from '../ports.ts';
import { withoutPasswords } from '../text/passwords.ts';
import { sanitiseLine } from '../text/sanitise.ts';
import { createHowFar, type HowFar, numberAt } from './how-far.ts';
import { activities, type NixEvent, results } from './internal-json.ts';

const lineCharsMax = 200;
const activitiesMax = 10_000;
/** Numbers change with every kilobyte; people read a few lines a second. */
const numbersEveryMs = 250;

/** `/nix/store/HASH-name.drv` → `name`. */
export const nameOfStorePath = (path: string): string => {
  const file = path.slice(path.lastIndexOf('/') + 1).replace(/\.drv$/u, '');
  return sanitiseLine(file.replace(/^[0-9a-df-np-sv-z]{32}-/u, ''), lineCharsMax);
};

const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(1);

type Activity = { readonly kind: number; readonly name: string; done: number };

/**
 * Turns the events of a build, copy or update into lines for people: what begins, how far it is. Repeats are
 * dropped and numbers thinned out; `now` is the clock in milliseconds.
 */
export const createProgress = (
  onLine: OnProgress | undefined,
  now: () => number,
  howFar: HowFar = createHowFar(),
): ((event: NixEvent) => void) => {
  if (onLine === undefined) return () => undefined;
  const running = new Map<number, Activity>();
  let copiedBytes = 0;
  let expectedBytes = 0;
  let lastLine = '';
  let lastNumbersAt = Number.NEGATIVE_INFINITY;

  const say = (text: string) => {
    const line = sanitiseLine(withoutPasswords(text), lineCharsMax);
    if (line === '' || line === lastLine) return;
    lastLine = line;
    onLine(line, howFar.now());
  };
  const sayNumbers = (text: string) => {
    if (now() - lastNumbersAt < numbersEveryMs) return;
    lastNumbersAt = now();
    say(text);
  };

  const started = (event: Extract<NixEvent, { kind: 'start' }>) => {
    const first = String(event.fields[0] ?? '');
    const name = event.activity === activities.download ? first : nameOfStorePath(first);
    if (running.size < activitiesMax) running.set(event.id, { kind: event.activity, name, done: 0 });
    switch (event.activity) {
      case activities.build:
        say(`building ${name}`);
        break;
      case activities.copyPath:
        say(`copying ${name}`);
        break;
      case activities.download:
        say(`downloading ${name}`);
        break;
      default:
    }
  };

  const reported = (event: Extract<NixEvent, { kind: 'result' }>) => {
    const activity = running.get(event.id);
    if (event.type === results.setExpected && numberAt(event.fields, 0) === activities.copyPath) {
      expectedBytes = numberAt(event.fields, 1);
      return;
    }
    if (activity === undefined) return;
    if (event.type === results.phase && activity.kind === activities.build) {
      say(`${activity.name}: ${String(event.fields[0] ?? '')}`);
      return;
    }
    if (event.type !== results.progress) return;
    const [done, expected, active] = [0, 1, 2].map((at) => numberAt(event.fields, at));
    if (activity.kind === activities.builds && (expected ?? 0) > 0) {
      sayNumbers(`built ${done} of ${expected}${active ? `, ${active} under way` : ''}`);
    } else if (activity.kind === activities.copyPaths && (expected ?? 0) > 0) {
      sayNumbers(`${done} of ${expected} paths are here`);
    } else if (activity.kind === activities.copyPath) {
      copiedBytes += (done ?? 0) - activity.done;
      activity.done = done ?? 0;
      const of = expectedBytes > 0 ? ` of ${megabytes(expectedBytes)}` : '';
      sayNumbers(`copied ${megabytes(copiedBytes)}${of} MB`);
    }
  };

  return (event) => {
    howFar.take(event);
    switch (event.kind) {
      case 'start':
        started(event);
        break;
      case 'stop':
        running.delete(event.id);
        if (howFar.justBuilt() > 0) {
          const progress = howFar.now();
          onLine(`built the system of ${progress.built.join(', ')}`, progress);
        }
        break;
      case 'result':
        reported(event);
        break;
      case 'message':
      case 'plain':
        break;
    }
  };
};
