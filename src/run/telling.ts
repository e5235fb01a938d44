import { goalWords } from '../plan/goal-words.ts';
import type { MachinePlan, Plan } from '../plan/plan.ts';
import { withoutPasswords } from '../text/passwords.ts';
import { count, duration } from '../text/words.ts';
import type { EventBody, RunResult, Seen } from './event.ts';
import type { MachineProgress } from './progress.ts';

/** What an event says to people, for every front end; each draws marks and weights in its own way. */
type Telling = {
  /** null where the event is about the run as a whole. */
  readonly machine: string | null;
  /** Not sanitised: parts of it come from machines and from Nix. */
  readonly text: string;
  readonly mark: 'good' | 'bad' | 'warn' | null;
  /** begins: says only that something starts · detail: progress · strong: a turn of the run. */
  readonly weight: 'begins' | 'detail' | 'plain' | 'strong';
};

type Words = { readonly text: string; readonly mark: Telling['mark'] };

/** `nas/gate-after-reboot` → machine and words. */
const stepName = (id: string): { readonly machine: string; readonly step: string } => {
  const slash = id.indexOf('/');
  return { machine: id.slice(0, slash), step: id.slice(slash + 1).replaceAll('-', ' ') };
};

const withNote = (text: string, note: string): string => (note === '' ? text : `${text}: ${note}`);

const general = (
  text: string,
  mark: Telling['mark'] = null,
  weight: Telling['weight'] = 'plain',
): Telling => ({
  machine: null,
  text,
  mark,
  weight,
});

/** How a run ended, in a word; `next` is what it asks of the reader. */
export const resultWords = {
  done: { text: 'done', next: null, mark: 'good' },
  partial: { text: 'partial', next: null, mark: 'warn' },
  failed: { text: 'failed', next: null, mark: 'bad' },
  held: { text: 'held', next: 'needs you', mark: 'bad' },
  interrupted: { text: 'interrupted', next: null, mark: 'warn' },
  declined: { text: 'declined', next: null, mark: 'warn' },
  expired: { text: 'expired', next: null, mark: 'warn' },
} as const satisfies Record<RunResult, Words & { readonly next: string | null }>;

/** Less than this is no wait that anybody remembers, milliseconds. */
const rememberedWaitMs = 2_000;

/** How long a run took, of which the time it waited for a person is no part: `12 s (its plan waited 3 min for an answer)`. */
export const tookWords = (run: {
  readonly startedAt: number;
  readonly endedAt: number;
  readonly waitedMs: number;
}): string => {
  const waited =
    run.waitedMs < rememberedWaitMs ? '' : ` (its plan waited ${duration(run.waitedMs)} for an answer)`;
  return `${duration(run.endedAt - run.startedAt - run.waitedMs)}${waited}`;
};

/** What became of a machine in a run that has ended. */
export const statusWords = {
  done: { text: 'done', mark: 'good' },
  nothing: { text: 'nothing to do', mark: 'good' },
  failed: { text: 'failed', mark: 'bad' },
  restored: { text: 'failed, returned', mark: 'bad' },
  skipped: { text: 'skipped', mark: 'warn' },
  waiting: { text: 'not touched', mark: null },
  active: { text: 'unfinished', mark: 'bad' },
} as const satisfies Record<MachineProgress['status'], Words>;

/** How a machine was seen, in words. */
export const seenWords = {
  well: 'is well',
  'as-before': 'fails what failed before the run',
  worse: 'is not well',
  unknown: 'is not known to be well',
} as const satisfies Record<Seen['verdict'], string>;

/** What became of a machine, and how it was at the end: a machine that is not well then is not shown as if it were. */
export const standingWords = (
  status: MachineProgress['status'],
  atEnd: Seen | null,
): { readonly text: string; readonly mark: Telling['mark'] } => {
  const words = statusWords[status];
  if (atEnd === null || (status !== 'done' && status !== 'nothing')) return words;
  switch (atEnd.verdict) {
    case 'well':
      return words;
    case 'as-before':
      return { ...words, mark: 'warn' };
    case 'worse':
      return { text: status === 'done' ? 'done, not well' : 'not well', mark: 'bad' };
    case 'unknown':
      return { text: status === 'done' ? 'done, in doubt' : 'in doubt', mark: 'bad' };
    default:
      return atEnd.verdict satisfies never;
  }
};

/** When the reboot delay of a machine is over, `30 s after …`; null where it has none. */
export const tellDelay = ({ machines }: Plan, { position, reboot }: MachinePlan): string | null => {
  if (reboot === null || reboot.delayMs === 0) return null;
  const follows = machines.some(
    (other) => other.position < position && other.steps.some(({ kind }) => kind === 'gate'),
  );
  return `${duration(reboot.delayMs)} after ${
    follows ? 'the machine before it is healthy' : 'the approval, as no machine comes before it'
  }`;
};

