import { limits } from '../fleet/limits.ts';

/** A Nix string literal that means exactly `text`. */
export const nixString = (text: string): string =>
  `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('${', '\\${')}"`;

/** Linux refuses a single argument of 128 KiB and more. */
export const argumentBytesMax = 128 * 1024 - 1;

/** Machines one Nix process evaluates at most: it never gives the memory of one back. */
export const chunkMachinesMax = 50;
/** Below this a second process costs more than it saves. */
export const chunkMachinesMin = 4;

/** How many machines each process takes when `count` of them meet `workers` processes. */
export const chunkSize = (count: number, workers: number): number =>
  Math.min(chunkMachinesMax, Math.max(chunkMachinesMin, Math.ceil(count / workers)));

/**
 * The first evaluation says all names (`@lab names {"names": […], "first": […]}`), then goes on with the first
 * share of those that can be machine names, so that a small fleet costs one process.
 * `fleet` is the text of the fleet expression: names → configurations → records, with trace markers.
 */
export const listAndEvaluate = (fleet: string, workers: number): string => `configurations:
let
  fleet = (${fleet}
  );
  names = builtins.attrNames configurations;
  usable = builtins.filter
    (name: builtins.stringLength name <= ${limits.nameLengthMax} && builtins.match "[A-Za-z0-9_][A-Za-z0-9_.-]*" name != null)
    names;
  count = builtins.length usable;
  least = a: b: if a < b then a else b;
  most = a: b: if a > b then a else b;
  share = least ${chunkMachinesMax} (most ${chunkMachinesMin} ((count + ${workers - 1}) / ${workers}));
  first = builtins.genList (builtins.elemAt usable) (least count share);
in
builtins.trace "@lab names \${builtins.toJSON { inherit names first; }}" (fleet first configurations)`;

/** Evaluates the records of the machines named. */
export const evaluateNamed = (fleet: string, names: readonly string[]): string =>
  `(${fleet}\n) [ ${names.map(nixString).join(' ')} ]`;

/** Asks for the toplevel of one machine without building it. A set with `outPath` would print as that path alone. */
export const toplevelOf = (name: string): string =>
  `configurations:
let toplevel = configurations.${nixString(name)}.config.system.build.toplevel;
in { drv = toplevel.drvPath; out = toplevel.outPath; }`;
