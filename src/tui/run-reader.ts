import { createInterface } from 'node:readline';
import type { Failure } from '../failure.ts';
import type { Session } from '../flow/session.ts';
import { createReader } from './reader.ts';
import type { Settings } from './state/settings.ts';

/** Reads lines and prints lines until somebody leaves or the input ends. */
export const runReader = (
  session: Session,
  options: {
    readonly readonly: boolean;
    readonly settings: Settings;
    readonly input: NodeJS.ReadableStream;
    readonly output: NodeJS.WritableStream;
    readonly runInteractive: (argv: readonly string[]) => Promise<number>;
  },
): Promise<void> =>
  new Promise((resolve) => {
    const lines = createInterface({ input: options.input, terminal: false });
    const print = (text: string): void => void options.output.write(`${text}\n`);
    const openProgram = (argv: readonly string[] | Failure): void => {
      if ('remedy' in argv) {
        print(`${argv.message}; ${argv.remedy}`);
        return;
      }
      lines.pause();
      options
        .runInteractive(argv)
        .then((code) => print(`it ended with exit code ${code}`))
        .catch((error: unknown) => print(String(error)))
        .finally(() => lines.resume());
    };
    const reader = createReader(session, {
      readonly: options.readonly,
      settings: options.settings,
      print,
      onTerminal: (intent) => {
        switch (intent.kind) {
          case 'ssh':
            openProgram(session.sshArgv(intent.machine));
            break;
          case 'edit':
            openProgram(session.editArgv(intent.machine));
            break;
          case 'copy':
            print(intent.text);
            break;
          case 'quit':
            lines.close();
            break;
          case 'repaint':
          case 'suspend':
            break;
          default:
            intent satisfies never;
        }
      },
    });
    lines.on('line', reader.line);
    lines.once('close', () => {
      reader.close();
      resolve();
    });
  });
