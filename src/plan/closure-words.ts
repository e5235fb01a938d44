import { count } from '../text/words.ts';
import type { ClosureDiff, PackageChange } from './closure-diff.ts';

/** What differs between two closures, in words for every front end. */

/** `1.2 GB`, `34 MB`, `816 B` */
export const bytesWords = (bytes: number): string => {
  const [unit, size] =
    bytes >= 1e9 ? ['GB', 1e9] : bytes >= 1e6 ? ['MB', 1e6] : bytes >= 1e3 ? ['kB', 1e3] : ['B', 1];
  const amount = bytes / Number(size);
  return `${amount < 10 && unit !== 'B' ? amount.toFixed(1) : Math.round(amount)} ${unit}`;
};

/** `+34 MB`, `-816 B`; empty where nothing grows or shrinks. */
export const growthWords = (bytes: number): string =>
  bytes === 0 ? '' : `${bytes > 0 ? '+' : '-'}${bytesWords(Math.abs(bytes))}`;

/** What becomes of the versions: `3.0.14 → 3.0.15`, `3.13 comes beside 1 other`, `3.11 goes`. */
export const versionWords = ({ kind, from, to, kept }: PackageChange): string => {
  if (kind === 'added') return to.join(', ');
  if (kind === 'removed') return from.join(', ');
  if (from.length > 0 && to.length > 0) return `${from.join(', ')} → ${to.join(', ')}`;
  const stays = kept === 1 ? 'one version stays' : `${kept} versions stay`;
  if (from.length > 0) return `${from.join(', ')} goes; ${stays}`;
  return to.length > 0 ? `${to.join(', ')} comes; ${stays}` : stays;
};

/** `openssl 3.0.14 → 3.0.15`, `+ htop 3.4.1`, `- nano 8.7` */
export const changeWords = (change: PackageChange): string => {
  const sign = change.kind === 'added' ? '+ ' : change.kind === 'removed' ? '- ' : '';
  return `${sign}${change.name} ${versionWords(change)}`.trimEnd();
};

/** `closure 2.1 GB → 2.2 GB (+34 MB); 14 packages of the same version were built anew` */
export const closureSizeWords = ({ before, after, rebuilt }: ClosureDiff): string => {
  const growth = growthWords(after.bytes - before.bytes);
  const [old, now] = [bytesWords(before.bytes), bytesWords(after.bytes)];
  const size =
    growth === ''
      ? `closure ${now} as before`
      : `closure ${old === now ? now : `${old} → ${now}`} (${growth})`;
  return rebuilt.count === 0
    ? size
    : `${size}; ${count(rebuilt.count, 'package')} of the same version built anew`;
};

/** What people look for first. */
const notable = ['linux', 'systemd', 'glibc', 'openssl', 'openssh'];

/** The whole difference in a few pieces: what is notable or large by name, the rest as numbers. */
export const diffPieces = (diff: ClosureDiff, namedMax: number): readonly string[] => {
  const { changes, counts, before, after } = diff;
  const rank = ({ name }: PackageChange): number => {
    const place = notable.indexOf(name);
    // Another kernel says it already.
    const told = name.startsWith('initrd-linux');
    return place >= 0 ? place : notable.length + (told ? 1 : 0);
  };
  const updated = changes
    .filter(({ kind, from, to }) => kind === 'updated' && from.length + to.length > 0)
    .sort((a, b) => rank(a) - rank(b) || Math.abs(b.bytes) - Math.abs(a.bytes));
  const named = updated.slice(0, namedMax).map(changeWords);
  const others = counts.updated - named.length;
  const growth = growthWords(after.bytes - before.bytes);
  return [
    ...named,
    ...(others > 0
      ? [
          `${count(others, named.length > 0 ? 'other package' : 'package', named.length > 0 ? 'other packages' : 'packages')} updated`,
        ]
      : []),
    ...(counts.added > 0 ? [`${counts.added} added`] : []),
    ...(counts.removed > 0 ? [`${counts.removed} removed`] : []),
    ...(diff.rebuilt.count > 0 ? [`${diff.rebuilt.count} built anew`] : []),
    ...(growth === '' ? [] : [`closure ${growth}`]),
  ];
};

/** The same in a line or two. */
export const diffSummary = (diff: ClosureDiff, namedMax: number): string =>
  diffPieces(diff, namedMax).join(', ');
