// All steps by the word on the command line. Each is loaded when it is wanted: a pod starts eleven processes, and most need little.
import type { RunnerCommand } from '../../crds/contracts/steps.ts';
import type { Step } from '../step.ts';

export const steps: Readonly<Record<RunnerCommand, () => Promise<Step>>> = {
  runner: async () => (await import('./runner.ts')).runner,
  checkout: async () => (await import('./checkout.ts')).checkout,
  setup: async () => (await import('./setup.ts')).setup,
  work: async () => (await import('./work.ts')).work,
  'verify-setup': async () => (await import('./verify-setup.ts')).verifySetup,
  verify: async () => (await import('./verify.ts')).verify,
  report: async () => (await import('./report.ts')).report,
  merge: async () => (await import('./merge.ts')).merge,
  'courier-setup': async () => (await import('./courier-setup.ts')).courierSetup,
  'courier-verify': async () => (await import('./courier-verify.ts')).courierVerify,
  push: async () => (await import('./push.ts')).push,
};
