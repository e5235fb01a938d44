import type { Result } from '../failure.ts';
import type { Machine } from '../fleet/machine.ts';
import type { ActivateOutcome, ActivateRequest, SettleOutcome, TriggerOutcome, Verdict } from './acting.ts';
import type { HealthReport } from './health.ts';
import type { Claim, LeaseAnswer, LeaseRequest } from './lease.ts';
import type { Generation, Observation, PreflightFacts } from './observation.ts';

/** What `lab` does to and asks of machines. Every act carries a claim, and the machine refuses it to who has lost the lease. */
export type Target = {
  /** Asks for the lease of the machine, or about it. */
  lease(machine: Machine, request: LeaseRequest, options: { signal?: AbortSignal }): Promise<LeaseAnswer>;
  observe(
    machine: Machine,
    options: { deadlineMs: number; signal?: AbortSignal; fresh?: boolean },
  ): Promise<Observation>;
  preflight(
    machine: Machine,
    options: { deadlineMs: number; signal?: AbortSignal },
  ): Promise<Result<PreflightFacts>>;
  /** `seen`: it was looked at just now, so what it runs is read once more after its checks, in place of before them. */
  health(
    machine: Machine,
    options: { deadlineMs: number; signal?: AbortSignal; seen?: true },
  ): Promise<HealthReport>;
  /** The generations of its system profile that are there, the newest first: a bounded number, and `number` if given. */
  generations(
    machine: Machine,
    options: { deadlineMs: number; signal?: AbortSignal; number?: number },
  ): Promise<Result<readonly Generation[]>>;
  /** Failures of the kinds `unreachable` and `connection-lost` may pass by themselves; copying again is safe. */
  copy(
    machine: Machine,
    toplevel: string,
    options: { deadlineMs: number; signal?: AbortSignal; onProgress?: (line: string) => void },
  ): Promise<Result<void>>;
  activate(
    machine: Machine,
    request: ActivateRequest,
    options: { signal?: AbortSignal; onProgress?: (line: string) => void },
  ): Promise<ActivateOutcome>;
  /** Ends the supervision of an activation, over a connection made for it, and says what came of it. */
  settle(
    machine: Machine,
    request: {
      readonly claim: Claim;
      readonly unit: string;
      readonly verdict: Verdict;
      readonly deadlineMs: number;
    },
    options: { signal?: AbortSignal },
  ): Promise<SettleOutcome>;
  /** Reboots the machine only if its boot id still is `bootId`. */
  triggerReboot(
    machine: Machine,
    request: { claim: Claim; bootId: string; unit: string; deadlineMs: number },
    options: { signal?: AbortSignal },
  ): Promise<TriggerOutcome>;
};
