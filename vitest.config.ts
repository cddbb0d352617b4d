// `fast` needs nothing but Node; the others run on the real thing. Where files share a cluster they run one after the other, as an
// operator of one file would act on the objects of another.
import { defineConfig } from 'vitest/config';

const real = { testTimeout: 240_000, hookTimeout: 600_000 };
/** Contract tests that bring servers of their own, or need none, and touch no cluster. */
const ownServers = [
  'test/contract/workspace/**/*.test.ts',
  'test/contract/agent-pool/**/*.test.ts',
  'test/contract/gateway/{door,git,ledger,model,receipts,store,sweep}.test.ts',
  'test/contract/runtime/**/*.test.ts',
  'test/contract/{nats-rights,plugin,dependencies/upstreams}.test.ts',
];

/** Thousands of simulated runs, and again with faults seeded: no cluster, but minutes. */
const court = ['test/simulation/court.test.ts'];
const alone = ['test/e2e/restart.test.ts', 'test/e2e/chaos.test.ts', 'test/e2e/quiet.test.ts'];

export default defineConfig({
  test: {
    maxWorkers: 2,
    projects: [
      {
        test: {
          name: 'fast',
          include: ['test/unit/**/*.test.ts', 'test/golden/**/*.test.ts', 'test/simulation/**/*.test.ts'],
          exclude: court,
          testTimeout: 60_000,
          // one process for many files: they mock no modules and leave nothing behind, so what they import is loaded once
          isolate: false,
          sequence: { groupOrder: 0 },
        },
      },
      { test: { name: 'court', include: court, testTimeout: 1_200_000, sequence: { groupOrder: 0 } } },
      { test: { name: 'servers', include: ownServers, ...real, sequence: { groupOrder: 1 } } },
      {
        test: {
          name: 'contract',
          include: ['test/contract/**/*.test.ts'],
          exclude: ownServers,
          ...real,
          fileParallelism: false,
          sequence: { groupOrder: 2 },
        },
      },
      // Stories mostly wait for the kubelet, so files in namespaces of their own run side by side …
      {
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          exclude: alone,
          globalSetup: 'test/e2e/setup.ts',
          ...real,
          maxWorkers: 3,
          sequence: { groupOrder: 3 },
        },
      },
      // … but for those that kill our processes or listen to silence.
      {
        test: {
          name: 'e2e-alone',
          include: alone,
          globalSetup: 'test/e2e/setup.ts',
          ...real,
          fileParallelism: false,
          sequence: { groupOrder: 4 },
        },
      },
      {
        test: { name: 'box', include: ['test/box/**/*.test.ts'], ...real, fileParallelism: false, sequence: { groupOrder: 5 } },
      },
    ],
  },
});
