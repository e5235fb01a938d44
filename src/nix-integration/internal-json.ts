import { stripVTControlCharacters } from 'node:util';
import { z } from 'zod';
import { lineCharsMax } from '../process/output.ts';

/**
 * What Nix says on stderr with `--log-format internal-json`: lines `@nix {…}`. Lines of any other kind (a crash,
 * a program Nix started) are `plain`.
 */
export type NixEvent =
  | {
      readonly kind: 'message';
      /** 0 error and notice, 1 warning, and less and less important from there. */
      readonly level: number;
      /** May hold several lines and terminal colours. */
      readonly text: string;
      /** Set on errors: the root cause without trace and position. */
      readonly raw: string | null;
      readonly at: { readonly file: string; readonly line: number; readonly column: number | null } | null;
    }
  | {
      readonly kind: 'start';
      readonly id: number;
      readonly activity: number;
      readonly text: string;
      readonly fields: readonly (string | number)[];
    }
  | { readonly kind: 'stop'; readonly id: number }
  | {
      readonly kind: 'result';
      readonly id: number;
      readonly type: number;
      readonly fields: readonly (string | number)[];
    }
  | { readonly kind: 'plain'; readonly text: string };

/** Kinds of activity that are told to people. */
export const activities = {
  copyPath: 100,
  download: 101,
  realise: 102,
  copyPaths: 103,
  builds: 104,
  build: 105,
  substitute: 108,
} as const;
export const results = {
  logLine: 101,
  phase: 104,
  progress: 105,
  setExpected: 106,
  postBuildLogLine: 107,
} as const;

const fieldsMax = 16;
const textCharsMax = lineCharsMax;
const number = z.number();
const text = z.string().max(textCharsMax);
const fields = z
  .array(z.union([text, number]))
  .max(fieldsMax)
  .default([]);

const Line = z.discriminatedUnion('action', [
  z.object({
    action: z.literal('msg'),
    level: number,
    msg: text,
    raw_msg: text.optional(),
    file: text.nullish(),
    line: number.nullish(),
    column: number.nullish(),
  }),
  z.object({ action: z.literal('start'), id: number, type: number, text: text.default(''), fields }),
  z.object({ action: z.literal('stop'), id: number }),
  z.object({ action: z.literal('result'), id: number, type: number, fields }),
]);

const prefix = '@nix ';

/** Reads one line of stderr. Never throws: what cannot be read is `plain`. */
export const parseNixLine = (line: string): NixEvent => {
  const plain = { kind: 'plain', text: line.slice(0, textCharsMax) } as const;
  if (line.length > lineCharsMax) return plain;
  if (!line.startsWith(prefix)) return plain;
  let json: unknown;
  try {
    json = JSON.parse(line.slice(prefix.length));
  } catch {
    return plain;
  }
  const parsed = Line.safeParse(json);
  if (!parsed.success) return plain;
  const event = parsed.data;
  switch (event.action) {
    case 'msg': {
      const { file, line: row, column } = event;
      const at = file == null || row == null ? null : { file, line: row, column: column ?? null };
      return { kind: 'message', level: event.level, text: event.msg, raw: event.raw_msg ?? null, at };
    }
    case 'start':
      return { kind: 'start', id: event.id, activity: event.type, text: event.text, fields: event.fields };
    case 'stop':
      return { kind: 'stop', id: event.id };
    case 'result':
      return { kind: 'result', id: event.id, type: event.type, fields: event.fields };
  }
};

/** The text without terminal colours; lines stay lines. */
export const withoutColours = (text: string): string => stripVTControlCharacters(text);