export const tellEvent = (body: EventBody): Telling => {
  switch (body.kind) {
    case 'run-started':
      return general(
        `${goalWords(body.goal)} of ${withoutPasswords(body.flake)}, begun by ${body.by.user} (${body.by.via})`,
        null,
        'strong',
      );
    case 'preparation-started':
      return general(`${body.work} begins`, null, 'begins');
    case 'preparation-noted':
      return general(`${body.work}: ${body.note}`, null, 'detail');
    case 'preparation-finished':
      return body.failure === null
        ? general(withNote(body.work, body.note), 'good')
        : general(`${body.work}: ${body.failure.message}`, 'bad');
    case 'lock-moved':
      return general(
        `flake.lock: ${count(body.changes.length, 'input')} ${body.changes.length === 1 ? 'moves' : 'move'}`,
      );
    case 'lock-restored':
      return general('flake.lock was put back as it was', 'warn');
    case 'plan-made':
      return general(`plan ${body.plan.hash} made`);
    case 'approved':
      return general(
        body.how === 'nothing-to-do'
          ? 'the plan asks nothing of any machine'
          : `plan ${body.hash} approved (${body.how})`,
        null,
        'strong',
      );
    case 'step-intended': {
      const { machine, step } = stepName(body.step);
      return { machine, text: `${step} begins`, mark: null, weight: 'begins' };
    }
    case 'step-noted': {
      const { machine, step } = stepName(body.step);
      const mark = body.warning === true ? 'warn' : null;
      return { machine, text: `${step}: ${body.note}`, mark, weight: 'plain' };
    }
    case 'step-ended': {
      const { machine, step } = stepName(body.step);
      const { outcome } = body;
      if (outcome.kind === 'succeeded')
        return { machine, text: withNote(step, outcome.facts.note), mark: 'good', weight: 'plain' };
      const how = outcome.kind === 'failed' ? '' : ` (${outcome.kind})`;
      return {
        machine,
        text: `${step}${how}: ${outcome.failure.message}`,
        mark: outcome.kind === 'skipped' ? 'warn' : 'bad',
        weight: 'plain',
      };
    }
    case 'look-begun':
      return general(
        body.moment === 'start'
          ? 'look at machines with nothing to do begins'
          : 'look at every machine begins',
        null,
        'begins',
      );
    case 'looked': {
      const ill = body.seen.filter(({ verdict }) => verdict !== 'well');
      const said = ill.map(({ machine, verdict, why }) => `${machine} ${seenWords[verdict]} (${why})`);
      const well = body.seen.length - ill.length;
      return general(
        `${body.moment === 'start' ? 'before the run' : 'at the end'}: ${[`${well} of ${count(body.seen.length, 'machine')} well`, ...said].join('; ')}`,
        ill.length === 0 ? 'good' : ill.every(({ verdict }) => verdict === 'as-before') ? 'warn' : 'bad',
      );
    }
    case 'paused':
      return general(`paused by ${body.by}: no further step begins`, 'warn');
    case 'unpaused':
      return general(`goes on, by ${body.by}`);
    case 'stop-requested':
      return general(
        body.atOnce === true
          ? `told by ${body.by} to stop at once: the steps under way are given up`
          : `stop requested by ${body.by}: the steps under way end, no other begins`,
        'warn',
      );
    case 'steered':
      return {
        machine: body.machine,
        text:
          body.what === 'skip'
            ? `left out of the run by ${body.by}`
            : `to be tried again, by ${body.by}: looked at anew first`,
        mark: 'warn',
        weight: 'plain',
      };
    case 'steer-refused':
      return {
        machine: body.machine,
        text: `not ${body.what === 'skip' ? 'left out' : 'tried again'}, as ${body.by} asked: ${body.why}`,
        mark: 'warn',
        weight: 'plain',
      };
    case 'reopened':
      return {
        machine: body.machine,
        text: `run reopened by ${body.by}: ${body.what === 'skip' ? `it goes on without ${body.machine}` : `${body.machine} is tried again, looked at anew first`}`,
        mark: 'warn',
        weight: 'strong',
      };
    case 'resumed':
      return general(`resumed by process ${body.pid}: what was under way is looked at again`, 'warn');
    case 'run-ended':
      return general(
        `run ${resultWords[body.result].text}: ${body.reason}`,
        resultWords[body.result].mark,
        'strong',
      );
    default:
      return body satisfies never;
  }
};
