import type { Command } from 'commander';
import { observeAll } from '../../flow/observe.ts';
import { type Debt, owedAfterSeeing, shownBy } from '../../plan/debt.ts';
import { driftOf } from '../../plan/drift.ts';
import { noPast, type Past } from '../../plan/past.ts';
import type { Observation, Toplevel } from '../../ports.ts';
import { exitCodes } from '../../run/report.ts';
import { sanitiseLine } from '../../text/sanitise.ts';
import { duration, few } from '../../text/words.ts';
import type { Cli } from '../lab.ts';
import { owedSince, remedyLine, saidOf, tableWithNotes } from '../render.ts';
import { choose } from './choose.ts';
import { done, printJson, printLines, useLab } from './with-lab.ts';

type Row = { readonly cells: readonly string[]; readonly notes: readonly string[] };

const missingRow = (
  machine: string,
  state: string,
  message: string,
  remedy: string,
  owed: Debt | null,
): Row => ({
  cells: [`  ${machine}`, `✖ ${state}`, '-', '-', saidOf(machine, message)],
  notes: [remedyLine(remedy), ...owedNotes(owed)],
});

const owedNotes = (owed: Debt | null): readonly string[] =>
  owed === null ? [] : [`      ${owedSince(owed)}; \`lab run --catch-up\` does it`];

/** Failed units in the row of a machine; `--json` has them all. */
const unitsNamedMax = 5;

/** `wanted`: null where the flake's toplevel is not known, undefined where it was not asked. */
const statusRow = (observation: Observation, wanted: string | null | undefined, owed: Debt | null): Row => {
  if (observation.kind === 'unreachable')
    return missingRow(
      observation.machine,
      'unreachable',
      observation.error.message,
      observation.error.remedy,
      owed,
    );
  const drift = driftOf(observation, wanted ?? null);
  const reboot =
    drift === null || drift.rebootNeeded.length === 0
      ? ''
      : `reboot needed: ${drift.rebootNeeded.join(', ')}`;
  const { failedUnits } = observation;
  const units =
    failedUnits.length === 0
      ? ''
      : ` (${few(
          failedUnits.map((unit) => sanitiseLine(unit)),
          unitsNamedMax,
        )})`;
  return {
    cells: [
      `  ${observation.machine}`,
      `${observation.state === 'running' ? '✔' : '!'} ${observation.state}${units}`,
      observation.generation === null ? '-' : String(observation.generation),
      duration(observation.uptimeSeconds * 1_000),
      [...(drift?.words ?? []), reboot, wanted === null ? 'not compared with the flake' : '']
        .filter((text) => text !== '')
        .join('; ') || (wanted === undefined ? 'as it booted' : 'in sync with the flake'),
    ],
    notes: owedNotes(owed),
  };
};

/** What is still owed to a machine that was just looked at. */
const owedTo = ({ debts }: Past, observation: Observation): Debt | null => {
  const debt = debts.get(observation.machine) ?? null;
  return debt === null || observation.kind === 'unreachable'
    ? debt
    : owedAfterSeeing(debt, shownBy(observation));
};

export const status = async (
  cli: Cli,
  command: Command,
  selectors: readonly string[],
  options: { readonly wanted: boolean },
): Promise<void> =>
  useLab(cli, command, async ({ lab, json }) => {
    const chosen = await choose(cli, lab, selectors);
    if (!chosen.ok) return chosen;
    const { evaluation, machines, names } = chosen.value;
    const [seen, toplevels] = await Promise.all([
      observeAll(lab.target, machines, cli.stop),
      options.wanted
        ? lab.nix.toplevels(
            machines.map(({ name }) => name),
            { signal: cli.stop },
          )
        : { built: [] as readonly Toplevel[], failed: [] },
    ]);
    const wanted = new Map(toplevels.built.map(({ machine, outPath }) => [machine, outPath]));
    const observations = [...seen.values()];
    const recalled = lab.past();
    const past = recalled.ok ? recalled.value : noPast;
    const failed = evaluation.fleet.failed.filter(({ name }) => names.includes(name));
    if (json)
      printJson(cli, 'status', {
        flake: lab.flake,
        machines: observations.map((observation) => ({
          observation,
          wanted: wanted.get(observation.machine) ?? null,
          drift: driftOf(observation, wanted.get(observation.machine) ?? null),
          owed: owedTo(past, observation),
        })),
        failed: failed.map((each) => ({ ...each, owed: past.debts.get(each.name) ?? null })),
        // Why what is owed is not known, or null where it is.
        owedUnknown: recalled.ok ? null : recalled.failure,
        toplevelFailures: toplevels.failed,
      });
    else
      printLines(cli, [
        ...tableWithNotes([
          { cells: ['  NAME', 'STATE', 'GENERATION', 'UP', 'DRIFT'], notes: [] },
          ...observations.map((observation) =>
            statusRow(
              observation,
              options.wanted ? (wanted.get(observation.machine) ?? null) : undefined,
              owedTo(past, observation),
            ),
          ),
          ...failed.map(({ name, message, remedy }) =>
            missingRow(name, 'not evaluated', message, remedy, past.debts.get(name) ?? null),
          ),
        ]),
        ...(recalled.ok
          ? []
          : [
              `! what past runs left owed is not known: ${sanitiseLine(recalled.failure.message)}`,
              remedyLine(recalled.failure.remedy),
            ]),
        ...toplevels.failed.flatMap(({ machine, message, remedy }) => [
          `! ${machine ?? 'flake'}: ${saidOf(machine ?? 'flake', message)}`,
          remedyLine(remedy),
        ]),
      ]);
    const reached = observations.filter(({ kind }) => kind === 'reachable').length;
    const missing = observations.length - reached + failed.length;
    if (missing > 0) cli.setExitCode(reached > 0 ? exitCodes.partial : exitCodes.failed);
    return done;
  });
