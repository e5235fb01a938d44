import { expect, onTestFinished, test, vi } from 'vitest';
import { demoSession } from '../../src/compose/demo.ts';
import type { LabSnapshot, Session } from '../../src/flow/session.ts';
import { lookOfPlan } from '../../src/flow/session-blockers.ts';
import { closureKey } from '../../src/flow/session-closures.ts';
import { JournalFailure } from '../../src/journal/journal.ts';

/** The session behind the screen, over the simulated lab at a pace at which a run takes a second or two. */

const signals = { stop: new AbortController().signal, abort: new AbortController().signal };

const open = (other: Partial<Parameters<typeof demoSession>[0]> = {}) => {
  const demo = demoSession({ seed: 1, speed: 60, ...other }, { cwd: '/', version: 'test', signals });
  onTestFinished(async () => {
    demo.leave();
    await demo.session.close();
  });
  return demo;
};

const until = async (session: Session, holds: (snapshot: LabSnapshot) => boolean): Promise<LabSnapshot> => {
  await expect.poll(() => holds(session.snapshot()), { timeout: 50_000, interval: 20 }).toBe(true);
  return session.snapshot();
};
const allSeen = ({ observations, health }: LabSnapshot): boolean =>
  observations.size === 7 && health.size === 7;

test('the lab is evaluated and looked at by itself, again and again', async () => {
  const { session } = open();
  const first = await until(session, allSeen);
  expect(first.past).toEqual([]);
  const since = first.awaySince.get('killing-time');
  expect(since).toBeTypeOf('number');
  const later = await until(session, ({ samples }) => (samples.get('grey-area')?.length ?? 0) >= 3);
  // Away since it was first found so, however often it is looked for.
  expect(later.awaySince.get('killing-time')).toBe(since);
  const known = await until(session, ({ generations }) => generations.get('grey-area')?.value != null);
  expect(known.generations.get('grey-area')?.value?.some(({ isCurrent }) => isCurrent)).toBe(true);
});

test('a run: prepared, declined; prepared, approved, paused, gone on, ended, and then history', async () => {
  const { session } = open();
  await until(session, allSeen);
  session.prepare({ kind: 'reboot', which: 'all' }, ['lightly-seared']);
  await until(session, ({ phase }) => phase.kind === 'awaiting-approval');
  session.decline();
  await until(session, ({ phase }) => phase.kind === 'ended');
  session.dismiss();
  expect(session.snapshot().phase).toEqual({ kind: 'none' });

  session.prepare({ kind: 'run', update: false }, ['grey-area', 'lightly-seared']);
  await until(session, ({ phase }) => phase.kind === 'awaiting-approval');
  session.approve();
  await until(session, ({ phase }) => phase.kind === 'running');
  session.pause();
  await until(session, ({ run }) => run?.pausedBy != null);
  session.unpause();
  const ended = await until(session, ({ phase }) => phase.kind === 'ended');
  expect(ended.run?.ended?.result).toMatch(/done|partial/u);

  const { past } = await until(session, (snapshot) => (snapshot.past ?? []).length === 2);
  const [latest] = past ?? [];
  expect(latest?.machines.map(({ name }) => name)).toContain('grey-area');
  session.openPast(latest?.run ?? '');
  expect(session.snapshot().opened?.events.at(-1)?.body.kind).toBe('run-ended');
});

test('a plan that nobody answers ends by itself, and says that nobody answered', async () => {
  const { session } = open({ answerWithinMs: 30_000 });
  await until(session, allSeen);
  session.prepare({ kind: 'reboot', which: 'all' }, ['lightly-seared']);
  const { run } = await until(session, ({ phase }) => phase.kind === 'ended');
  expect(run?.ended).toMatchObject({
    result: 'expired',
    reason: 'nobody answered the plan within 30 s: nothing was touched',
  });
});

test('a run that somebody else begins appears by itself', async () => {
  const { session, runs } = open();
  await until(session, allSeen);
  const begun = await runs.start({
    goal: { kind: 'reboot', which: 'all' },
    selectors: ['lightly-seared'],
    consent: { kind: 'ask' },
  });
  if (!begun.ok) throw new Error(begun.failure.message);
  const seen = await until(session, ({ phase }) => phase.kind === 'awaiting-approval');
  expect(seen.run?.run).toBe(begun.value);
  expect(seen.messages.map(({ text }) => text).join()).toContain(`run ${begun.value} is under way`);
  session.decline();
  await until(session, ({ phase }) => phase.kind === 'ended');
});

