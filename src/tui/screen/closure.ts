import type { Dated } from '../../flow/session.ts';
import { type ClosureDiffs, closureKey } from '../../flow/session-closures.ts';
import type { ClosureDiff, PackageChange } from '../../plan/closure-diff.ts';
import { closureSizeWords, diffSummary, growthWords, versionWords } from '../../plan/closure-words.ts';
import type { MachinePlan } from '../../plan/plan.ts';
import { cellsOf, fitText, type Line, labelled, line, span } from '../draw/line.ts';
import type { Tone } from '../draw/theme.ts';
import { fact, heading, type MachineScene } from './machine-facts.ts';
import { ageWords } from './words.ts';

/** Which packages come, go and change when what the flake wants takes the place of what runs. */

const nameCellsMax = 34;

const signs: Readonly<Record<PackageChange['kind'], { readonly sign: string; readonly tone: Tone }>> = {
  updated: { sign: '  ', tone: 'plain' },
  added: { sign: '+ ', tone: 'good' },
  removed: { sign: '- ', tone: 'warn' },
};

const changeLine = (
  change: PackageChange,
  nameCells: number,
  { width, pen }: MachineScene,
): readonly Line[] => {
  const { sign, tone } = signs[change.kind];
  const growth = growthWords(change.bytes);
  return labelled(
    span(`  ${sign}${fitText(pen.clean(change.name), nameCells, pen.glyphs.more)}`, 'strong'),
    4 + nameCells + 2,
    pen.clean(`${versionWords(change)}${growth === '' ? '' : ` (${growth})`}`),
    tone,
    width - 1,
  );
};

const diffLines = (scene: MachineScene, { value, at }: Dated<ClosureDiff>): readonly Line[] => {
  if (value === null) return [];
  const { changes, counts } = value;
  const nameCells = Math.min(
    nameCellsMax,
    Math.max(8, Math.floor(scene.width / 3)),
    Math.max(...changes.map(({ name }) => cellsOf(name)), 8),
  );
  const left = counts.updated + counts.added + counts.removed - changes.length;
  return [
    ...fact(
      scene,
      'in all',
      `${counts.updated} updated, ${counts.added} added, ${counts.removed} removed; ${closureSizeWords(value)}`,
    ),
    ...fact(scene, 'compared', at === null ? '' : ageWords(scene.now - at), 'quiet'),
    ...changes.flatMap((change) => changeLine(change, nameCells, scene)),
    ...(left > 0 ? [line(`  and ${left} more`, 'quiet')] : []),
  ];
};

/** Why there is nothing to compare, or null where there is. */
const nothingToCompare = ({ snapshot, row }: MachineScene): { text: string; tone: Tone } | null => {
  const observation = snapshot.observations.get(row.name);
  const wanted = snapshot.toplevels.get(row.name)?.outPath;
  if (observation === undefined) return { text: 'not known: it has not been looked at yet', tone: 'quiet' };
  if (observation.kind === 'unreachable') return { text: 'not known: it was not reached', tone: 'warn' };
  if (wanted === undefined)
    return { text: 'not known: what the flake wants is not evaluated yet', tone: 'quiet' };
  if (observation.current === null) return { text: 'not known: it does not say what it runs', tone: 'warn' };
  return observation.current === wanted
    ? { text: 'none: it runs what the flake wants', tone: 'quiet' }
    : null;
};

/** What the packages of this machine would become, for its overview. */
export const packageLines = (scene: MachineScene): readonly Line[] => {
  const { snapshot, row, spinner } = scene;
  const nothing = nothingToCompare(scene);
  const title = heading('PACKAGES, RUNNING AND WANTED');
  if (nothing !== null) return [...title, ...fact(scene, 'changes', nothing.text, nothing.tone)];
  const seen = snapshot.observations.get(row.name);
  const from = seen?.kind === 'reachable' ? (seen.current ?? '') : '';
  const known = snapshot.closureDiffs.get(closureKey(from, snapshot.toplevels.get(row.name)?.outPath ?? ''));
  if (known === undefined || known.refreshing)
    return [...title, line(`  ${spinner} both closures are being read`, 'busy')];
  return [
    ...title,
    ...(known.failure === null
      ? diffLines(scene, known)
      : [
          ...fact(scene, 'changes', `not known: ${known.failure.message}`, 'warn'),
          ...fact(scene, 'what to do', known.failure.remedy),
        ]),
  ];
};

/** Packages named in a plan, by machine; the overview of the machine names all. */
const namedMax = 5;

/** What an activation changes, in a few words for the plan; nothing where nobody compared yet. */
export const packageSummary = (
  { prior, wanted }: MachinePlan,
  diffs: ClosureDiffs,
): readonly { readonly text: string; readonly tone: Tone }[] => {
  if (prior?.current == null || wanted === null) return [];
  const known = diffs.get(closureKey(prior.current, wanted));
  if (known === undefined) return [];
  if (known.refreshing) return [{ text: 'being compared', tone: 'quiet' }];
  return [
    known.value === null
      ? { text: `not known: ${known.failure?.message ?? ''}`, tone: 'warn' }
      : { text: diffSummary(known.value, namedMax) || 'all as they are', tone: 'plain' },
  ];
};
