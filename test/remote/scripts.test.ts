import { describe, expect, it } from 'vitest';
import { runProcess } from '../../src/process/run.ts';
import { clearScript, readScript, unitScript } from '../../src/remote/activation-unit.ts';
import { closureScript } from '../../src/remote/closure.ts';
import { generationsScript } from '../../src/remote/generations.ts';
import { leaseScript } from '../../src/remote/lease.ts';
import { observeScript } from '../../src/remote/observe.ts';
import { preflightScript, rootScript } from '../../src/remote/preflight.ts';
import { triggerScript } from '../../src/remote/reboot.ts';
import { startScript } from '../../src/remote/start-unit.ts';
import { settleScript, supervisorScript } from '../../src/remote/supervisor.ts';
import { detachedRunner } from '../../src/remote/unit-functions.ts';

const scripts = {
  detachedRunner,
  observeScript,
  generationsScript,
  closureScript,
  leaseScript,
  preflightScript,
  rootScript,
  triggerScript,
  startScript,
  unitScript,
  readScript,
  clearScript,
  supervisorScript,
  settleScript,
};

describe.each(Object.entries(scripts))('%s', (_name, script) => {
  it.each(['/bin/sh', 'bash'])('is read by %s', async (shell) => {
    const { code, stderr } = await runProcess([shell, '-n', '-c', script], { deadlineMs: 10_000 });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  });

  it('survives single quotes in a login shell such as fish, which reads backslashes inside them', () => {
    expect(script).not.toMatch(/\\[\\']/);
  });
});

it.each([unitScript, supervisorScript])(
  'the script of a unit holds nothing that systemd would expand in the arguments of a unit',
  (script) => {
    expect(script).not.toMatch(/\$\{|\$\$/);
    expect(script).not.toMatch(/%/);
  },
);
