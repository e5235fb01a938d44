import { describe, expect, it } from 'vitest';
import type { Machine } from '../../src/fleet/machine.ts';
import { sweep, sweepMachinesAtOnce } from '../../src/health/sweep.ts';
import { reportOf } from '../../src/health/verdict.ts';
import { sshError } from '../remote/fake-remote.ts';
import { machineNamed } from '../remote/machine.ts';

const report = ({ name }: Machine) =>
  reportOf({ kind: 'unreachable', machine: name, at: 1, error: sshError() }, []);
const machines = Array.from({ length: 100 }, (_, index) => machineNamed(`m${index}`));

describe('a sweep', () => {
  it('asks 32 machines at once at most, and tells the reports in the order of the machines', async () => {
    let now = 0;
    let most = 0;
    const reports = await sweep(machines, async (machine) => {
      now += 1;
      most = Math.max(most, now);
      await new Promise((resolve) => setImmediate(resolve));
      now -= 1;
      return report(machine);
    });
    expect(most).toBe(sweepMachinesAtOnce);
    expect(reports.map(({ machine }) => machine)).toEqual(machines.map(({ name }) => name));
  });

  it('is not held up by a machine that takes long', async () => {
    const heard: string[] = [];
    let finishSlow = (): void => {};
    const slow = new Promise<void>((resolve) => {
      finishSlow = resolve;
    });
    await sweep(
      machines,
      async (machine) => {
        if (machine.name === 'm0') await slow;
        return report(machine);
      },
      {
        onReport: ({ machine }) => {
          heard.push(machine);
          if (heard.length === machines.length - 1) finishSlow();
        },
      },
    );
    expect(heard.at(-1)).toBe('m0');
  });

  it('of no machines is nothing', async () => {
    expect(await sweep([], async (machine) => report(machine))).toEqual([]);
  });
});
