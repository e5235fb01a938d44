import { z } from 'zod';
import { type FailedMachine, Machine } from '../fleet/machine.ts';
import { sanitiseLine } from '../text/sanitise.ts';

/** Fields of the record that are no options of `lab.machine`. */
const elsewhere: Readonly<Record<string, string>> = {
  name: 'the name in nixosConfigurations',
  hostName: 'networking.hostName',
  system: 'the system of nixpkgs',
};

/** Options whose field says its unit as well. */
const renamed: Readonly<Record<string, string>> = { timeoutSeconds: 'timeout', intervalSeconds: 'interval' };

const optionOf = (path: readonly PropertyKey[]): string => {
  const [first, ...rest] = path.map(String);
  if (first === undefined) return 'lab.machine';
  const known = elsewhere[first];
  return known ?? ['lab.machine', first, ...rest].map((step) => renamed[step] ?? step).join('.');
};

const issuesShownMax = 3;
const valueCharsMax = 60;

const valueAt = (record: unknown, path: readonly PropertyKey[]): unknown => {
  let here = record;
  for (const step of path) {
    if (typeof here !== 'object' || here === null) return undefined;
    here = Object.getOwnPropertyDescriptor(here, step)?.value;
  }
  return here;
};

const shown = (value: unknown): string =>
  value === undefined ? 'missing' : sanitiseLine(JSON.stringify(value) ?? String(value), valueCharsMax);

/** One sentence for what the schema did not accept: option, value, what was expected. */
const describe = (record: unknown, issues: z.ZodError['issues']): string => {
  const told = issues
    .slice(0, issuesShownMax)
    .map((issue) => `${optionOf(issue.path)} is ${shown(valueAt(record, issue.path))}: ${issue.message}`);
  const more = issues.length - told.length;
  return sanitiseLine(`${told.join('; ')}${more > 0 ? `; and ${more} more` : ''}`, 600);
};

/** A machine as read, and whether it imports the lab module: without it the module's defaults hold. */
export type ReadRecord =
  | { readonly kind: 'machine'; readonly machine: Machine; readonly usesModule: boolean }
  | { readonly kind: 'failed'; readonly failed: FailedMachine };

const refuse = (name: string, message: string, remedy: string): ReadRecord => ({
  kind: 'failed',
  failed: { name, message, remedy },
});

const Origin = z.object({ labMachine: z.boolean().default(true) });

/** Reads the record that the fleet expression printed for one machine. */
export const readRecord = (name: string, json: string): ReadRecord => {
  let record: unknown;
  try {
    record = JSON.parse(json);
  } catch {
    return refuse(
      name,
      'What Nix printed for it is not whole.',
      'Make the texts in its lab.machine options shorter.',
    );
  }
  const parsed = Machine.safeParse(record);
  if (!parsed.success) {
    return refuse(
      name,
      describe(record, parsed.error.issues),
      'Correct the option; nix/modules/lab-machine.nix says what each accepts.',
    );
  }
  if (parsed.data.name !== name) {
    return refuse(
      name,
      `Its record bears another name: ${sanitiseLine(parsed.data.name)}.`,
      'This is a fault of the fleet expression of lab.',
    );
  }
  const origin = Origin.safeParse(record);
  return {
    kind: 'machine',
    machine: parsed.data,
    usesModule: !origin.success || origin.data.labMachine,
  };
};
