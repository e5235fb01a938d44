/**
 * What terminals send that nobody pressed: mouse reports that another program left switched on, and answers to what it
 * asked. Ink knows those of the usual form and drops them. The old mouse report ends in three plain characters, and
 * answers that are strings are plain text: typed, both would be keys.
 */

/** `ESC [ M`, then button, column and row as a character each, none of them a control character. */
const oldMouse = /\u001b\[M[^\u0000-\u001f]{0,3}/gu;
const oldMouseCells = 3;
/** Answers about colours, names and abilities, from their beginning to the end that they name. */
const stringAnswer = /\u001b(?:\][^\u001b\u0007]*(?:\u0007|\u001b\\)|[PX^_][^\u001b\u0007]*\u001b\\)/gu;
/** The beginning of a mouse report of the newer form, the rest of which is still on its way. No key begins so. */
const mouseBegun = /\u001b\[<[\d;]*$/u;

/** Takes reports out of what comes in, chunk by chunk: one may come in two pieces. */
export const reportFilter = (): ((chunk: string) => string) => {
  let begun = '';
  /** Characters of an old mouse report that the next chunk begins with. Never more than one chunk is waited for. */
  let owed = 0;
  return (chunk) => {
    const rest = [...chunk];
    const own = /^[\u0000-\u001f]/u.test(chunk) ? 0 : owed;
    const whole = begun + rest.slice(own).join('');
    [begun, owed] = ['', 0];
    const kept = whole
      .replaceAll(stringAnswer, '')
      .replaceAll(oldMouse, (report, at: number, all: string) => {
        if (at + report.length === all.length) owed = oldMouseCells - ([...report].length - 3);
        return '';
      });
    begun = mouseBegun.exec(kept)?.[0] ?? '';
    return kept.slice(0, kept.length - begun.length);
  };
};

/** The keyboard without them: all that reads it gets what was pressed. */
export const withoutReports = (stdin: NodeJS.ReadStream): NodeJS.ReadStream => {
  const filter = reportFilter();
  const read = (size?: number): unknown => {
    const chunk: unknown = stdin.read(size);
    return typeof chunk === 'string' ? filter(chunk) : chunk;
  };
  return new Proxy(stdin, {
    get: (target, name) => {
      if (name === 'read') return read;
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
};
