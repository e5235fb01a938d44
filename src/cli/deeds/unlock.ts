import type { Command } from 'commander';
import { fail } from '../../failure.ts';
import { account } from '../../process/account.ts';
import { leaseTimes, leaseWords } from '../../run/lease.ts';
import { sanitiseLine } from '../../text/sanitise.ts';
import type { Cli } from '../lab.ts';
import { chooseOne } from './choose.ts';
import { done, printLines, usage, useLab } from './with-lab.ts';

/** Says who holds a machine, or takes it away from the run that is named. */
export const unlock = async (cli: Cli, command: Command, name: string, run: string | null): Promise<void> =>
  useLab(cli, command, async ({ lab }) => {
    const chosen = await chooseOne(cli, lab, name);
    if (!chosen.ok) return chosen;
    const machine = chosen.value;
    const claim = {
      run: run ?? '',
      owner: `${account().username}@${lab.hostName}`,
      ttlMs: leaseTimes.ttlMs,
    };
    const answer = await lab.target.lease(
      machine,
      { ask: run === null ? 'look' : 'break', claim, deadlineMs: leaseTimes.askMs },
      { signal: cli.stop },
    );
    switch (answer.kind) {
      case 'free':
      case 'held': {
        const last = answer.kind === 'free' ? answer.last : null;
        const nobody =
          last === null ? 'nobody holds it' : `nobody holds it; ${leaseWords(machine.name, last).message}`;
        printLines(cli, [
          run === null
            ? `${machine.name}: ${sanitiseLine(nobody)}`
            : `${machine.name}: the lease of run ${sanitiseLine(run)} is broken; that run can do nothing more to it`,
        ]);
        return done;
      }
      case 'taken': {
        const { message, remedy } = leaseWords(machine.name, answer.by);
        return usage(`${machine.name}: ${message}`, remedy);
      }
      case 'unknown':
        return fail({
          kind: answer.error?.kind ?? 'lease-unknown',
          machine: machine.name,
          phase: 'lease',
          message: `${machine.name}: its lease could not be read: ${answer.message}`,
          remedy: answer.error?.remedy ?? 'see whether root can write /var/lib/lab there, and run `flock`',
        });
      default:
        return answer satisfies never;
    }
  });
