/**
 * The engine broken on purpose, in one place at a time. A simulation that does not notice is worth nothing:
 * `npm run mutants` breaks each of them in a copy and says after how many seeds it was found.
 */
export type Mutant = {
  /** The rule that is broken. */
  readonly name: string;
  readonly file: string;
  /** Stands exactly once in the file. */
  readonly text: string;
  readonly becomes: string;
};

const mutant = (name: string, file: string, text: string, becomes: string): Mutant => ({
  name,
  file: file.includes('/') ? `src/${file}` : `src/run/${file}`,
  text,
  becomes,
});

export const mutants: readonly Mutant[] = [
  // dependencies
  mutant(
    'dependencies are not looked at',
    'dependencies.ts',
    'for (const name of needs) {',
    'for (const name of needs.slice(99)) {',
  ),
  mutant(
    'dependencies may be unhealthy',
    'dependencies.ts',
    "if (verdict.kind !== 'passed') {",
    'if (false) {',
  ),
  mutant(
    'what a resumed run saw before is not looked at anew',
    'look-anew.ts',
    "  if (status !== 'succeeded') return false;\n  const entry = state.plan?.machines.find(({ machine }) => machine.name === step.machine);\n  if (entry === undefined) return false;\n  const { steps, touched, status: place }",
    '  if (status) return false;\n  const entry = state.plan?.machines.find(({ machine }) => machine.name === step.machine);\n  if (entry === undefined) return false;\n  const { steps, touched, status: place }',
  ),
  // machines whose address leads elsewhere
  mutant(
    'another machine is looked at in its place as it reboots',
    'await.ts',
    'const seen = seenAsItself(state, entry, answered);',
    'const seen = answered;',
  ),
  // one after the other
  mutant('others begin while one is on its way', 'next.ts', 'if (waiting !== null) return waiting;', ''),
  mutant(
    'the order of the plan is turned round',
    'next.ts',
    "const turn = onItsWay ?? progress.find(({ status }) => status === 'waiting');",
    "const turn = onItsWay ?? progress.findLast(({ status }) => status === 'waiting');",
  ),
  mutant('nothing halts the run', 'next.ts', "plan.machine.orchestration.criticalityLevel === 'high' ||", ''),
  mutant('a stop is not heard', 'next.ts', 'if (state.stopRequestedBy !== null)', 'if (false)'),
  mutant('a pause is not heard', 'next.ts', 'if (state.pausedBy !== null) return', 'if (false) return'),
  // the look at the end
  mutant(
    'a run ends without a last look',
    'at-end.ts',
    "if (look === null && lookedAt(state, 'end').length > 0)",
    'if (false)',
  ),
  mutant(
    'what fell over after its gate is no matter',
    'at-end.ts',
    'const worse = end.result',
    'const worse = false && end.result',
  ),
  mutant(
    'a machine that does not answer at the end is well',
    'look-at-all.ts',
    "return seen('unknown', observed.error.message);",
    "return seen('well', observed.error.message);",
  ),
  mutant(
    'what fails at the end failed before',
    'look-at-all.ts',
    'const before = first ? failing',
    'const before = true ? failing',
  ),
  // time
  mutant(
    'a gate is timed by the wall',
    'await.ts',
    'const now = clock.elapsed();',
    'const now = clock.now();',
  ),
  // evidence
  mutant(
    'the exit status of an activation is believed',
    'evidence.ts',
    'if (why === null) return null;',
    'if (why !== undefined) return null;',
  ),
  mutant(
    'neither the boot id nor the age of PID 1 is compared',
    'gate.ts',
    "if (seen.bootId === watch.bootId || seen.bootId === '' || stillIn) {",
    'if (seen.bootId === null) {',
  ),
  mutant('a boot id is believed', 'gate.ts', "seen.bootId === '' || stillIn) {", "seen.bootId === '') {"),
  mutant(
    'another boot id before the reboot is believed',
    'reboot.ts',
    'if (seen.bootId !== known && isStillIn(before, seen, context))',
    'if (false)',
  ),
  mutant(
    'what was booted is not compared',
    'gate.ts',
    'if (step.booted !== null && seen.booted !== step.booted) {',
    'if (false) {',
  ),
  mutant(
    'a machine that reboots again by itself passes its gate',
    'gate.ts',
    'if (expected.bootId !== null && running.bootId !== expected.bootId)',
    'if (false)',
  ),
  mutant(
    'a gate takes any generation',
    'gate.ts',
    'if (expected.current !== null && running.current !== expected.current)',
    'if (false)',
  ),
  mutant(
    'a gate asks what a machine runs only before its health',
    'gate.ts',
    'const still = report.runs === undefined',
    'const still = true',
  ),
  mutant(
    'a gate takes failed checks',
    'gate.ts',
    'if (fresh.length > 0) return waiting',
    'if (false) return waiting',
  ),
  mutant(
    'a gate takes failed units',
    'gate.ts',
    'if (freshUnits.length > 0) return waiting',
    'if (false) return waiting',
  ),
  mutant(
    'a gate does not wait for stability',
    'await.ts',
    'steadySince + step.stableMs, Math.min(',
    'steadySince, Math.min(0, ',
  ),
  mutant('a gate waits for ever', 'await.ts', 'if (now > deadlineAt)', 'if (false)'),
  mutant(
    'an outcome that nobody knows is a success',
    'progress.ts',
    "if (outcome.kind === 'succeeded') continue;",
    "if (outcome.kind === 'succeeded' || outcome.kind === 'unknown') continue;",
  ),
  mutant(
    'the reboot delay is not kept',
    'perform.ts',
    'if (leftMs > 0) await clock.sleep(leftMs, signal);',
    '',
  ),
  mutant(
    'a delay may be longer than itself',
    'perform.ts',
    'Math.min(step.delayMs, delayEndsAt(state, step) - clock.now())',
    'delayEndsAt(state, step) - clock.now()',
  ),
  // the journal
  mutant(
    'a reboot is triggered before its intent',
    'perform.ts',
    'const { state, clock, signal } = context;',
    "const { state, clock, signal } = context;\n      await context.target.triggerReboot(context.entry.machine, { claim: { run: context.state.run, owner: `${context.state.by.user}@${context.state.by.host}`, ttlMs: 600_000 }, bootId: context.entry.prior?.bootId ?? '', unit: 'lab-hasty', deadlineMs: 30_000 }, {});",
  ),
  mutant(
    'a broken journal is not noticed',
    'drive.ts',
    'broken ??= { error };\n    heard.giveUp(error);',
    '',
  ),
  // taken up again
  mutant(
    'a repeated reboot does not look first',
    'reboot.ts',
    'if (context.again) {',
    "if (context.again && known === '') {",
  ),
  mutant(
    'a repeated reboot names the boot that runs now',
    'reboot.ts',
    'claim: claimOf(state),\n      bootId,',
    "claim: claimOf(state),\n      bootId: ((seen) => (seen.kind === 'reachable' ? seen.bootId : bootId))(await target.observe(entry.machine, { deadlineMs: 20_000, signal })),",
  ),
  mutant(
    'what was live and not confirmed is not asked for again',
    'look-anew.ts',
    "return progress.status === 'active' && unconfirmed(state, progress) !== null;",
    'return false;',
  ),
  mutant(
    'each try of an activation has a unit of its own',
    'activation.ts',
    'unit: unitName(state.run, `${step.kind}-${mode}`),',
    'unit: unitName(state.run, `${step.kind}-${mode}-${context.clock.now()}`),',
  ),
  // confirmation and return
  mutant(
    'what passed its gate is not confirmed',
    'perform.ts',
    'return confirm(step, context);',
    "return Promise.resolve(succeeded('it stays'));",
  ),
  mutant(
    'a stop leaves what is live unconfirmed',
    'next.ts',
    'if (toFinish !== null) return',
    'if (toFinish === undefined) return',
  ),
  mutant(
    'what failed is not returned',
    'next.ts',
    "if (plan.machine.orchestration.criticalityLevel === 'critical') return true;",
    'if (plan) return false;',
  ),
  mutant(
    'a return is believed',
    'restore.ts',
    "if (seen.kind === 'unreachable' || seen.current !== step.current) return null;",
    '',
  ),
  mutant(
    'the run goes on from the machine that goes down under it',
    'drive.ts',
    '&& awaitsOwnBoot(state)) {',
    '&& false) {',
  ),
  // left out, and tried again
  mutant(
    'a machine may be left out in the middle of its activation',
    'steer.ts',
    'return touched ? inTheMiddle(state, progress) : null;',
    'return null;',
  ),
  mutant(
    'what was left out is waited for',
    'heard.ts',
    '({ machine }) => ofMachine(state.machines, machine)?.steer.skippedBy != null,',
    "({ kind, machine }) => kind === 'delay' && ofMachine(state.machines, machine)?.steer.skippedBy != null,",
  ),
  mutant(
    'nobody looks at what was left out',
    'dependencies.ts',
    "if (status !== 'done' && status !== 'nothing' && !leftOut)",
    "if (leftOut) continue;\n      if (status !== 'done' && status !== 'nothing')",
  ),
  mutant(
    'what is tried again interrupts what is on its way',
    'next.ts',
    'const turn = onItsWay ?? progress.find(',
    "const turn = progress.find(({ status }) => status === 'waiting') ?? onItsWay ?? progress.find(",
  ),
  mutant(
    'a return counts though something is live again',
    'state.ts',
    "const acts = isEffect(step) && step.kind !== 'restore';",
    'const acts = isEffect(step) && step.id === null;',
  ),
  mutant(
    'what was left out is as planned',
    'next.ts',
    "status === 'failed' || status === 'restored' || status === 'skipped',\n  );\n  const asked",
    "status === 'failed' || status === 'restored',\n  );\n  const asked",
  ),
  // the account
  mutant(
    'a run with failed machines says done',
    'next.ts',
    'if (bad.length === 0 && leftOut.length === 0)',
    'if (leftOut.length === 0)',
  ),
  mutant(
    'somebody else’s deployment is not noticed',
    'step-context.ts',
    'if (prior === null) return null;',
    'if (prior !== undefined) return null;',
  ),
  mutant(
    'a return does not ask whether somebody else has deployed meanwhile',
    'restore.ts',
    "if (theirs?.what === 'runs') return",
    "if (theirs?.what === 'boots') return",
  ),
  mutant(
    'a return takes the place of what somebody else made the boot default',
    'restore.ts',
    "theirs === null ? planned : { ...planned, mode: 'test' };",
    'planned;',
  ),
  mutant(
    'an activation takes the place of whatever has come to be there',
    'activation.ts',
    '...(recorded.current === null ? {} : { over }),',
    '',
  ),
  mutant(
    'a supervisor takes the place of what somebody else deployed',
    'sim/supervisor.ts',
    'if (isTheirs(unit, machine.current))',
    'if (false)',
  ),
  // what is done on the machine
  mutant(
    'nobody on the machine watches over an activation',
    'plan/steps.ts',
    '{ ...activate, confirmWithinMs: deadlineMs + stableMs + confirmMarginMs + looksMs },',
    'activate,',
  ),
  mutant(
    'a machine returns before it could be confirmed',
    'plan/steps.ts',
    'confirmWithinMs: deadlineMs + stableMs + confirmMarginMs + looksMs',
    'confirmWithinMs: 1_000',
  ),
  mutant(
    'a repeated activation does not look at what the machine needs',
    'activation.ts',
    "if (healthy.kind === 'succeeded') return may;\n  return healthy.kind",
    'return may;\n  return healthy.kind',
  ),
  mutant(
    'a boot default is enough where something was live',
    'activation.ts',
    'const stays = step.kind',
    'const stays = false && step.kind',
  ),
  mutant('a confirmation is believed', 'confirm.ts', '(await lacksEvidence(step, claim, context)) ??', ''),
  mutant(
    'a return forgets what was to be booted',
    'restore.ts',
    'if (step.profile !== null && step.profile !== step.current && !test) {',
    'if (false) {',
  ),
  mutant(
    'what failed its gate after an activation stays',
    'next.ts',
    "(current.kind === 'gate' && current.after === 'activation')",
    'false',
  ),
  mutant('what failed to activate stays', 'next.ts', "current.kind === 'activate' ||", ''),
  mutant('what was not confirmed stays', 'next.ts', "current.kind === 'confirm' ||\n    (", '('),
  // the reboot
  mutant('nobody writes down which boot is to be ended', 'reboot.ts', 'context.ends(bootId);', ''),
  mutant(
    'one that was told to reboot is told again once it is up',
    'reboot.ts',
    'const early = !asked && expected !== null',
    'const early = expected !== null',
  ),
  mutant(
    'a reboot before the new generation was there is enough',
    'reboot.ts',
    'const early = !asked && expected',
    'const early = false && expected',
  ),
  mutant(
    'a profile that leads elsewhere is booted',
    'reboot.ts',
    'if (expected !== null && seen.profile !== expected)',
    'if (false)',
  ),
  mutant(
    'what holds a machine back is not looked at before its reboot',
    'reboot.ts',
    'if (standing.length > 0) {',
    'if (false) {',
  ),
  mutant(
    'what holds a machine back is not looked at beforehand',
    'preflight.ts',
    'if (standing.length > 0) {',
    'if (false) {',
  ),
  mutant(
    'another machine is looked at for a reboot that may be under way',
    'reboot.ts',
    'const seen = seenAsItself(state, entry, answered);',
    'const seen = answered;',
  ),
  mutant(
    'a refusal of the reboot is believed',
    'reboot.ts',
    "return seen.state === 'stopping' || seen.bootId !== boot.bootId",
    'return false',
  ),
  mutant(
    'a machine that goes down is left alone after a stop',
    'next.ts',
    "if (current.kind === 'await-boot') return current;",
    "if (current.kind === 'await-boot') return null;",
  ),
  mutant(
    'a machine that is gone is waited for without end',
    'gate.ts',
    'if (now - downAt > step.upMs)',
    'if (false)',
  ),
  mutant(
    'a machine that does not go is waited for without end',
    'gate.ts',
    'if (since > step.downMs)',
    'if (false)',
  ),
  mutant('a copy is taken up again without end', 'copy.ts', 'if (clock.elapsed() >= until)', 'if (false)'),
  mutant(
    'a machine that is starting is well',
    'gate.ts',
    "if (report.verdict === 'unknown' || !isSettled(state)) return",
    "if (report.verdict === 'unknown') return",
  ),
  mutant(
    'what only a reboot makes live counts as done',
    'progress.ts',
    "if (wantsReboot && !steps.some(({ kind }) => kind === 'reboot')) {",
    'if (false) {',
  ),
  mutant('a delay counts from the approval', 'perform.ts', 'Math.max(latest, endedAt ?? 0)', 'latest'),
  // the plan
  mutant(
    'a plan has no look at dependencies before a reboot',
    'plan/steps.ts',
    "...dependencySteps(machine, 'before-reboot', neededBy),",
    '',
  ),
  mutant(
    'a plan has no look at dependencies before an activation',
    'plan/plan-machine.ts',
    "...(activation.length > 0 ? dependencySteps(machine, '', place.neededBy) : []),",
    '',
  ),
  mutant(
    'what failed in a dependency before the run is no matter',
    'dependencies.ts',
    'judgeHealth(report, { ...before, checks: [] })',
    'judgeHealth(report, before)',
  ),
  mutant(
    'a rollback does not ask who needs the machine',
    'dependencies.ts',
    "if (status === 'done' || status === 'nothing') continue;",
    'continue;',
  ),
  mutant(
    'what has nothing to do is not looked at first',
    'next.ts',
    'if (isStartLookDue(state)) return',
    'if (false) return',
  ),
  mutant('copies know no bound', 'next.ts', 'Math.max(0, concurrency[kind] - openCount)', 'idle.length'),
  mutant(
    'what was given up in its middle counts as it was left',
    'drive.ts',
    "(own.aborted && outcome.kind !== 'succeeded')",
    'false',
  ),
  mutant(
    'what was rebooted and returned is tried again',
    'steer.ts',
    'if (rebooted && back !== undefined)',
    'if (false)',
  ),
  mutant(
    'what was changed and failed may be left behind',
    'steer.ts',
    'return isAsItWas(progress)',
    'return true',
  ),
  mutant(
    'a closure is copied before anybody said so',
    'perform.ts',
    'return underLease(step, context, () => preflight(step, context));',
    "return context.target.copy(context.entry.machine, context.entry.wanted ?? '', { deadlineMs: 60_000 }).then(() => underLease(step, context, () => preflight(step, context)));",
  ),
  mutant(
    'a second look excuses what has failed since the first',
    'baseline.ts',
    'both(failing, record?.firstFailing)',
    'failing',
  ),
  mutant(
    'what has failed since the first try excuses the second',
    'steered.ts',
    '...(looked ? { firstFailing: baselineOf(state, entry) } : {}),',
    '',
  ),
  mutant(
    'what has passed a gate may fail again for who takes the run up',
    'look-anew.ts',
    "step.kind === 'gate' ? noFailing : undefined",
    'undefined',
  ),
  mutant(
    'whatever a machine runs at the end is what the run left on it',
    'look-at-all.ts',
    "const other = moment === 'end' ? otherwise(state, entry, report.runs ?? observed) : null;",
    'const other = null;',
  ),
  mutant(
    'a machine that has rebooted again by the end is as its gate saw it',
    'look-at-all.ts',
    "const again = moment === 'end' ? bootedAgain(state, entry, report.runs ?? observed) : null;",
    'const again = null;',
  ),
  // leases
  mutant(
    'a preflight takes no lease',
    'perform.ts',
    'return underLease(step, context, () => preflight(step, context));',
    'return preflight(step, context);',
  ),
  mutant('leases are not renewed', 'lease.ts', "await askAll('renew', { signal });", ''),
  mutant('leases are not given back', 'lease.ts', "await askAll('release', {});", ''),
  // standstills
  mutant('leases are not renewed after a standstill', 'drive.ts', 'await leases.renew();', ''),
  mutant(
    'a lease that was taken before a standstill counts',
    'lease.ts',
    "if (answer.kind === 'held' && context.stoodStill()) continue;",
    '',
  ),
  mutant(
    'a gate passes on what was seen before a standstill',
    'await.ts',
    'gone back by itself.\n        if (context.stoodStill()) continue;',
    'gone back by itself.',
  ),
  mutant(
    'a machine runs its old boot by what was seen before a standstill',
    'await.ts',
    'since that was answered.\n    if (context.stoodStill()) continue;',
    'since that was answered.',
  ),
  mutant(
    'a return counts that was seen before a standstill',
    'step-context.ts',
    'if (stands.take() !== null && !signal.aborted) continue;',
    '',
  ),
  mutant(
    'a standstill is no pause',
    'drive.ts',
    "if (state.pausedBy === null) {\n          append({ kind: 'paused', by: standstillWords",
    "if (false) {\n          append({ kind: 'paused', by: standstillWords",
  ),
  mutant(
    'a standstill of the process is not noticed',
    'standstill.ts',
    'if (ms < standsStillMs)',
    'if (true)',
  ),
  mutant(
    'what an activation saw before a standstill counts',
    'activation.ts',
    'stood = context.stoodStill();\n      if (!stood) return bringAbout(',
    'return bringAbout(',
  ),
  mutant(
    'an activation after a standstill does not ask for its dependencies again',
    'activation.ts',
    'if (!stood && (!context.again',
    'if ((!context.again',
  ),
  mutant(
    'what a reboot saw before a standstill counts',
    'reboot.ts',
    "while (due.kind === 'to-end' && context.stoodStill())",
    'while (false)',
  ),
  mutant(
    'a reboot after a standstill does not ask for its dependencies again',
    'reboot.ts',
    'due = (await stillHealthy(step, context)) ?? (await',
    'due = (await',
  ),
  // the report
  mutant(
    'a trigger is reported as a reboot',
    'report.ts',
    "step.kind === 'await-boot' &&",
    "step.kind === 'reboot' &&",
  ),
  mutant(
    'a boot into the old generation is reported as none',
    'report.ts',
    "(outcome?.kind === 'failed' && bootedOtherwise.has(outcome.failure.kind))",
    'false',
  ),
  mutant(
    'a partial run exits as one that is done',
    'report.ts',
    "case 'partial':\n      return exitCodes.partial;",
    "case 'partial':\n      return exitCodes.done;",
  ),
  mutant(
    'the report calls healthy what fell over',
    'report.ts',
    "if (atEnd !== null && atEnd.verdict !== 'well' && atEnd.verdict !== 'as-before')",
    'if (false)',
  ),
  mutant(
    'the report is silent about a return that failed',
    'report.ts',
    "restored?.kind === 'failed' || restored?.kind === 'unknown' ? restored.failure : null",
    'null',
  ),
  mutant(
    'nothing is owed to who was away',
    'owed.ts',
    "if (why !== 'unreachable' && !waits) continue;",
    'if (!waits) continue;',
  ),
  mutant(
    'what was not left alone is owed',
    'owed.ts',
    "if (status !== 'skipped') return null;",
    "if (status !== 'skipped') return 'unreachable';",
  ),
  mutant('a run holds because of nobody', 'next.ts', 'failure: halted.failure,', 'failure: null,'),
  mutant(
    'a failed run does not say of whom',
    'next.ts',
    'reason: `no machine was brought to its goal: ${missing}`',
    'reason: `no machine was brought to its goal`',
  ),
];
