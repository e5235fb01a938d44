import type { Benchmark } from './harness.ts';
export const sweep: Benchmark = {
  name: 'sweep',
  about: '',
  rounds: 1,
  run: async () => ({ kind: 'missing', why: 'x' }),
};
