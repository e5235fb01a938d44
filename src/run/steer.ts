import type { EventBody, SteerAsk } from './event.ts';
import { leaseLost } from './lease.ts';
import { isHalting, needsRestore } from './next.ts';
import { type MachineProgress, progressOf, unconfirmed } from './progress.ts';
import { recordIn, recordsOfMachine } from './records.ts';
import type { RunState } from './state.ts';
import { triedAgainWith } from './steered.ts';

/**
 * Whether one machine of a run may be left out, or tried again: pure, from its state. The engine answers by it, and
 * every front end says by it beforehand why something cannot be asked.
 */

/** Why it cannot be, and what can be done instead. */
export type Refusal = { readonly message: string; readonly remedy: string };
export type SteerRequest = SteerAsk & { readonly by: string };

const refusal = (message: string, remedy: string): Refusal => ({ message, remedy });

/** Nothing was done to it, or it has been returned to what it ran. */
const isAsItWas = ({ status, touched }: MachineProgress): boolean => !touched || status === 'restored';

const inTheMiddle = (state: RunState, { plan, current, retried, ...progress }: MachineProgress): Refusal => {
  const { name } = plan.machine;
  const wait = 'let it come to its end; `lab pause` lets nothing begin after that, `lab stop` ends the run';
  if (current?.kind === 'reboot' || current?.kind === 'await-boot')
    return refusal(`${name} is being rebooted: a machine that goes down is waited for`, wait);
  if (retried !== null)
    return refusal(
      `${name} was changed by this run and has failed, and is to be tried again`,
      'let it come to its end; `lab abort` ends the run at once, and `lab resume` looks anew',
    );
  return unconfirmed(state, progress) !== null
    ? refusal(`${name} is in the middle of its activation: left alone it would return to what it ran`, wait)
    : refusal(`${name} was acted on by this run, and is on its way`, wait);
};

const whyNotSkip = (state: RunState, progress: MachineProgress): Refusal | null => {
  const { plan, status, touched, failure, skippedBy } = progress;
  const { name } = plan.machine;
  const way = `\`lab retry ${name}\` tries it again, \`lab rollback --run ${state.run}\` returns what the run changed`;
  switch (status) {
    case 'done':
      return refusal(`${name} is done: there is nothing left to leave out`, way);
    case 'nothing':
      return refusal(`nothing is done to ${name} in this run`, 'it needs no skipping');
    case 'skipped':
      return refusal(`${name} is skipped already: ${failure?.message ?? ''}`, 'it needs no skipping');
    case 'waiting':
    case 'active':
      return touched ? inTheMiddle(state, progress) : null;
    case 'failed':
    case 'restored':
      if (needsRestore(state, progress)) return onItsWayBack(name);
      if (skippedBy !== null || !isHalting(progress))
        return refusal(`${name} has failed, and holds nobody up`, `\`lab retry ${name}\` tries it again`);
      return isAsItWas(progress)
        ? null
        : refusal(`${name} was changed by this run and has failed: nobody knows what it is fit for`, way);
    default:
      return status satisfies never;
  }
};

const onItsWayBack = (name: string): Refusal =>
  refusal(`${name} is on its way back to what it ran`, 'ask again once it is there');

const whyNotRetry = (state: RunState, progress: MachineProgress): Refusal | null => {
  const { plan, status, current, failure } = progress;
  const { name } = plan.machine;
  const anew = '`lab run` plans for what the machines run now';
  switch (status) {
    case 'done':
    case 'nothing':
      return refusal(`${name} has come to its goal: there is nothing to try again`, anew);
    case 'waiting':
    case 'active':
      return refusal(`nothing has failed on ${name}`, 'let its turn come: `lab attach` shows it');
    case 'skipped':
      return null;
    case 'failed':
    case 'restored':
      break;
    default:
      return status satisfies never;
  }
  if (needsRestore(state, progress)) return onItsWayBack(name);
  if (current === null)
    return refusal(
      failure?.message ?? `${name} has failed`,
      failure?.remedy ?? `\`lab reboot ${name}\` when it suits`,
    );
  // Whoever has it now has acted on it, or may have: what this run knows of it is out of date.
  if (failure?.kind === leaseLost) return refusal(failure.message, failure.remedy);
  const records = recordsOfMachine(state, name);
  const rebooted = records.some(({ step, outcome }) => step.kind === 'reboot' && outcome?.kind !== 'skipped');
  const back = plan.restore === null ? undefined : recordIn(records, plan.restore.id);
  if (rebooted && back !== undefined)
    return refusal(
      `${name} was rebooted by this run and ${status === 'restored' ? 'returned' : 'was to return'} to what it ran: no machine is rebooted twice in a run`,
      `leave it out (\`lab skip ${name}\`), or begin a new run: ${anew}`,
    );
  return null;
};

/** Why the machine cannot be left out or tried again now; null when it can. */
export const whyNotSteer = (state: RunState, { what, machine }: SteerAsk): Refusal | null => {
  const { plan } = state;
  if (plan === null || state.approvedAt === null)
    return refusal(
      'its plan is not approved yet: nothing was begun',
      'decline it, and name only the machines that are meant',
    );
  const entry = plan.machines.find((each) => each.machine.name === machine);
  if (entry === undefined)
    return refusal(
      `"${machine.slice(0, 60)}" is no machine of run ${state.run}`,
      `its machines: ${plan.machines.map((each) => each.machine.name).join(', ')}`.slice(0, 2_000),
    );
  if (entry.decision.kind === 'skip')
    return refusal(`the plan leaves ${machine} out: ${entry.decision.message}`, entry.decision.remedy);
  if (state.ended === null && state.stopRequestedBy !== null)
    return refusal('the run is stopping: nothing more begins', 'ask again once it has ended');
  if (state.ended === null && state.looks.end !== null)
    return refusal('the run is over but for a last look at its machines', 'ask again once it has ended');
  const progress = progressOf(state, entry);
  return what === 'skip' ? whyNotSkip(state, progress) : whyNotRetry(state, progress);
};

/**
 * Critical machines that would be touched again by this, dependents that were skipped because of the machine included:
 * their names are typed, or given beforehand. What is left out is not touched.
 */
export const namesFor = (state: RunState, { what, machine }: SteerAsk): readonly string[] =>
  what === 'skip'
    ? []
    : triedAgainWith(state, machine).flatMap(({ machine: { name, orchestration } }) =>
        orchestration.criticalityLevel === 'critical' ? [name] : [],
      );

/** What the journal says to what somebody asked of a run under way. */
export const answerTo = (state: RunState, request: SteerRequest): EventBody => {
  const { what } = request;
  const machine = request.machine.slice(0, 256);
  const by = request.by.slice(0, 200);
  const no = whyNotSteer(state, { what, machine });
  return no === null
    ? { kind: 'steered', what, machine, by }
    : { kind: 'steer-refused', what, machine, by, why: `${no.message}; ${no.remedy}`.slice(0, 8_000) };
};
