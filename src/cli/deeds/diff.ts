import type { Command } from 'commander';
import type { Failure, Result } from '../../failure.ts';
import type { Machine } from '../../fleet/machine.ts';
import { compareClosures, compareEach } from '../../flow/compare-closures.ts';
import { observeAll } from '../../flow/observe.ts';
import type { ClosureDiff } from '../../plan/closure-diff.ts';
import { closureSizeWords, growthWords, versionWords } from '../../plan/closure-words.ts';
import type { BuildReport, Observation } from '../../ports.ts';
import { exitCodes } from '../../run/report.ts';
import { shortPath, table } from '../../text/words.ts';
import type { Cli, Lab } from '../lab.ts';
import { remedyLine, saidOf } from '../render.ts';
import { choose } from './choose.ts';
import { done, printJson, printLines, useLab } from './with-lab.ts';

type Compared = {
  readonly machine: string;
  readonly runs: string | null;
  readonly wanted: string | null;
  /** Null where both are one and the same. */
  readonly diff: Result<ClosureDiff | null>;
};

const unknown = (machine: string, message: string, remedy: string): Result<never> => ({
  ok: false,
  failure: { kind: 'unknown', machine, phase: 'closure', message, remedy },
});

const compare = async (
  cli: Cli,
  lab: Lab,
  machine: Machine,
  seen: Observation | undefined,
  toplevels: BuildReport,
): Promise<Compared> => {
  const { name } = machine;
  const wanted = toplevels.built.find((toplevel) => toplevel.machine === name)?.outPath ?? null;
  const runs = seen?.kind === 'reachable' ? seen.current : null;
  const compared = (diff: Compared['diff']): Compared => ({ machine: name, runs, wanted, diff });
  if (seen?.kind === 'unreachable') return compared(unknown(name, seen.error.message, seen.error.remedy));
  const failed = toplevels.failed.find((failure) => failure.machine === name);
  if (failed !== undefined) return compared({ ok: false, failure: failed });
  if (runs === null || wanted === null)
    return compared(
      unknown(
        name,
        `what ${name} runs cannot be told`,
        `look at it: lab ssh ${name} readlink /run/current-system`,
      ),
    );
  return runs === wanted
    ? compared({ ok: true, value: null })
    : compared(await compareClosures(lab.closures, machine, { from: runs, to: wanted }, cli.stop));
};

const marks = { updated: ' ', added: '+', removed: '-' } as const;

const diffLines = ({ machine, runs, wanted, diff }: Compared): readonly string[] => {
  if (!diff.ok)
    return [
      `${machine}: not known: ${saidOf(machine, diff.failure.message)}`,
      remedyLine(diff.failure.remedy),
    ];
  if (diff.value === null) return [`${machine}: runs what the flake wants`];
  const { changes, counts } = diff.value;
  const left = counts.updated + counts.added + counts.removed - changes.length;
  return [
    machine,
    `    ${shortPath(runs)}`,
    `  → ${shortPath(wanted)}`,
    ...table(
      changes.map((change) => [
        `  ${marks[change.kind]} ${change.name}`,
        versionWords(change),
        growthWords(change.bytes),
      ]),
    ),
    ...(left > 0 ? [`    and ${left} more`] : []),
    `  ${closureSizeWords(diff.value)}`,
  ];
};

export const diff = async (
  cli: Cli,
  command: Command,
  selectors: readonly string[],
  options: { readonly build: boolean },
): Promise<void> =>
  useLab(cli, command, async ({ lab, json }) => {
    const chosen = await choose(cli, lab, selectors);
    if (!chosen.ok) return chosen;
    const { evaluation, machines, names } = chosen.value;
    const wanted = machines.map(({ name }) => name);
    const [seen, toplevels] = await Promise.all([
      observeAll(lab.target, machines, cli.stop),
      options.build
        ? lab.nix.build(wanted, { signal: cli.stop })
        : lab.nix.toplevels(wanted, { signal: cli.stop }),
    ]);
    const compared = await compareEach(machines, (machine) =>
      compare(cli, lab, machine, seen.get(machine.name), toplevels),
    );
    const failed = evaluation.fleet.failed.filter(({ name }) => names.includes(name));
    if (json)
      printJson(cli, 'diff', {
        flake: lab.flake,
        machines: compared.map(({ machine, runs, wanted: wants, diff: result }) => ({
          machine,
          runs,
          wanted: wants,
          same: result.ok && result.value === null,
          diff: result.ok ? result.value : null,
          failure: result.ok ? null : (result.failure satisfies Failure),
        })),
        failed,
      });
    else
      printLines(cli, [
        ...compared.flatMap((one, index) => [...(index === 0 ? [] : ['']), ...diffLines(one)]),
        ...failed.flatMap(({ name, message, remedy }) => [
          '',
          `${name}: not evaluated: ${saidOf(name, message)}`,
          remedyLine(remedy),
        ]),
      ]);
    const known = compared.filter(({ diff: result }) => result.ok).length;
    if (known < compared.length + failed.length)
      cli.setExitCode(known > 0 ? exitCodes.partial : exitCodes.failed);
    return done;
  });
