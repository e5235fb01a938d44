import { exitCodes } from '../run/report.ts';
import { configJsonSchema } from '../tui/config/schema.ts';
import { configPathOf, readConfigFile } from './config-file.ts';
import type { Surroundings } from './surroundings.ts';

/** `lab config`: prints the schema, an example, or what is wrong with the file that is there. */

const example = {
  skin: 'auto',
  labs: { '/etc/nixos': { skin: 'ember' } },
  keys: { ssh: ['s', 'ctrl-s'] },
} as const;

export const tellConfig = (
  what: 'check' | 'schema' | 'example',
  env: Surroundings['env'],
  print: { readonly out: (text: string) => void; readonly err: (text: string) => void },
): number => {
  if (what === 'schema') {
    print.out(`${JSON.stringify(configJsonSchema(), null, 2)}\n`);
    return exitCodes.done;
  }
  if (what === 'example') {
    print.out(`${JSON.stringify(example, null, 2)}\n`);
    return exitCodes.done;
  }
  const path = configPathOf(env);
  const read = readConfigFile(path);
  if (read === null) {
    print.out(
      `${path} does not exist: the defaults hold. \`lab config --example\` prints one to begin with.\n`,
    );
    return exitCodes.done;
  }
  if (read.ok) {
    print.out(`${path}: ✔ nothing is wrong with it\n`);
    return exitCodes.done;
  }
  print.err(
    `${path}: the defaults hold, because\n${read.problems.map((problem) => `  ✖ ${problem}\n`).join('')}`,
  );
  return exitCodes.usage;
};
