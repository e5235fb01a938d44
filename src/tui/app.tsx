import { Box, Text, useApp, useInput, usePaste } from 'ink';
import { memo, useEffect, useLayoutEffect, useSyncExternalStore } from 'react';
import { joined, type Line, type Span, sameLine } from './draw/line.ts';
import { type Skin, styleOf } from './draw/theme.ts';
import { frameOf } from './frame.ts';
import type { ColourMode } from './prepare-colour.ts';
import type { Shell } from './shell.ts';
import { keysOf } from './state/keys.ts';

/** Ink's part: paints the frame, line by line, and hands on what was pressed. Everything else is decided elsewhere. */

type Look = { readonly colour: ColourMode; readonly skin: Skin };

const Piece = ({ piece, colour, skin }: { readonly piece: Span } & Look) => (
  <Text {...styleOf(colour, skin, piece.tone, piece.surface)}>{piece.text}</Text>
);

const Row = memo(
  ({ content, colour, skin }: { readonly content: Line } & Look) => (
    <Text wrap="truncate">
      {joined(content).map((piece, index) => (
        <Piece key={index} piece={piece} colour={colour} skin={skin} />
      ))}
    </Text>
  ),
  (before, after) => before.skin === after.skin && sameLine(before.content, after.content),
);

export const App = ({
  shell,
  colour,
  onCrash,
  onReady,
  onLeave,
}: {
  readonly shell: Shell;
  readonly colour: ColourMode;
  /** An error outside of rendering, which no error boundary sees. */
  readonly onCrash: (error: unknown) => void;
  /** Gives the way to lend the terminal to another program. */
  readonly onReady: (suspend: (act: () => Promise<void>) => Promise<void>) => void;
  /** The last frame was shown; the terminal is about to be given back. */
  readonly onLeave: () => void;
}) => {
  const { suspendTerminal } = useApp();
  useLayoutEffect(() => onLeave, [onLeave]);
  useEffect(() => onReady((act) => suspendTerminal(act)), [onReady, suspendTerminal]);
  const moment = useSyncExternalStore(shell.subscribe, shell.moment);
  const guarded = (act: () => void): void => {
    try {
      act();
    } catch (error) {
      onCrash(error);
    }
  };
  useInput((input, key) => {
    guarded(() => {
      for (const name of keysOf(input, key, shell.typing())) shell.key(name);
    });
  });
  usePaste((text) => guarded(() => shell.paste(text)));
  const { columns, rows } = moment.ui.size;
  return (
    // Without `overflow`: the lines fit already, and Ink would take each apart once more to cut it.
    <Box width={columns} height={rows} flexDirection="column">
      {frameOf(shell.scene()).map((content, index) => (
        <Row key={index} content={content} colour={colour} skin={moment.settings.skin} />
      ))}
    </Box>
  );
};
