import type { RunState } from '../run/state.ts';
import type { LabOptions } from './lab.ts';

/** What a run was opened with, for another process that takes it up; its folder besides is `opened.cwd`. */
export const openedAs = ({ flake, opened }: Pick<RunState, 'flake' | 'opened'>): LabOptions => ({
  flake,
  overrideInputs: opened.overrideInputs.map(({ name, value }) => ({ name, url: value })),
  nixOptions: opened.nixOptions,
  sshConfig: opened.sshConfig,
  refresh: false,
});
