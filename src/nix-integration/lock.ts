import { z } from 'zod';

/**
 * flake.lock (version 5 to 7): a graph of inputs. An input of a node is the key of another node, or a path from the
 * root that it follows.
 */

const nodesMax = 5_000;
const textMax = 4_096;
const text = z.string().max(textMax);

/** A locked or original reference: `type` and whatever that type needs. Only what is read here is checked. */
const Reference = z.object({
  type: text,
  owner: text.optional(),
  repo: text.optional(),
  host: text.optional(),
  url: text.optional(),
  path: text.optional(),
  id: text.optional(),
  ref: text.optional(),
  dir: text.optional(),
  rev: text.optional(),
  narHash: text.optional(),
  /** Seconds since the epoch. */
  lastModified: z.number().optional(),
});
export type Reference = z.infer<typeof Reference>;

const Node = z.object({
  inputs: z.record(text, z.union([text, z.array(text).max(64)])).optional(),
  locked: Reference.optional(),
  original: Reference.optional(),
  /** Newer locks: a relative path input belongs to the tree of this node and has no hash of its own. */
  parent: z.array(text).max(64).optional(),
});
export type LockNode = z.infer<typeof Node>;

const Lock = z
  .object({ version: z.int().min(5).max(7), root: text, nodes: z.record(text, Node) })
  .refine((lock) => Object.keys(lock.nodes).length <= nodesMax, `more than ${nodesMax} inputs`)
  .refine((lock) => Object.hasOwn(lock.nodes, lock.root), 'the root node is missing');
export type Lock = z.infer<typeof Lock>;

/** What the journal can keep of one, to put it back. */
export const lockCharsMax = 4_000_000;

/** Reads flake.lock; null with a reason in words when it is none. Absent text is the lock of a flake without inputs. */
export const parseLock = (
  source: string | null,
): { readonly lock: Lock } | { readonly lock: null; readonly problem: string } => {
  if (source === null) return { lock: { version: 7, root: 'root', nodes: { root: {} } } };
  if (source.length > lockCharsMax) return { lock: null, problem: 'it is too large' };
  let json: unknown;
  try {
    json = JSON.parse(source);
  } catch {
    return { lock: null, problem: 'it is not JSON' };
  }
  const parsed = Lock.safeParse(json);
  if (parsed.success) return { lock: parsed.data };
  const issue = parsed.error.issues[0];
  return { lock: null, problem: `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'not a lock file'}` };
};

export const nodeAt = (lock: Lock, key: string): LockNode | null =>
  Object.getOwnPropertyDescriptor(lock.nodes, key)?.value ?? null;
export const inputAt = (node: LockNode, name: string): string | readonly string[] | null =>
  Object.getOwnPropertyDescriptor(node.inputs ?? {}, name)?.value ?? null;

/** Names of the flake's own inputs. */
export const rootInputs = (lock: Lock): readonly string[] =>
  Object.keys(nodeAt(lock, lock.root)?.inputs ?? {});
