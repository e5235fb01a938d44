import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    // What is polled for must come; how soon is a matter of the machine.
    expect: { poll: { timeout: 30_000 } },
    reporters: ['default', './test/closing-line.ts'],
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['test/**/*.test.{ts,tsx}'],
          exclude: ['test/e2e/**'],
          // Bounds for what hangs; what is slow is slower elsewhere.
          testTimeout: 180_000,
          hookTimeout: 180_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          // They wait more than they work; each file has a fleet of its own.
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
          testTimeout: 600_000,
          hookTimeout: 600_000,
        },
      },
    ],
  },
});
