import type { RunEvent } from '../run/event.ts';
import type { RunReport } from '../run/report.ts';
import { sanitiseLine } from '../text/sanitise.ts';
import { count, duration, moment, table } from '../text/words.ts';
import { goalTitle } from './render-plan.ts';

/** What an event says, in one line without its date; null for events that only matter to machines. */
export const eventText = ({ body }: Pick<RunEvent, 'body'>): string | null => {
  switch (body.kind) {
    case 'run-started':
      return `run started: ${goalTitle(body.goal)} of ${sanitiseLine(body.flake)} by ${sanitiseLine(body.by.user)} (${body.by.via})`;
    case 'preparation-started':
      return `${body.work} …`;
    case 'preparation-noted':
      return `${body.work}: ${sanitiseLine(body.note)}`;
    case 'preparation-finished':
      return body.failure === null
        ? `${body.work}: ${sanitiseLine(body.note)}`
        : `${body.work} failed: ${sanitiseLine(body.failure.message)}`;
    case 'plan-made':
      return `plan ${body.plan.hash} made`;
    case 'approved':
      return body.how === 'nothing-to-do'
        ? 'nothing to do on any machine'
        : `plan ${body.hash} approved (${body.how})`;
    case 'step-intended':
      return `${stepWords(body.step)} …`;
    case 'step-noted':
      return `${stepWords(body.step)}: ${sanitiseLine(body.note)}`;
    case 'step-ended': {
      const { outcome } = body;
      if (outcome.kind === 'succeeded')
        return `${stepWords(body.step)} ✔ ${sanitiseLine(outcome.facts.note)}`.trimEnd();
      return `${stepWords(body.step)} ${outcome.kind === 'skipped' ? '- skipped' : '✖'} ${sanitiseLine(outcome.failure.message)}`;
    }
    case 'lock-moved':
      return `flake.lock: ${count(body.changes.length, 'input')} moved`;
    case 'lock-restored':
      return 'flake.lock: put back as it was';
    case 'paused':
      return `paused by ${sanitiseLine(body.by)}: no further step begins`;
    case 'unpaused':
      return 'goes on';
    case 'stop-requested':
      return `stop requested by ${sanitiseLine(body.by)}: the steps under way end first`;
    case 'resumed':
      return `resumed by process ${body.pid}`;
    case 'run-ended':
      return `run ended: ${body.result} (${sanitiseLine(body.reason)})`;
    default:
      return body satisfies never;
  }
};

/** `nas/gate-after-reboot` → `nas: gate after reboot`. */
const stepWords = (id: string): string => {
  const slash = id.indexOf('/');
  return `${id.slice(0, slash)}: ${id.slice(slash + 1).replaceAll('-', ' ')}`;
};

export const eventLine = (event: RunEvent): string | null => {
  const text = eventText(event);
  return text === null ? null : `${moment(event.at)}  ${text}`;
};

const words = {
  done: '✔ done',
  nothing: '✔ as it was',
  failed: '✖ failed',
  restored: '✖ failed, returned',
  skipped: '- skipped',
  waiting: '- not touched',
  active: '✖ unfinished',
} as const satisfies Record<RunReport['machines'][number]['status'], string>;

/** The account of a run, for people. */
export const reportLines = (report: RunReport): readonly string[] => [
  `Run ${report.run}: ${report.result} after ${duration(report.endedAt - report.startedAt)}`,
  `  ${sanitiseLine(report.reason)}`,
  ...table(
    report.machines.map((machine) => [
      `  ${machine.machine}`,
      words[machine.status],
      sanitiseLine(machine.summary),
    ]),
  ),
  ...report.leftOut.map(({ name, message }) => `  ${name}  ✖ left out  ${sanitiseLine(message)}`),
  ...report.machines.flatMap(({ machine, failure, restoreFailure }) => [
    ...(failure === null
      ? []
      : [
          `  ${machine} → ${sanitiseLine(failure.remedy)}`,
          ...(failure.detail ?? []).map((line) => `      ${sanitiseLine(line)}`),
        ]),
    ...(restoreFailure === null
      ? []
      : [`  ${machine}: it could NOT be returned to what it ran: ${sanitiseLine(restoreFailure.message)}`]),
  ]),
  ...(report.failure === null ||
  report.machines.some(({ failure }) => failure?.message === report.failure?.message)
    ? []
    : [
        `  → ${sanitiseLine(report.failure.remedy)}`,
        ...(report.failure.detail ?? []).map((line) => `      ${sanitiseLine(line)}`),
      ]),
];
