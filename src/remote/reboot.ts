import type { Machine } from '../fleet/machine.ts';
import type { Claim, Remote, TriggerOutcome } from '../ports.ts';
import { sanitiseLine } from '../text/sanitise.ts';
import { claimArguments, fencedBy, leasePrelude, unlockedMessage } from './lease.ts';
import { isBootId, isUnitName } from './names.ts';
import { readRecord, recordBytesMax } from './record.ts';

/**
 * Arguments: the boot id that may be ended, the unit's name, and the claim. The look at the lease, the comparison and the trigger are one command on the
 * machine, so a repeat after a crash of `lab` cannot reboot it twice. The reboot comes from a timer a second later,
 * so that this command ends first. A timer's default accuracy is a minute (systemd.timer(5)), hence AccuracySec.
 */
export const triggerScript = `${leasePrelude}
echo lab-trigger
fence "$3" "$4" "$5" "$6" || { echo lab-end; exit 0; }
now=$(head -c 64 /proc/sys/kernel/random/boot_id)
put boot-id "$now"
known() { [ "$(systemctl show --property=LoadState --value -- "$1")" = loaded ]; }
if [ "$now" != "$1" ]; then
  put outcome other-boot
elif ! command -v systemd-run >/dev/null; then
  put outcome refused
  put message 'systemd-run is not there; lab needs systemd on the machine'
elif said=$(systemd-run --unit="$2" --on-active=1 --timer-property=AccuracySec=100ms --collect --no-ask-password --quiet systemctl reboot 2>&1 9<&-); then
  put outcome triggered
elif known "$2.timer" || known "$2.service"; then
  put outcome triggered
else
  put outcome refused
  put message "$(printf '%s' "$said" | tail -n 1)"
fi
echo lab-end
`;

/**
 * Reboots the machine if its boot id still is `bootId`. A connection that is lost after the command went out means
 * *probably* triggered: only another boot id proves it. Never forces: a unit that will not stop is for a person to see.
 */
export const triggerReboot = async (
  remote: Remote,
  machine: Machine,
  request: { claim: Claim; bootId: string; unit: string; deadlineMs: number },
  options: { signal?: AbortSignal },
): Promise<TriggerOutcome> => {
  if (!isBootId(request.bootId))
    return { kind: 'refused', message: `“${sanitiseLine(request.bootId, 60)}” is not a boot id` };
  if (!isUnitName(request.unit))
    return { kind: 'refused', message: `“${sanitiseLine(request.unit, 60)}” is not a unit name` };
  const argv = [
    'sh',
    '-c',
    triggerScript,
    'sh',
    request.bootId,
    request.unit,
    ...claimArguments(request.claim, machine),
  ];
  const answer = await remote.exec(machine, argv, {
    deadlineMs: request.deadlineMs,
    ...(options.signal === undefined ? {} : { signal: options.signal }),
    outputBytesMax: recordBytesMax,
    asRoot: true,
    // A transport that retried by itself would hide that the first attempt may have arrived.
    idempotent: false,
  });
  if (!answer.ok) {
    const { dispatched, message } = answer.failure;
    return dispatched
      ? {
          kind: 'probably-triggered',
          message: `the connection ended before ${machine.name} answered: ${message}`,
        }
      : { kind: 'refused', message, unreached: true };
  }
  // A signal ends the command when the machine already goes down under it.
  if (answer.value.code === null) {
    return { kind: 'probably-triggered', message: `the command on ${machine.name} was ended by a signal` };
  }
  const record = readRecord('trigger', answer.value);
  if (typeof record === 'string')
    return { kind: 'refused', message: `${machine.name} did not run the trigger: ${record}` };
  const fenced = fencedBy(record);
  if (fenced !== null)
    return fenced.kind === 'fenced' ? fenced : { kind: 'refused', message: unlockedMessage(machine) };
  const bootId = record.first('boot-id') ?? '';
  switch (record.first('outcome')) {
    case 'triggered':
      return { kind: 'triggered' };
    case 'other-boot':
      return isBootId(bootId)
        ? { kind: 'already-rebooted', bootId }
        : { kind: 'refused', message: `${machine.name} does not tell its boot id` };
    default:
      return {
        kind: 'refused',
        message: `${machine.name} refused to reboot: ${sanitiseLine(record.first('message') ?? 'no reason given', 300)}`,
      };
  }
};
