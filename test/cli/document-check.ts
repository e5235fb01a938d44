import { expect } from 'vitest';
import { z } from 'zod';
import { published } from '../../src/cli/documents/documents.ts';

/** What was printed with `--json`, held to what is published: nothing is missing, and nothing more is there. */

const Named = z.looseObject({ schema: z.string().regex(/^lab\/[a-z-]+\/1$/u) });

const see = (name: string, value: unknown): string => {
  const schema = published[name];
  if (schema === undefined) throw new Error(`no schema is published for ${name}`);
  // What the schema does not name is left out by it, at every depth.
  expect(schema.parse(value), `lab ${name} --json`).toEqual(value);
  return name;
};

/** Events bear no name; a failure that ends their stream does. */
const seeLine = (value: unknown): string =>
  Named.safeParse(value).success ? see('failure', value) : see('event', value);

/** Sees one document, or the lines of a journal; gives the names under which they are published. */
export const seeDocuments = (out: string): readonly string[] => {
  if (out.trim() === '') return [];
  if (!out.startsWith('{\n'))
    return [
      ...new Set(
        out
          .trim()
          .split('\n')
          .map((line) => seeLine(JSON.parse(line))),
      ),
    ];
  const value: unknown = JSON.parse(out);
  return [see(Named.parse(value).schema.split('/')[1] ?? '', value)];
};
