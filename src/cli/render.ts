import type { Failure } from '../failure.ts';
import type { Problem } from '../fleet/validate.ts';
import { type Debt, debtWords } from '../plan/debt.ts';
import type { Evaluation, LockChange, LockedRef } from '../ports.ts';
import { sanitiseLine } from '../text/sanitise.ts';
import { count, day, moment, table } from '../text/words.ts';

/** Plain text for people. Every function gives whole lines without line ends; all foreign text is sanitised here. */

export const failureLines = (failure: Failure): readonly string[] => [
  `lab: ${sanitiseLine(failure.message)}`,
  ...(failure.detail ?? []).map((line) => `  ${sanitiseLine(line)}`),
  `  → ${sanitiseLine(failure.remedy)}`,
];

/** What is said of a machine that is named beside it already: messages begin with its name where they stand alone. */
export const saidOf = (machine: string, message: string): string => {
  const named = [`${machine}: `, `${machine} `].find((start) => message.startsWith(start));
  return sanitiseLine(named === undefined ? message : message.slice(named.length));
};

/** Rows as a table, each with lines of its own below it. */
export const tableWithNotes = (
  rows: readonly { readonly cells: readonly string[]; readonly notes: readonly string[] }[],
): readonly string[] =>
  table(rows.map(({ cells }) => cells)).flatMap((line, index) => [line, ...(rows[index]?.notes ?? [])]);

export const remedyLine = (remedy: string): string => `      → ${sanitiseLine(remedy)}`;

export const problemLines = (problems: readonly Problem[]): readonly string[] =>
  problems.flatMap(({ severity, message, remedy }) => [
    `${severity === 'error' ? '✖' : '!'} ${sanitiseLine(message)}`,
    `    → ${sanitiseLine(remedy)}`,
  ]);

export const discrepancyLines = ({ discrepancies }: Evaluation): readonly string[] =>
  discrepancies.map(({ message }) => `! ${sanitiseLine(message)}`);

export const machineLines = ({ fleet, discrepancies }: Evaluation): readonly string[] => [
  `${count(fleet.machines.length + fleet.failed.length, 'machine')}${fleet.failed.length > 0 ? `, ${fleet.failed.length} of them not evaluated` : ''}`,
  ...table([
    ['  NAME', 'ROLE', 'GROUPS', 'ORDER', 'DEPENDS ON', 'STRATEGY', 'CRITICALITY', 'CHECKS'],
    ...fleet.machines.map((machine) => [
      `  ${machine.name}${machine.orchestrator ? ' (orchestrator)' : ''}`,
      sanitiseLine(machine.role ?? '-'),
      machine.groups.join(', ') || '-',
      machine.rebootOrder === null ? '-' : String(machine.rebootOrder),
      machine.dependencies.join(', ') || '-',
      machine.orchestration.deployStrategy,
      machine.orchestration.criticalityLevel,
      String(machine.healthChecks.length),
    ]),
  ]),
  ...fleet.failed.flatMap(({ name, message, remedy }) => [
    `✖ ${name}: could not be evaluated`,
    `    ${sanitiseLine(message)}`,
    `    → ${sanitiseLine(remedy)}`,
  ]),
  ...discrepancies.map(({ message }) => `! ${sanitiseLine(message)}`),
];

const locked = (ref: LockedRef | null): string =>
  ref === null ? '(none)' : `${sanitiseLine(ref.rev?.slice(0, 8) ?? ref.url)} (${day(ref.lastModified)})`;

/** `remark`: what the changes alone do not say. */
export const lockLines = (changes: readonly LockChange[], remark: string | null): readonly string[] =>
  changes.length === 0
    ? [`flake.lock: ${sanitiseLine(remark ?? 'every input is already the newest')}`]
    : [
        `flake.lock: ${count(changes.length, 'input')} ${changes.length === 1 ? 'moves' : 'move'}`,
        ...table(
          changes.map(({ input, kind, from, to }) => [
            `  ${kind === 'added' ? '+' : kind === 'removed' ? '-' : '•'} ${sanitiseLine(input)}`,
            `${locked(from)} → ${locked(to)}`,
          ]),
        ),
        ...(remark === null ? [] : [`  ${sanitiseLine(remark)}`]),
      ];

/** `owed since 2026-11-19 04:00:15 (2 runs): deploy, reboot if needed` */
export const owedSince = (debt: Debt): string =>
  `owed since ${moment(debt.at)}${debt.runs === 1 ? '' : ` (${count(debt.runs, 'run')})`}: ${debtWords(debt)}`;
