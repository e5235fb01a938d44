import type { HealthCheck } from '../fleet/machine.ts';
import { isProbe, type RunCommand } from './command.ts';
import { failed, type Probe, passed, untold } from './reading.ts';
import type { TryOptions } from './within.ts';

/** States that `systemctl is-active` passes; `show` says why where it does not. */
const activeStates: ReadonlySet<string> = new Set(['active', 'reloading', 'refreshing']);

export const probeSystemd = async (
  check: Extract<HealthCheck, { type: 'systemd' }>,
  run: RunCommand,
  options: TryOptions,
): Promise<Probe> => {
  const properties = '--property=LoadState,ActiveState,SubState,Result,ExecMainStatus';
  const end = await run(['systemctl', 'show', properties, '--', check.unit], options);
  if (isProbe(end)) return end;
  if (end.code !== 0)
    return untold(`systemctl does not answer: ${end.stderr || `exit ${end.code ?? end.signal}`}`);
  return judgeUnit(end.stdout);
};

/** What `systemctl show` printed: `Name=value` lines. */
export const judgeUnit = (stdout: string): Probe => {
  const value = (name: string): string =>
    stdout
      .split('\n', 64)
      .find((line) => line.startsWith(`${name}=`))
      ?.slice(name.length + 1)
      .trim() ?? '';
  const active = value('ActiveState');
  const load = value('LoadState');
  if (active === '') return untold('systemctl did not tell the state of the unit');
  const state = `${active} (${value('SubState')})`;
  if (activeStates.has(active)) return passed(state);
  if (load === 'not-found') return failed('no such unit');
  if (load !== 'loaded') return failed(`${state}, ${load}`);
  const result = value('Result');
  if (result === 'success' || result === '') return failed(state);
  return failed(`${state}, ${result}${result === 'exit-code' ? ` ${value('ExecMainStatus')}` : ''}`);
};
