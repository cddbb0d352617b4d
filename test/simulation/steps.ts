// What the steps of a workspace leave behind in a simulation: container statuses as the kubelet writes them, and findings as our own runner
// would report them for that ending.

import type { JobKind, Step } from '../../crds/contracts/steps.ts';
import type { ContainerStatus } from '../../controllers/kubernetes.ts';
import { stepTable } from '../../controllers/workspace/step-table.ts';
import type { Ending, Workspace } from './kubelet.ts';
import type { Repository } from './repository.ts';

type Facts = (step: Step) => object;

const factsOf =
  (repository: Repository, workspace: Workspace): Facts =>
  (step) => {
    const digest = repository.digestOf(workspace);
    const { base } = repository;
    if (step === 'report')
      return {
        ...{ patch: digest, evidence: digest, base, files: 1, insertions: 2, deletions: 0, tokens: 1000 },
        verify: { passed: 1, failed: 0 },
      };
    if (step === 'merge') return { base, ...repository.merged(workspace) };
    return step === 'push' ? { commit: repository.push(workspace) } : {};
  };

/** The finding of each step that ended by itself, as JSON; asking for that of `push` pushes. */
export const findingsOf = (repository: Repository, workspace: Workspace, ending: Ending): ((step: Step) => string) => {
  const facts = factsOf(repository, workspace);
  const order = stepTable[workspace.kind].map(({ name }) => name as string);
  const failed = ending.how === 'finding' ? ending : undefined;
  return (step) => {
    if (failed?.step === step)
      return JSON.stringify({ step, outcome: 'failed', reason: failed.reason, message: `${step} says no` });
    const isAfter = failed !== undefined && order.indexOf(failed.step) < order.indexOf(step);
    if (isAfter && step === 'report')
      return JSON.stringify({ step, outcome: 'failed', reason: failed.reason, message: `${failed.step} says no` });
    return isAfter ? JSON.stringify({ step, outcome: 'skipped' }) : JSON.stringify({ step, outcome: 'ok', ...facts(step) });
  };
};

/** The container statuses of a pod whose steps have come to that ending. */
export const stepStatuses = (
  kind: JobKind,
  ending: Ending,
  at: string,
  findingOf: (step: Step) => string,
): readonly ContainerStatus[] => {
  const steps = stepTable[kind].map(({ name }) => name);
  const brokenAt =
    ending.how === 'killed' || ending.how === 'deadline' ? steps.findIndex((step) => step === ending.step) : steps.length;
  return steps.map((step, index): ContainerStatus => {
    if (index > brokenAt) return { name: step, state: { waiting: { reason: 'PodInitializing' } } };
    if (index < brokenAt) return { name: step, state: { terminated: { exitCode: 0, finishedAt: at, message: findingOf(step) } } };
    return ending.how === 'killed'
      ? { name: step, state: { terminated: { exitCode: ending.exitCode, reason: ending.reason } } }
      : { name: step, state: { terminated: { exitCode: 137, reason: 'Error' } } };
  });
};
