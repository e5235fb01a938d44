import type { HealthCheck, Machine } from '../../fleet/machine.ts';
import { type Line, labelled, line, span } from '../draw/line.ts';
import { type Beat, sparkline } from '../draw/sparkline.ts';
import { fact, factLabelWidth, heading, type MachineScene } from './machine-facts.ts';
import { ageWords, clockTime } from './words.ts';

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

const cellsOfHistory = 40;

/** How long the check took each time, as far as this screen saw it; failures as what they are. */
const historyLine = ({ snapshot, row, pen }: MachineScene, check: string): readonly Line[] => {
  const beats = (snapshot.samples.get(row.name) ?? []).flatMap(({ readings }): Beat[] => {
    const reading = readings.find((candidate) => candidate.check === check);
    if (reading === undefined) return [];
    return [
      {
        value: reading.ms,
        tone: reading.verdict === 'passed' ? 'good' : reading.verdict === 'failed' ? 'bad' : 'warn',
        sign:
          reading.verdict === 'passed'
            ? null
            : reading.verdict === 'failed'
              ? pen.glyphs.bad
              : pen.glyphs.unknown,
      },
    ];
  });
  if (beats.length < 2) return [];
  const longest = Math.max(...beats.map(({ value }) => value ?? 0));
  return [
    [
      span('    '),
      ...sparkline(beats, cellsOfHistory, pen),
      span(`  the last ${Math.min(beats.length, cellsOfHistory)}, at most ${longest} ms`, 'quiet'),
    ],
  ];
};

const verdictHistory = (scene: MachineScene): readonly Line[] => {
  const { snapshot, row, pen } = scene;
  const samples = snapshot.samples.get(row.name) ?? [];
  if (samples.length < 2) return [];
  const signs = {
    healthy: { sign: pen.glyphs.good, tone: 'good' },
    degraded: { sign: pen.glyphs.warn, tone: 'warn' },
    unhealthy: { sign: pen.glyphs.bad, tone: 'bad' },
    unknown: { sign: pen.glyphs.unknown, tone: 'warn' },
  } as const;
  const [first] = samples;
  return [
    [
      span('  verdicts'.padEnd(factLabelWidth), 'quiet'),
      ...sparkline(
        samples.map(({ verdict }) => ({ value: null, ...signs[verdict] })),
        cellsOfHistory,
        pen,
      ),
      span(first === undefined ? '' : `  since ${clockTime(first.at).slice(0, 5)}`, 'quiet'),
    ],
  ];
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
      ...historyLine(scene, reading.check),
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
    ...verdictHistory(scene),
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
