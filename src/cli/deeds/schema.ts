import { nearest } from '../../fleet/selector.ts';
import { sanitiseLine } from '../../text/sanitise.ts';
import { jsonSchemaOf, published, publishedNames } from '../documents/documents.ts';
import type { Cli } from '../lab.ts';
import { reportFailure } from './with-lab.ts';

/** Prints the schema of one document, or of all. */
export const schema = (cli: Cli, name: string | null): void => {
  const print = (value: object): void => cli.out(`${JSON.stringify(value, null, 2)}\n`);
  if (name === null) {
    print(Object.fromEntries(Object.entries(published).map(([each, of]) => [each, jsonSchemaOf(each, of)])));
    return;
  }
  const of = publishedNames.includes(name) ? published[name] : undefined;
  if (of !== undefined) {
    print(jsonSchemaOf(name, of));
    return;
  }
  const near = nearest(name, publishedNames);
  reportFailure(
    cli,
    {
      kind: 'usage',
      machine: null,
      phase: 'schema',
      message: `no document is called "${sanitiseLine(name, 40)}"`,
      remedy: `${near === null ? '' : `did you mean ${near}? `}There are: ${publishedNames.join(', ')}`,
    },
    false,
  );
};
