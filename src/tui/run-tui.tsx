import { render } from 'ink';
import type { Failure } from '../failure.ts';
import type { Session } from '../flow/session.ts';
import { App } from './app.tsx';
import { copySequence } from './clipboard.ts';
import { makePen } from './draw/pen.ts';
import type { ColourMode } from './prepare-colour.ts';
import { createShell, type Shell, type TerminalIntent } from './shell.ts';
import { withoutReports } from './state/reports.ts';
import type { Settings } from './state/settings.ts';
import { talkOver } from './terminal.ts';

/** Why the screen closed. `crashed` is a bug: the terminal is restored, the session still runs and has to be closed. */
export type TuiExit =
  | { readonly kind: 'quit' }
  | { readonly kind: 'signal'; readonly signal: 'SIGTERM' | 'SIGHUP' }
  | { readonly kind: 'crashed'; readonly error: unknown };

export type TuiOptions = {
  /** Draw with ASCII alone (see `wantsAscii`). */
  readonly ascii: boolean;
  /** What `prepareColour` said, before this file was imported. */
  readonly colour: ColourMode;
  readonly stdin: NodeJS.ReadStream;
  readonly stdout: NodeJS.WriteStream;
  /** How things stand with the configuration now, and from now on: other settings, or what is wrong with them. */
  readonly settings: Settings;
  /** Said at once, until a key is pressed: what is wrong with the configuration. */
  readonly firstWords?: string | null;
  readonly watchSettings?: (listener: (news: Settings | { readonly problem: string }) => void) => () => void;
  /** Lines typed after `:` before, and what keeps more. */
  readonly typed?: Parameters<typeof createShell>[0]['typed'];
  /** Offer nothing that changes the flake or a machine. */
  readonly readonly: boolean;
  /** Copying has to be passed on by tmux. */
  readonly insideTmux?: boolean;
  /** Runs a program on the terminal, which is its own for that time, and gives its exit code. */
  readonly runInteractive: (argv: readonly string[]) => Promise<number>;
  /** Stops this process until the shell continues it (SIGTSTP … SIGCONT). Without it Ctrl-Z does nothing. */
  readonly suspendProcess?: () => Promise<void>;
};

/** The running screen, as tests need it. */
export type RunningTui = {
  readonly shell: Shell;
  readonly exited: Promise<TuiExit>;
  /** Resolves when everything known by now is on the terminal. */
  readonly flush: () => Promise<void>;
};

/** Nothing on the screen, and the cursor at its beginning. */
const wiped = '\u001b[2J\u001b[H';

const tickMs = 250;
/** News come ten times a second at most, so that only keys ever make so many frames. */
const framesPerSecondMax = 60;

