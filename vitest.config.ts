// Four projects: `fast` needs nothing but Node; the others run on the real thing and bring it up by themselves.
import { defineConfig } from 'vitest/config';

const real = { testTimeout: 240_000, hookTimeout: 600_000 };

export default defineConfig({
  test: {
    maxWorkers: 2,
    projects: [
      {
        test: {
          name: 'fast',
          include: ['test/unit/**/*.test.ts', 'test/golden/**/*.test.ts', 'test/simulation/**/*.test.ts'],
          testTimeout: 30_000,
          sequence: { groupOrder: 0 },
        },
      },
      { test: { name: 'contract', include: ['test/contract/**/*.test.ts'], ...real, sequence: { groupOrder: 1 } } },
      {
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          globalSetup: 'test/e2e/setup.ts',
          ...real,
          fileParallelism: false,
          sequence: { groupOrder: 2 },
        },
      },
      { test: { name: 'box', include: ['test/box/**/*.test.ts'], ...real, fileParallelism: false, sequence: { groupOrder: 3 } } },
    ],
  },
});
