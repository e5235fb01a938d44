import { debtWords } from '../plan/debt.ts';
import { overrideWords } from '../plan/override.ts';
import type { RunEvent } from '../run/event.ts';
import { type MachineReport, notReturnedWords, type RunReport } from '../run/report.ts';
import { resultWords, standingWords, tellEvent, tookWords } from '../run/telling.ts';
import { sanitiseLine } from '../text/sanitise.ts';
import { moment, table } from '../text/words.ts';

const marks = { good: '✔ ', bad: '✖ ', warn: '! ' } as const;

/** An event with its date, as one line. */
export const eventLine = ({ at, body }: Pick<RunEvent, 'at' | 'body'>): string => {
  const { machine, text, mark } = tellEvent(body);
  const about = machine === null ? '' : `${machine}: `;
  return `${moment(at)}  ${about}${mark === null ? '' : marks[mark]}${sanitiseLine(text)}`;
};

const statusLine = ({ status, atEnd }: MachineReport): string => {
  const { text, mark } = standingWords(status, atEnd);
  return `${mark === null ? '- ' : marks[mark]}${text}`;
};

const headLine = (report: RunReport): string => {
  const { text, next } = resultWords[report.result];
  return `Run ${report.run}: ${text} after ${tookWords(report)}${next === null ? '' : `, ${next}`}`;
};

/** The account of a run, for people. */
export const reportLines = (report: RunReport): readonly string[] => [
  headLine(report),
  `  ${sanitiseLine(report.reason)}`,
  ...(report.next === null ? [] : [`  → ${report.next}`]),
  ...table(
    report.machines.map((machine) => [
      `  ${machine.machine}`,
      statusLine(machine),
      sanitiseLine(machine.summary),
    ]),
  ),
  ...report.leftOut.map(({ name, message }) => `  ${name}  ✖ left out  ${sanitiseLine(message)}`),
  ...report.owed.map((debt) => `  ${debt.machine}: owed: ${debtWords(debt)}`),
  ...report.overrides.map(
    (override) => `  ! overridden by ${sanitiseLine(override.by)}: ${overrideWords(override)}`,
  ),
  ...report.machines.flatMap(({ machine, failure, warnings, restoreFailure }) => [
    ...warnings.map((warning) => `  ${machine}: ! ${sanitiseLine(warning)}`),
    ...(failure === null
      ? []
      : [
          `  ${machine} → ${sanitiseLine(failure.remedy)}`,
          ...(failure.detail ?? []).map((line) => `      ${sanitiseLine(line)}`),
        ]),
    ...(restoreFailure === null
      ? []
      : [
          `  ${machine}: ${notReturnedWords(restoreFailure)} returned to what it ran: ${sanitiseLine(restoreFailure.message)}`,
          `  ${machine} → ${sanitiseLine(restoreFailure.remedy)}`,
          ...(restoreFailure.detail ?? []).map((line) => `      ${sanitiseLine(line)}`),
        ]),
  ]),
  ...(report.failure === null ||
  report.machines.some(({ failure }) => failure?.message === report.failure?.message)
    ? []
    : [
        `  → ${sanitiseLine(report.failure.remedy)}`,
        ...(report.failure.detail ?? []).map((line) => `      ${sanitiseLine(line)}`),
      ]),
];
