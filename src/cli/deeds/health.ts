import type { Command } from 'commander';
import { probeAll } from '../../flow/observe.ts';
import type { HealthReport } from '../../ports.ts';
import { exitCodes } from '../../run/report.ts';
import { sanitiseLine } from '../../text/sanitise.ts';
import { table } from '../../text/words.ts';
import type { Cli } from '../lab.ts';
import { remedyLine, saidOf } from '../render.ts';
import { choose } from './choose.ts';
import { done, printJson, printLines, useLab } from './with-lab.ts';

const marks = { healthy: '✔', degraded: '!', unhealthy: '✖', unknown: '?' } as const satisfies Record<
  HealthReport['verdict'],
  string
>;
const readingMarks = { passed: '✔', failed: '✖', unknown: '?' } as const;

const healthLines = (report: HealthReport): readonly string[] => [
  `${marks[report.verdict]} ${report.machine}: ${report.verdict} (${saidOf(report.machine, report.summary)})`,
  ...(report.remedy === undefined ? [] : [remedyLine(report.remedy)]),
  ...table(
    report.readings.map((reading) => [
      `    ${readingMarks[reading.verdict]} ${sanitiseLine(reading.check)}`,
      `${sanitiseLine(reading.evidence)}${reading.tries > 1 ? ` (${reading.tries} tries)` : ''}`,
    ]),
  ),
];

export const health = async (cli: Cli, command: Command, selectors: readonly string[]): Promise<void> =>
  useLab(cli, command, async ({ lab, json }) => {
    const chosen = await choose(cli, lab, selectors);
    if (!chosen.ok) return chosen;
    const { machines, evaluation, names } = chosen.value;
    const reports = [...(await probeAll(lab.target, machines, cli.stop)).values()];
    const failed = evaluation.fleet.failed.filter(({ name }) => names.includes(name));
    if (json) printJson(cli, 'health', { flake: lab.flake, machines: reports, failed });
    else
      printLines(cli, [
        ...reports.flatMap(healthLines),
        ...failed.flatMap(({ name, message, remedy }) => [
          `? ${name}: not evaluated (${saidOf(name, message)})`,
          remedyLine(remedy),
        ]),
      ]);
    const healthy = reports.filter(({ verdict }) => verdict === 'healthy').length;
    if (healthy < reports.length + failed.length)
      cli.setExitCode(healthy > 0 ? exitCodes.partial : exitCodes.failed);
    return done;
  });
