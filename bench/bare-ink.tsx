import { Box, render, Text, useInput } from 'ink';
import { useState } from 'react';

/** The least that could be called the same: as many lines as the screen has, a cursor among them, with the same options of Ink. */

const { columns, rows } = process.stdout;

const List = () => {
  const [at, setAt] = useState(0);
  useInput((input) => {
    if (input === 'q') process.exit(0);
    setAt((before) => Math.max(0, before + (input === 'k' ? -1 : 1)));
  });
  const first = Math.max(0, at - rows + 1);
  return (
    <Box width={columns} height={rows} overflow="hidden" flexDirection="column">
      {Array.from({ length: rows }, (_, row) => (
        <Text key={row} wrap="truncate">
          {`${first + row === at ? '▶' : ' '}  machine-${String(first + row + 1).padStart(4, '0')}`.padEnd(
            columns,
          )}
        </Text>
      ))}
    </Box>
  );
};

render(<List />, { alternateScreen: true, incrementalRendering: true, patchConsole: false, maxFps: 30 });
