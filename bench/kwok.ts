// Plays the node and the pods of workspace Jobs with kwok instead of a kubelet: a pod that was scheduled runs, then succeeds at once, with the
// findings of its last step as its termination message. Digests and commits come from the pod's uid, so that no two are alike.
// May: describe stages, start the program. Pods of namespace `held` run and do not end.

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Findings } from '../crds/contracts/findings.ts';
import type { Cluster } from '../test/cluster/cluster.ts';
import { startProcess, type Running } from './process.ts';

export const HELD_NAMESPACE = 'held';
export const NODE = 'played';

const API = 'kwok.x-k8s.io/v1alpha1';
const SHA1 = '{{ sha1sum $uid }}';
const SHA256 = 'sha256:{{ sha256sum $uid }}';
export const PLAYED_BASE = 'b'.repeat(40);

const MESSAGES = {
  checkout: { step: 'checkout', outcome: 'ok', base: PLAYED_BASE },
  merge: { step: 'merge', outcome: 'ok', base: PLAYED_BASE, commit: SHA1, baseMoved: false, landed: false },
  report: {
    ...{
      step: 'report',
      outcome: 'ok',
      patch: SHA256,
      evidence: SHA256,
      base: PLAYED_BASE,
      files: 1,
      insertions: 1,
      deletions: 0,
    },
    ...{ verify: { passed: 1, failed: 0 }, tokens: 100, summary: 'played' },
  },
  push: { step: 'push', outcome: 'ok', commit: SHA1 },
} satisfies { readonly [S in 'checkout' | 'merge' | 'report' | 'push']: Findings[S] | object };

const message = (steps: readonly (keyof typeof MESSAGES)[]): string =>
  steps.map((step) => `{{ if eq .name "${step}" }}\n    message: '${JSON.stringify(MESSAGES[step])}'\n{{ end }}`).join('\n');

const HEAD = '{{ $now := Now }}\n{{ $uid := .metadata.uid }}\n';
const terminated = (steps: readonly (keyof typeof MESSAGES)[]): string => `
  state:
    terminated:
      exitCode: 0
      reason: Completed
      startedAt: {{ $now | Quote }}
      finishedAt: {{ $now | Quote }}
      ${message(steps).replaceAll('\n', '\n  ')}`;

const status = (name: string, rest: string): string => `
{{ range .spec.${name} }}
- name: {{ .name | Quote }}
  image: {{ .image | Quote }}
  imageID: ""
  restartCount: 0${rest}
{{ end }}`;

const condition = (type: string, value: 'True' | 'False'): string =>
  `- type: ${type}\n  status: "${value}"\n  lastTransitionTime: {{ $now | Quote }}`;
const conditions = (ready: 'True' | 'False'): string =>
  `conditions:\n${condition('Initialized', 'True')}\n${condition('Ready', ready)}\n${condition('ContainersReady', ready)}\n`;

/** Its first steps have ended by then, and the last one is at work. */
const RUNNING = `${HEAD}${conditions('True')}
initContainerStatuses:${status('initContainers', `\n  ready: true${terminated(['checkout', 'merge'])}`)}
containerStatuses:${status('containers', '\n  ready: true\n  started: true\n  state:\n    running:\n      startedAt: {{ $now | Quote }}')}
phase: Running
startTime: {{ $now | Quote }}
`;

const SUCCEEDED = `${HEAD}${conditions('False')}
containerStatuses:${status('containers', `\n  ready: false\n  started: false${terminated(['report', 'push'])}`)}
phase: Succeeded
`;

interface Matching {
  readonly key: string;
  readonly operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist';
  readonly values?: readonly string[];
}

const stage = (name: string, kind: 'Pod' | 'Node', matchExpressions: readonly Matching[], next: object): object => ({
  ...{ apiVersion: API, kind: 'Stage', metadata: { name } },
  spec: { resourceRef: { apiGroup: 'v1', kind }, selector: { matchExpressions }, next },
});

const living: Matching = { key: '.metadata.deletionTimestamp', operator: 'DoesNotExist' };
const inPhase = (phase: string): Matching => ({ key: '.status.phase', operator: 'In', values: [phase] });
const nodeReady = ['Ready'].map((type) => `- type: ${type}\n  status: "True"\n  reason: Played\n  message: played by kwok`);

const stages: readonly object[] = [
  stage(
    'node-ready',
    'Node',
    [{ key: '.status.conditions.[] | select( .type == "Ready" ) | .status', operator: 'NotIn', values: ['True'] }],
    { statusTemplate: `{{ $now := Now }}\nconditions:\n${nodeReady.join('\n')}\n  lastHeartbeatTime: {{ $now | Quote }}\n` },
  ),
  stage('pod-running', 'Pod', [living, inPhase('Pending')], { statusTemplate: RUNNING }),
  stage(
    'pod-succeeded',
    'Pod',
    [living, inPhase('Running'), { key: '.metadata.namespace', operator: 'NotIn', values: [HELD_NAMESPACE] }],
    { statusTemplate: SUCCEEDED },
  ),
  stage('pod-gone', 'Pod', [{ key: '.metadata.deletionTimestamp', operator: 'Exists' }], { delete: true }),
];

/** It must not be what is measured: as many pods at once as there may be workspaces. */
const configuration = {
  ...{ apiVersion: 'config.kwok.x-k8s.io/v1alpha1', kind: 'KwokConfiguration' },
  options: {
    podPlayStageParallelism: 16,
    nodeLeaseDurationSeconds: 120,
    podsOnNodeSyncParallelism: 16,
    nodeLeaseParallelism: 1,
    nodePlayStageParallelism: 1,
  },
};

export const playedNode = {
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name: NODE, labels: { 'kubernetes.io/hostname': NODE, 'kubernetes.io/os': 'linux' } },
  status: {
    capacity: { cpu: '100k', memory: '100Ti', pods: '100k', 'ephemeral-storage': '1Pi' },
    allocatable: { cpu: '100k', memory: '100Ti', pods: '100k', 'ephemeral-storage': '1Pi' },
  },
};

export const startKwok = async (cluster: Cluster, program: string, folder: string): Promise<Running> => {
  const file = join(folder, 'kwok.yaml');
  await writeFile(file, [configuration, ...stages].map((document) => JSON.stringify(document)).join('\n---\n'));
  const argv = [program, `--kubeconfig=${cluster.kubeconfig}`, `--config=${file}`, '--manage-all-nodes=true'];
  return startProcess({ name: 'kwok', argv, env: {}, folder });
};
