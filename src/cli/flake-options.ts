import { z } from 'zod';
import type { LabOptions } from './lab.ts';

/** Options of every command that reads the flake. Parsed by commander, checked here once more. */
const FlakeOptions = z.object({
  flake: z.string().min(1).max(4_096),
  overrideInput: z.array(z.object({ name: z.string(), url: z.string() })),
  nixOption: z.array(z.object({ name: z.string(), value: z.string() })),
  sshConfig: z.string().max(4_096).exactOptional(),
  refresh: z.boolean(),
  json: z.boolean(),
});

export const readFlakeOptions = (
  values: unknown,
): { readonly options: LabOptions; readonly json: boolean } => {
  const parsed = FlakeOptions.parse(values);
  return {
    json: parsed.json,
    options: {
      flake: parsed.flake,
      overrideInputs: parsed.overrideInput,
      nixOptions: parsed.nixOption,
      sshConfig: parsed.sshConfig ?? null,
      refresh: parsed.refresh,
    },
  };
};
