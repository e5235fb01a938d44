import { EventBody } from '../run/event.ts';

/**
 * An event as the record takes it. Sentences are made of what machines and Nix say, and of names by the hundred: one that
 * is longer than its bound is cut, for words must never end a run. What is decided by (names, ids, paths, steps) is never
 * cut: out of its bounds it is a bug, and the record refuses it.
 */

/** Fields that hold words for people and nothing else. */
const worded: ReadonlySet<PropertyKey> = new Set([
  'note',
  'message',
  'remedy',
  'reason',
  'why',
  'detail',
  'remarks',
]);
/** A list is cut before its items are looked at; nothing is nested deeper than that. */
const roundsMax = 3;

type Path = readonly PropertyKey[];
type Bounds = ReadonlyMap<string, number>;
const keyOf = (path: Path): string => path.map(String).join('/');
const isWorded = (path: Path): boolean => worded.has(path.findLast((part) => typeof part === 'string') ?? '');

const cut = (value: unknown, bounds: Bounds, path: Path): unknown => {
  const most = bounds.get(keyOf(path));
  if (typeof value === 'string')
    return most === undefined ? value : `${value.slice(0, most - 1).toWellFormed()}…`;
  if (Array.isArray(value))
    return value.slice(0, most ?? value.length).map((item, index) => cut(item, bounds, [...path, index]));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, cut(item, bounds, [...path, key])]),
  );
};

/** The same event, its sentences within their bounds. Throws a `ZodError` for one that is none, or out of other bounds. */
export const fitted = (given: EventBody): EventBody => {
  let body: unknown = given;
  for (let round = 0; round < roundsMax; round += 1) {
    const parsed = EventBody.safeParse(body);
    if (parsed.success) return parsed.data;
    const bounds = new Map(
      parsed.error.issues.flatMap((issue) =>
        issue.code === 'too_big' && isWorded(issue.path)
          ? [[keyOf(issue.path), Number(issue.maximum)] as const]
          : [],
      ),
    );
    if (bounds.size < parsed.error.issues.length) throw parsed.error;
    body = cut(body, bounds, []);
  }
  return EventBody.parse(body);
};
