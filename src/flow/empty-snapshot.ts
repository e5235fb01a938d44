import { noPast } from '../plan/past.ts';
import type { LabSnapshot } from './session.ts';

/** What a session shows before anything was looked at. */
export const emptySnapshot = (flake: string, demo: boolean, now: number): LabSnapshot => ({
  flake,
  demo,
  now,
  evaluation: { value: null, at: null, refreshing: false, failure: null },
  problems: [],
  observations: new Map(),
  observing: new Set(),
  health: new Map(),
  probing: new Set(),
  samples: new Map(),
  awaySince: new Map(),
  toplevels: new Map(),
  phase: { kind: 'none' },
  run: null,
  lockChanges: [],
  events: [],
  planLook: null,
  closureDiffs: new Map(),
  generations: new Map(),
  inputs: { value: null, at: null, refreshing: false, failure: null },
  inputsPreview: null,
  nextScheduled: null,
  recalled: noPast,
  past: null,
  opened: null,
  logs: null,
  messages: [],
});
