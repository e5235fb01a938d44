/**
 * Node gives every built-in module that is imported by an ES module a namespace with all it exports, and for that
 * evaluates what would otherwise be loaded on first use (streams of node:fs, flags of node:process): about 8 ms at
 * each start of `lab`, measured. A built-in that is asked for by `getBuiltinModule` costs only what is used of it.
 */

const fromBuiltin = /^import (?:([\w$]+)|\* as ([\w$]+)|\{([^}]*)\}) from "(node:[^"]+)";$/gmu;

/** `process` by itself may be a name in the bundle. */
const get = (name: string): string => `globalThis.process.getBuiltinModule(${JSON.stringify(name)})`;

/**
 * The text of a bundled ES module with its imports of built-ins turned into constants at the end of its first line.
 * All other lines stay where source maps look for them.
 */
export const withBuiltinsByName = (text: string): string => {
  const constants: string[] = [];
  const rest = text.replaceAll(
    fromBuiltin,
    (
      line,
      whole: string | undefined,
      all: string | undefined,
      names: string | undefined,
      builtin: string,
    ) => {
      const wanted =
        whole ??
        all ??
        `{ ${(names ?? '')
          .replaceAll(/\s+as\s+/gu, ': ')
          .replaceAll(/\s+/gu, ' ')
          .trim()} }`;
      constants.push(`const ${wanted} = ${get(builtin)};`);
      return line.replaceAll(/[^\n]/gu, '');
    },
  );
  const end = rest.indexOf('\n');
  return end === -1 ? rest : `${rest.slice(0, end)} ${constants.join(' ')}${rest.slice(end)}`;
};
