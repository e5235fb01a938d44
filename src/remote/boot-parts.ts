import { z } from 'zod';
import type { BootParts } from '../ports.ts';
import { sanitiseLine } from '../text/sanitise.ts';
import { storePathPattern } from './names.ts';
import type { ScriptRecord } from './record.ts';

/** How the scripts of this folder tell the parts of a toplevel that only a reboot changes, and how they are read. */

/** Shell functions, after the prelude: `link KEY PATH`, and `parts KEY TOPLEVEL` with `KEY-kernel` and so on. */
export const partsFunctions = `link() { if [ -e "$2" ]; then put "$1" "$(readlink -f "$2")"; fi; }
parts() {
  link "$1-kernel" "$2/kernel"
  link "$1-initrd" "$2/initrd"
  link "$1-modules" "$2/kernel-modules"
  link "$1-systemd" "$2/systemd"
  if [ -r "$2/kernel-params" ]; then put "$1-params" "$(head -c 16384 "$2/kernel-params" | tr '\\n' ' ')"; fi
}
`;

const paramsLengthMax = 16_000;

/** A path in the store; what is missing or not of that form is null. */
export const storePath = z.string().max(1_024).regex(storePathPattern).nullable().catch(null);
/** The same of a whole system, which the record of a run takes: no name in the store is longer. */
export const systemPath = z.string().max(255).regex(storePathPattern).nullable().catch(null);
export const Parts = z.object({
  kernel: storePath,
  initrd: storePath,
  modules: storePath,
  systemd: storePath,
  params: z
    .string()
    .max(paramsLengthMax)
    .transform((text) => sanitiseLine(text, paramsLengthMax).trim())
    .nullable()
    .catch(null),
}) satisfies z.ZodType<BootParts>;

/** What a record says under `KEY-…`, for `Parts` to judge. */
export const partsIn = ({ first }: ScriptRecord, key: string) => ({
  kernel: first(`${key}-kernel`),
  initrd: first(`${key}-initrd`),
  modules: first(`${key}-modules`),
  systemd: first(`${key}-systemd`),
  params: first(`${key}-params`),
});
