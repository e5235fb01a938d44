import type { HealthCheck, Machine } from '../../fleet/machine.ts';
import { type Line, labelled, line, span } from '../draw/line.ts';
import { fact, factLabelWidth, heading, type MachineScene } from './machine-facts.ts';
import { ageWords } from './words.ts';

/** The verdict, every reading with its evidence, and the checks as configured. */

const aimOf = (check: HealthCheck): string => {
  switch (check.type) {
    case 'http':
      return `${check.url}, expects ${check.expectedStatus}${check.expectedBody === null ? '' : ` and "${check.expectedBody}"`}`;
    case 'tcp':
      return `${check.host}:${check.port}`;
    case 'command':
      return check.command;
    case 'systemd':
      return check.unit;
    default:
      return check satisfies never;
  }
};

export const healthLines = (scene: MachineScene, machine: Machine): readonly Line[] => {
  const { snapshot, row, now, pen, width } = scene;
  const { glyphs } = pen;
  const report = snapshot.health.get(row.name);
  const signs = {
    passed: { glyph: glyphs.good, tone: 'good' },
    failed: { glyph: glyphs.bad, tone: 'bad' },
    unknown: { glyph: glyphs.unknown, tone: 'warn' },
  } as const;
  const readings = (report?.readings ?? []).flatMap((reading) => {
    const { glyph, tone } = signs[reading.verdict];
    const tries = reading.tries > 1 ? `, ${reading.tries} tries` : '';
    return [
      [
        span(`  ${glyph} `, tone),
        span(pen.clean(reading.check), 'strong'),
        span(`  ${reading.type}, ${reading.ms} ms${tries}`, 'quiet'),
      ],
      ...labelled(span('    '), 4, pen.clean(reading.evidence), tone === 'good' ? 'plain' : tone, width - 1),
    ];
  });
  return [
    ...(report === undefined
      ? fact(scene, 'verdict', row.looking ? 'being probed' : 'not probed yet: press p', 'quiet')
      : [
          ...fact(
            scene,
            'verdict',
            `${row.state.glyph} ${report.verdict}: ${report.summary}`,
            report.verdict === 'healthy' ? 'good' : report.verdict === 'unhealthy' ? 'bad' : 'warn',
          ),
          ...fact(scene, 'read', `${ageWords(now - report.at)}${row.looking ? ', being read anew' : ''}`),
          ...fact(
            scene,
            'systemd',
            `${report.state}${report.failedUnits.length === 0 ? '' : `; failed: ${report.failedUnits.join(', ')}`}`,
            report.failedUnits.length === 0 ? 'plain' : 'warn',
          ),
        ]),
    ...(readings.length > 0 ? [...heading('READINGS'), ...readings] : []),
    ...heading('CHECKS AS CONFIGURED'),
    ...(machine.healthChecks.length === 0
      ? [line('  none: healthy then only means that systemd is running', 'warn')]
      : machine.healthChecks.flatMap((check) =>
          labelled(
            span(`  ${check.type}`, 'quiet'),
            factLabelWidth,
            pen.clean(
              `${check.name === null ? '' : `${check.name}: `}${aimOf(check)}${check.from === 'orchestrator' ? ' (seen from the orchestrator)' : ''}`,
            ),
            'plain',
            width - 1,
          ),
        )),
  ];
};
