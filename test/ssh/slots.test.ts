import { describe, expect, test } from 'vitest';
import { createSlots } from '../../src/ssh/slots.ts';

describe('slots', () => {
  test('are granted in order, skip who has left, and never exceed their number', async () => {
    const slots = createSlots(1);
    const first = await slots.take();
    const leaver = new AbortController();
    const left = slots.take(leaver.signal);
    const second = slots.take();
    leaver.abort();
    expect(await left).toBeNull();
    expect(slots.taken()).toBe(1);
    first?.();
    first?.();
    const release = await second;
    expect(slots.taken()).toBe(1);
    release?.();
    expect(slots.taken()).toBe(0);
    expect(await slots.take(AbortSignal.abort())).toBeNull();
  });

  test('that shrink admit nobody until enough are given back', async () => {
    const slots = createSlots(3);
    const taken = await Promise.all([slots.take(), slots.take(), slots.take()]);
    slots.shrinkTo(2);
    const waiting = slots.take();
    taken[0]?.();
    expect(slots.taken()).toBe(2);
    taken[1]?.();
    expect(await waiting).not.toBeNull();
    slots.shrinkTo(0);
    taken[2]?.();
    (await waiting)?.();
    expect(await slots.take()).not.toBeNull();
  });
});