/** Shows the screen on the terminal. The terminal is as it was when `exited` resolves, whatever happened. */
export const startTui = (session: Session, options: TuiOptions): RunningTui => {
  const { stdin, stdout } = options;
  const sizeNow = () => ({ columns: stdout.columns || 80, rows: stdout.rows || 24 });
  const exit = Promise.withResolvers<TuiExit>();
  let reason: TuiExit = { kind: 'quit' };
  let suspended = false;
  let closed = false;

  const leave = (why: TuiExit): void => {
    if (closed) return;
    closed = true;
    reason = why;
    instance.unmount();
  };
  const crash = (error: unknown): void => leave({ kind: 'crashed', error });

  const handOver = async (act: () => Promise<string | null>): Promise<void> => {
    if (suspended) return;
    suspended = true;
    wipe();
    try {
      const message = await talkOver({ stdin, stdout, suspend: control.suspend }, act);
      if (message !== null) shell.tell(message);
    } catch (error) {
      crash(error);
    } finally {
      suspended = false;
      shell.resize(sizeNow());
      // The cursor stands where the program left it, and Ink draws from the cursor.
      repaint();
    }
  };

  const openProgram = (what: string, argv: readonly string[] | Failure, after: () => void): void => {
    if ('remedy' in argv) {
      shell.tell(`${argv.message}; ${argv.remedy}`);
      return;
    }
    void handOver(async () => {
      const code = await options.runInteractive(argv);
      after();
      return code === 0 ? null : `${what} ended with exit code ${code}`;
    });
  };

  const suspendProcess = (): void => {
    const stop = options.suspendProcess;
    if (stop === undefined) {
      shell.tell('there is no shell to go back to');
      return;
    }
    void handOver(async () => {
      await stop();
      return null;
    });
  };

  const onTerminal = (intent: TerminalIntent): void => {
    switch (intent.kind) {
      case 'ssh':
        openProgram(`ssh to ${intent.machine}`, session.sshArgv(intent.machine), () => {});
        break;
      case 'edit':
        // What was changed shows at once.
        openProgram('the editor', session.editArgv(intent.machine), () => session.refresh());
        break;
      case 'copy':
        stdout.write(copySequence(intent.text, options.insideTmux === true));
        break;
      case 'repaint':
        repaint();
        break;
      case 'suspend':
        suspendProcess();
        break;
      case 'quit':
        leave({ kind: 'quit' });
        break;
      default:
        intent satisfies never;
    }
  };

  const shell = createShell({
    session,
    size: sizeNow(),
    pen: makePen(options.ascii),
    readonly: options.readonly,
    settings: options.settings,
    ...(options.typed === undefined ? {} : { typed: options.typed }),
    onTerminal,
  });
  const control: { suspend: (act: () => Promise<void>) => Promise<void> } = { suspend: (act) => act() };
  const lend = (suspend: typeof control.suspend): void => {
    control.suspend = suspend;
  };
  // What stands on the alternate screen is wiped before it is left: tmux gives lines of it to the shell's own screen where
  // the window has grown meanwhile.
  const wipe = (): void => void stdout.write(wiped);
  const tree = () => (
    <App shell={shell} colour={options.colour} onCrash={crash} onReady={lend} onLeave={wipe} />
  );

  // Before Ink looks at the size itself: it then finds lines that already fit.
  const onResize = (): void => {
    shell.resize(sizeNow());
    repaint();
  };
  stdout.on('resize', onResize);
  // Ink would do so after its first frame: what is typed until then would be echoed into it, and move it.
  stdin.setRawMode(true);
  // Ink draws its first frame from the column the cursor is in.
  stdout.write('\r');
  const instance = render(tree(), {
    stdin: withoutReports(stdin),
    stdout,
    alternateScreen: true,
    incrementalRendering: true,
    interactive: true,
    patchConsole: false,
    exitOnCtrlC: false,
    maxFps: framesPerSecondMax,
    kittyKeyboard: { mode: 'auto' },
  });

  /** Forgets what is thought to be on the screen, and draws all of it. */
  const repaint = (): void => {
    if (closed || suspended) return;
    instance.clear();
    wipe();
    instance.rerender(tree());
  };

  const ticker = setInterval(() => shell.tick(), tickMs);
  const onTerm = (): void => leave({ kind: 'signal', signal: 'SIGTERM' });
  const onHup = (): void => leave({ kind: 'signal', signal: 'SIGHUP' });
  // While a program has the terminal, Ctrl-C is that program's.
  const onInt = (): void => {
    if (!suspended) shell.key('ctrl-c');
  };
  // An error outside of drawing and keys would leave the terminal as it is.
  process.on('uncaughtException', crash).on('unhandledRejection', crash);
  process.on('SIGTERM', onTerm).on('SIGHUP', onHup).on('SIGINT', onInt);
  // A terminal that went away without a signal: nobody is left to show anything to.
  stdin.once('end', onHup).on('error', onHup);
  stdout.on('error', onHup);

  if (options.firstWords != null) shell.tell(options.firstWords, 'bad');
  const stopWatching = options.watchSettings?.((news) => {
    if ('problem' in news) shell.tell(news.problem, 'bad');
    else {
      shell.configure(news);
      shell.tell('the configuration was read anew', 'quiet');
    }
  });

  const finish = (why: TuiExit): void => {
    closed = true;
    clearInterval(ticker);
    stopWatching?.();
    // Ink does so only where it came to use it.
    if (stdin.isRaw) stdin.setRawMode(false);
    process.off('uncaughtException', crash).off('unhandledRejection', crash);
    process.off('SIGTERM', onTerm).off('SIGHUP', onHup).off('SIGINT', onInt);
    stdin.off('end', onHup).off('error', onHup);
    stdout.off('resize', onResize).off('error', onHup);
    shell.close();
    exit.resolve(why);
  };
  instance.waitUntilExit().then(
    () => finish(reason),
    (error: unknown) => finish({ kind: 'crashed', error }),
  );
  return { shell, exited: exit.promise, flush: () => instance.waitUntilRenderFlush() };
};

/** Shows the screen and resolves when it has closed and the terminal is as it was. */
export const runTui = (session: Session, options: TuiOptions): Promise<TuiExit> =>
  startTui(session, options).exited;
