import type { RunEvent } from '../run/event.ts';
import type { RunReport } from '../run/report.ts';
import { tellEvent } from '../run/telling.ts';
import { sanitiseLine } from '../text/sanitise.ts';
import { duration, moment, table } from '../text/words.ts';

const marks = { good: '✔ ', bad: '✖ ', warn: '! ' } as const;

/** An event with its date, as one line. */
export const eventLine = ({ at, body }: Pick<RunEvent, 'at' | 'body'>): string => {
  const { machine, text, mark } = tellEvent(body);
  const about = machine === null ? '' : `${machine}: `;
  return `${moment(at)}  ${about}${mark === null ? '' : marks[mark]}${sanitiseLine(text)}`;
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
  ...(report.next === null ? [] : [`  → ${report.next}`]),
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
