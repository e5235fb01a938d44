import type { Clock, HealthReport, Remote, Target } from '../ports.ts';
import { activate } from './activate.ts';
import { generations } from './generations.ts';
import { lease } from './lease.ts';
import { observe } from './observe.ts';
import { preflight } from './preflight.ts';
import { triggerReboot } from './reboot.ts';
import { settle } from './settle.ts';

/** What `Target` needs from elsewhere: a way to reach machines, to copy closures and to run health checks. */
type TargetParts = {
  readonly remote: Remote;
  readonly clock: Clock;
  readonly copyClosure: Target['copy'];
  readonly health: (...args: Parameters<Target['health']>) => Promise<HealthReport>;
};

/** The `Target` port over real connections. */
export const createTarget = ({ remote, clock, copyClosure, health }: TargetParts): Target => ({
  observe: (machine, options) => observe({ remote, clock }, machine, options),
  preflight: (machine, options) => preflight(remote, machine, options),
  health,
  generations: (machine, options) => generations(remote, machine, options),
  lease: (machine, request, options) => lease(remote, machine, request, options),
  copy: copyClosure,
  activate: (machine, request, options) => activate({ remote, clock }, machine, request, options),
  settle: (machine, request, options) => settle({ remote, clock }, machine, request, options),
  triggerReboot: (machine, request, options) => triggerReboot(remote, machine, request, options),
});
