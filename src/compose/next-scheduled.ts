import { runProcess } from '../process/run.ts';

const deadlineMs = 5_000;
/** The unit of `nix/modules/lab-orchestrator.nix`. */
const timer = 'lab-orchestrator.timer';

/** When systemd starts the next run of the schedule, ms since the epoch; null where none is scheduled on this machine. */
export const nextScheduled = async (): Promise<number | null> => {
  const asked = await runProcess(
    ['systemctl', 'show', timer, '--property=NextElapseUSecRealtime', '--value', '--timestamp=unix'],
    { deadlineMs },
  );
  const seconds = /^@(\d{1,12})$/u.exec(asked.stdout.trim())?.[1];
  return asked.code === 0 && seconds !== undefined ? Number(seconds) * 1_000 : null;
};
