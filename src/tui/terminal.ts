/** The terminal in someone else's hands for a while. */

type Terminal = {
  readonly stdin: NodeJS.ReadStream;
  readonly stdout: NodeJS.WriteStream;
  /** Gives the terminal away while the promise is pending, and takes it back. */
  readonly suspend: (act: () => Promise<void>) => Promise<void>;
};

/** Resolves at the next Enter, or when the input ends. */
const nextEnter = (stdin: NodeJS.ReadStream): Promise<void> =>
  new Promise((resolve) => {
    const done = (): void => {
      stdin.off('readable', onReadable).off('end', done);
      resolve();
    };
    const onReadable = (): void => {
      let ended = false;
      for (let chunk: unknown = stdin.read(); chunk !== null; chunk = stdin.read())
        ended ||= /[\r\n]/u.test(String(chunk));
      if (ended) done();
    };
    stdin.ref?.();
    stdin.on('readable', onReadable).once('end', done);
  });

/**
 * A stream reads on by itself until its buffer is full: what is typed to the program would end here, and be run as
 * commands on the way back. Node stops reading a terminal when it hears `pause`, which it says only of one that flowed.
 */
const stopReading = (stdin: NodeJS.ReadStream): void => {
  stdin.pause();
  stdin.emit('pause');
};

/** Forgets what was read meanwhile, and reads again. */
const readAgain = (stdin: NodeJS.ReadStream): void => {
  while (stdin.read() !== null);
  stdin.read(0);
};

/**
 * Runs `act` on the plain terminal and comes back. A message that `act` gives stays there, below what the program
 * printed, until Enter: otherwise the reason would vanish with the screen's return.
 */
export const talkOver = async (
  { stdin, stdout, suspend }: Terminal,
  act: () => Promise<string | null>,
): Promise<string | null> => {
  let message: string | null = null;
  await suspend(async () => {
    stopReading(stdin);
    message = await act();
    readAgain(stdin);
    if (message === null) return;
    stdout.write(`\n[lab] ${message}\nPress Enter to return to the screen.`);
    await nextEnter(stdin);
  });
  return message;
};
