import { runInteractive } from '../../../src/process/interactive.ts';
import { prepareColour, wantsAscii } from '../../../src/tui/prepare-colour.ts';
import { defaultSettings } from '../../../src/tui/state/settings.ts';
import { fakeSession } from '../fixtures/fake-session.ts';
import { bigSnapshot, emptySnapshot, seedSnapshot } from '../fixtures/lab.ts';
import {
  criticalRebootSnapshot,
  heldSnapshot,
  liveSnapshot,
  preparingSnapshot,
  waitingSnapshot,
} from '../fixtures/runs.ts';

/** Opens one moment of the fixtures on this terminal; `run.ts` beside it bundles and starts it. */

const moments = {
  empty: emptySnapshot,
  lab: seedSnapshot,
  thousand: bigSnapshot(1_000),
  preparing: preparingSnapshot,
  waiting: waitingSnapshot,
  critical: criticalRebootSnapshot,
  live: liveSnapshot,
  held: heldSnapshot,
};

const isMoment = (text: string): text is keyof typeof moments => Object.hasOwn(moments, text);

/** `s` runs this instead of ssh. */
const shell = ['sh', '-c', 'echo "in place of ssh to a machine"; exec sh'];

export const open = async (wanted: string): Promise<void> => {
  if (!isMoment(wanted))
    throw new Error(`no moment "${wanted}"; there are ${Object.keys(moments).join(', ')}`);
  const colour = prepareColour(process.env);
  const { runTui } = await import('../../../src/tui/run-tui.tsx');
  const lab = fakeSession(moments[wanted], { ssh: shell });
  const exit = await runTui(lab.session, {
    ascii: wantsAscii(process.env),
    colour,
    stdin: process.stdin,
    stdout: process.stdout,
    readonly: false,
    settings: defaultSettings,
    runInteractive,
    suspendProcess: () =>
      new Promise((resolve) => {
        process.once('SIGCONT', () => resolve());
        process.kill(0, 'SIGTSTP');
      }),
  });
  process.stdout.write(`${JSON.stringify(exit)}\nasked: ${JSON.stringify(lab.asked)}\n`);
};