test('and so it does after a while in which the journal could not be read, which is told once', async () => {
  const { session, runs } = open();
  await until(session, allSeen);
  const list = vi.spyOn(runs.journal, 'runs').mockImplementation(() => {
    throw new JournalFailure('another program holds it', 'end that');
  });
  const told = ({ messages }: LabSnapshot) =>
    messages.filter(({ text }) => text === 'another program holds it; end that');
  await until(session, (snapshot) => told(snapshot).length > 0);
  const looked = list.mock.calls.length;
  await until(session, () => list.mock.calls.length > looked + 2);
  expect(told(session.snapshot())).toHaveLength(1);
  list.mockRestore();
  const begun = await runs.start({
    goal: { kind: 'reboot', which: 'all' },
    selectors: ['lightly-seared'],
    consent: { kind: 'ask' },
  });
  await until(session, ({ phase }) => phase.kind === 'awaiting-approval');
  expect(session.snapshot().run?.run).toBe(begun.ok && begun.value);
});

test('inputs: what they are, what would move, and moving them', async () => {
  const { session } = open();
  await until(session, allSeen);
  session.readInputs();
  const { inputs } = await until(session, (snapshot) => snapshot.inputs.value !== null);
  expect(inputs.value?.map(({ input }) => input)).toContain('nixpkgs');
  session.previewInputs([]);
  const { inputsPreview } = await until(session, (snapshot) => snapshot.inputsPreview?.value != null);
  const moves = inputsPreview?.value?.changes ?? [];
  expect(moves.length).toBeGreaterThan(0);
  expect(session.snapshot().inputs.value).toEqual(inputs.value);
  session.updateInputs([]);
  const moved = await until(
    session,
    (snapshot) => snapshot.inputs.value !== inputs.value && !snapshot.inputs.refreshing,
  );
  const nixpkgs = moved.inputs.value?.find(({ input }) => input === 'nixpkgs');
  expect(nixpkgs?.locked.rev).toBe(moves.find(({ input }) => input === 'nixpkgs')?.to?.rev);
  // It is recorded, and no run to be followed.
  const { past, phase } = await until(session, (snapshot) => (snapshot.past ?? []).length > 0);
  expect(past).toMatchObject([
    { goal: { kind: 'update', inputs: [] }, result: 'done', inputsMoved: moves.length },
  ]);
  expect(phase).toEqual({ kind: 'none' });
});

test('packages are compared where they are looked at, and in a plan; what is not built is told so', async () => {
  const { session } = open();
  const seen = await until(session, (snapshot) => allSeen(snapshot) && snapshot.toplevels.size === 7);
  const keyOf = (name: string): string => {
    const observation = seen.observations.get(name);
    const current = observation?.kind === 'reachable' ? (observation.current ?? '') : '';
    return closureKey(current, seen.toplevels.get(name)?.outPath ?? '');
  };
  const behind = [...seen.observations.keys()].find((name) => {
    const [from, to] = keyOf(name).split(' ');
    return from !== '' && from !== to;
  });
  expect(behind).toBeDefined();
  const key = keyOf(behind ?? '');
  session.lookAtClosure(behind ?? '');
  const unbuilt = await until(session, ({ closureDiffs }) => closureDiffs.get(key)?.failure != null);
  expect(unbuilt.closureDiffs.get(key)?.failure?.kind).toBe('not-built');

  session.prepare({ kind: 'run', update: false }, [behind ?? '']);
  await until(session, ({ phase }) => phase.kind === 'awaiting-approval');
  const { closureDiffs } = await until(session, (snapshot) => snapshot.closureDiffs.get(key)?.value != null);
  expect(closureDiffs.get(key)?.value?.changes.map(({ name }) => name)).toContain('openssl');
  session.decline();
  await until(session, ({ phase }) => phase.kind === 'ended');
});

test('a plan is made anew in spite of something: the one that waited is declined, and the new one goes ahead', async () => {
  const { session } = open({ trouble: 'busy' });
  await until(session, allSeen);
  session.prepare({ kind: 'reboot', which: 'all' }, ['lightly-seared']);
  const first = await until(session, ({ phase }) => phase.kind === 'awaiting-approval');
  const standing = (snapshot: LabSnapshot): readonly string[] | null => {
    const look = lookOfPlan(snapshot);
    const held = look?.looking === false ? look.machines.get('lightly-seared') : undefined;
    return held?.kind === 'seen' ? held.standing.map(({ kind }) => kind) : null;
  };
  const looked = await until(session, (snapshot) => standing(snapshot) !== null);
  expect(standing(looked)).toEqual(['inhibited', 'users-logged-in']);
  const overrides = (['inhibited', 'users-logged-in'] as const).map((blocker) => ({
    blocker,
    machine: 'lightly-seared',
  }));
  session.replan(overrides);
  const second = await until(
    session,
    (snapshot) => snapshot.run?.run !== first.run?.run && standing(snapshot) !== null,
  );
  expect(second.run).toMatchObject({
    goal: first.run?.goal,
    selectors: ['lightly-seared'],
    plan: { overrides },
  });
  expect(standing(second)).toEqual([]);
  session.approve();
  const { run } = await until(session, ({ phase }) => phase.kind === 'ended');
  expect(run?.ended?.result).toBe('done');
});
