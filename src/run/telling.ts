import { goalWords } from '../plan/goal-words.ts';
import { count } from '../text/words.ts';
import type { EventBody } from './event.ts';

/** What an event says to people, for every front end; each draws marks and weights in its own way. */
export type Telling = {
  /** null where the event is about the run as a whole. */
  readonly machine: string | null;
  /** Not sanitised: parts of it come from machines and from Nix. */
  readonly text: string;
  readonly mark: 'good' | 'bad' | 'warn' | null;
  /** begins: says only that something starts · detail: progress · strong: a turn of the run. */
  readonly weight: 'begins' | 'detail' | 'plain' | 'strong';
};

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

const resultMarks = {
  done: 'good',
  partial: 'warn',
  failed: 'bad',
  held: 'bad',
  interrupted: 'warn',
  declined: 'warn',
} as const;

export const tellEvent = (body: EventBody): Telling => {
  switch (body.kind) {
    case 'run-started':
      return general(
        `${goalWords(body.goal)} of ${body.flake}, begun by ${body.by.user} (${body.by.via})`,
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
      return general(`flake.lock: ${count(body.changes.length, 'input')} moved`);
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
      return { machine, text: `${step}: ${body.note}`, mark: null, weight: 'plain' };
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
    case 'paused':
      return general(`paused by ${body.by}: no further step begins`, 'warn');
    case 'unpaused':
      return general(`goes on, by ${body.by}`);
    case 'stop-requested':
      return general(`stop requested by ${body.by}: the steps under way end, no other begins`, 'warn');
    case 'resumed':
      return general(`resumed by process ${body.pid}: what was under way is looked at again`, 'warn');
    case 'run-ended':
      return general(`run ${body.result}: ${body.reason}`, resultMarks[body.result], 'strong');
    default:
      return body satisfies never;
  }
};
