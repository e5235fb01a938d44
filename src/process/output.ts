import type { Readable } from 'node:stream';

/** Longest line handed to a callback, in characters; the rest of a longer one is dropped. */
export const lineCharsMax = 1024 * 1024;

/**
 * Cuts a stream of text into lines. Accepts pieces of any size and never holds more than one line of
 * `lineCharsMax`. `end` hands over what came after the last newline.
 */
export const createLineCutter = (
  onLine: (line: string) => void,
): { readonly push: (piece: string) => void; readonly end: () => void } => {
  let line = '';
  let open = false;
  const extend = (piece: string) => {
    open = true;
    if (line.length < lineCharsMax) line += piece.slice(0, lineCharsMax - line.length);
  };
  const close = () => {
    const whole = line.endsWith('\r') ? line.slice(0, -1) : line;
    line = '';
    open = false;
    onLine(whole);
  };
  return {
    push: (piece) => {
      let from = 0;
      for (let at = piece.indexOf('\n'); at !== -1; at = piece.indexOf('\n', from)) {
        extend(piece.slice(from, at));
        close();
        from = at + 1;
      }
      if (from < piece.length) extend(piece.slice(from));
    },
    end: () => {
      if (open) close();
    },
  };
};

export type Keep = 'beginning' | 'end';
export type Captured = { readonly text: string; readonly cut: boolean };

/** Holds at most `charsMax` characters of a stream: its beginning or its end. */
export const createCapture = (
  keep: Keep,
  charsMax: number,
): { readonly push: (piece: string) => void; readonly take: () => Captured } => {
  let text = '';
  let cut = false;
  return {
    push: (piece) => {
      if (keep === 'beginning') {
        cut ||= text.length + piece.length > charsMax;
        if (text.length < charsMax) text += piece.slice(0, charsMax - text.length);
        return;
      }
      text += piece;
      // Cutting at twice the bound keeps the cost of a long stream linear.
      if (text.length > 2 * charsMax) {
        text = text.slice(-charsMax);
        cut = true;
      }
    },
    take: () => (text.length > charsMax ? { text: text.slice(-charsMax), cut: true } : { text, cut }),
  };
};

/** Reads a stream to its end or its destruction, into a bounded capture and, when asked, line by line. */
export const readOutput = (
  stream: Readable,
  keep: Keep,
  charsMax: number,
  onLine: ((line: string) => void) | undefined,
): Promise<Captured> =>
  new Promise((resolve) => {
    const capture = createCapture(keep, charsMax);
    const lines = onLine === undefined ? null : createLineCutter(onLine);
    stream.setEncoding('utf8');
    stream.on('data', (piece: string) => {
      capture.push(piece);
      lines?.push(piece);
    });
    // A read error ends the output; what the process itself did is in its exit status.
    stream.on('error', () => undefined);
    stream.once('close', () => {
      lines?.end();
      resolve(capture.take());
    });
  });
