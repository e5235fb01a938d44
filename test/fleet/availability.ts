import { runProcess } from '../../src/process/run.ts';
import { script } from './host-scripts.ts';

const probeDeadlineMs = 120_000;

export type Availability = { readonly ok: true } | { readonly ok: false; readonly reason: string };

/** Whether this machine lets us make the namespaces, mounts and bridges of a fleet, found out by making them once. */
export const namespacesAvailable = async (): Promise<Availability> => {
  if (process.platform !== 'linux') return { ok: false, reason: `this is ${process.platform}, not Linux` };
  const probe = await runProcess(['bash', script('probe.sh')], { deadlineMs: probeDeadlineMs });
  if (probe.code === 0) return { ok: true };
  const said = `${probe.stdout}${probe.stderr}`.trim().split('\n').at(-1) ?? '';
  return {
    ok: false,
    reason: said === '' ? (probe.startError ?? 'the probe failed and said nothing') : said,
  };
};
