// Valid objects that belong together: Story `greeting` of namespace `team` with one Task, an attempt and its courier.

import type { Council } from '../../../crds/kinds/council.ts';
import { LABEL_WORKSPACE, type WorkspaceKind } from '../../../crds/labels.ts';
import { API_VERSION, type StoredMeta } from '../../../crds/kinds/meta.ts';
import { platformConfig, type PlatformConfig, type Upstream } from '../../../crds/contracts/platform.ts';
import type { Story } from '../../../crds/kinds/story.ts';
import type { Attempt, Task } from '../../../crds/kinds/task.ts';
import type { Job, Pod } from '../../../gateway/cluster/objects.ts';

export const NAMESPACE = 'team';
export const COMMIT = '1'.repeat(40);
export const DIGEST = `sha256:${'d'.repeat(64)}`;

export const UIDS = {
  story: '00000000-0000-4000-8000-000000000001',
  task: '00000000-0000-4000-8000-000000000002',
  plan: '00000000-0000-4000-8000-000000000003',
  council: '00000000-0000-4000-8000-000000000004',
  attemptJob: '00000000-0000-4000-8000-00000000000a',
  attemptPod: '00000000-0000-4000-8000-00000000000b',
  courierJob: '00000000-0000-4000-8000-00000000000c',
  courierPod: '00000000-0000-4000-8000-00000000000d',
} as const;

const meta = (name: string, uid: string, more: Partial<StoredMeta> = {}): StoredMeta => ({
  ...{ name, namespace: NAMESPACE, uid, resourceVersion: '1', generation: 1, creationTimestamp: '2026-11-01T10:00:00Z' },
  ...more,
});

export interface StoryChange {
  readonly uid?: string;
  readonly name?: string;
  readonly namespace?: string;
  readonly repository?: string;
  readonly ref?: string;
  readonly tokens?: number;
  readonly description?: string;
  readonly status?: Story['status'];
}

export const story = (change: StoryChange = {}): Story => ({
  apiVersion: API_VERSION,
  kind: 'Story',
  metadata: meta(change.name ?? 'greeting', change.uid ?? UIDS.story, { namespace: change.namespace ?? NAMESPACE }),
  spec: {
    ...{ title: 'Say goodbye', description: change.description ?? 'As a caller I want a farewell.' },
    ...{ acceptanceCriteria: ['Given a name, when I leave, then I hear goodbye.'], rigor: 'L1', priority: 0, councils: [] },
    repository: { url: change.repository ?? 'https://git.example.com/team/app.git', ref: change.ref ?? 'main' },
    ...{ plan: { mode: 'Provided', maxRevisions: 3 }, gates: {}, baseline: false, suspend: false, cancel: false },
    budget: { wallClockSeconds: 604_800, ...(change.tokens !== undefined && { tokens: change.tokens }) },
  },
  status: change.status ?? { phase: 'Build', baseCommit: COMMIT },
});

export const attempt = (change: Partial<Attempt> = {}): Attempt => ({
  ...{ n: 1, agent: 'agent-dev-001', candidate: 1, courierTries: 0, startedAt: '2026-11-01T10:05:00Z' },
  ...{ jobUid: UIDS.attemptJob, courierUid: UIDS.courierJob },
  ...change,
});

export interface TaskChange {
  readonly attempts?: readonly Attempt[];
  readonly spec?: Partial<Task['spec']['task']>;
  readonly name?: string;
  readonly uid?: string;
  readonly phase?: NonNullable<Task['status']>['phase'];
}

export const task = (change: TaskChange = {}): Task => ({
  apiVersion: API_VERSION,
  kind: 'Task',
  metadata: meta(change.name ?? 'greeting-t1-0123abcd', change.uid ?? UIDS.task),
  spec: {
    storyRef: { name: 'greeting', uid: UIDS.story },
    planRef: { name: 'greeting-plan', uid: UIDS.plan, revision: 1, digest: DIGEST },
    task: {
      ...{
        id: 'T1',
        title: 'Add goodbye',
        description: 'Add a function goodbye(name).',
        role: 'DEV',
        phase: 'BUILD',
        priority: 0,
      },
      ...{ fileScope: ['src/**'], dependsOn: [], verify: { commands: ['npm test'] }, candidates: 1, deliberation: 'None' },
      constraints: { rubric: [], requirements: ['No new dependencies.'] },
      ...change.spec,
    },
    ...{ taskDigest: DIGEST, suspend: false, priority: 0, extraAttempts: 0, cancel: false },
  },
  status: { phase: change.phase ?? 'Running', attempts: [...(change.attempts ?? [attempt()])] },
});

export const council = (change: Partial<Council['spec']['model']> = {}, more: Partial<Council['spec']> = {}): Council => ({
  apiVersion: API_VERSION,
  kind: 'Council',
  metadata: meta('dev', UIDS.council),
  spec: {
    ...{ role: 'DEV', default: true, size: 3, agents: [] },
    model: { endpoint: 'model', name: 'scripted-model-not-an-llm', temperature: '0.7', maxTokens: 512, ...change },
    deliberation: { rounds: 1, rubric: [], topK: 3, timeoutSeconds: 300 },
    workspace: { imageProfile: 'node', resources: {} },
    ...more,
  },
});

const OWNERS = { attempt: [UIDS.attemptJob, UIDS.attemptPod], courier: [UIDS.courierJob, UIDS.courierPod] } as const;

export const job = (kind: 'attempt' | 'courier'): Job => ({
  apiVersion: 'batch/v1',
  kind: 'Job',
  metadata: {
    ...meta(`fleet-ws-${kind}`, OWNERS[kind][0], { labels: { [LABEL_WORKSPACE]: kind satisfies WorkspaceKind } }),
    ownerReferences: [{ apiVersion: API_VERSION, kind: 'Task', name: 'greeting-t1-0123abcd', uid: UIDS.task, controller: true }],
  },
});

export const pod = (kind: 'attempt' | 'courier', status: Pod['status'] = { phase: 'Running' }): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: {
    ...meta(`fleet-ws-${kind}`, OWNERS[kind][1], { labels: { [LABEL_WORKSPACE]: kind satisfies WorkspaceKind } }),
    ownerReferences: [{ apiVersion: 'batch/v1', kind: 'Job', name: `fleet-ws-${kind}`, uid: OWNERS[kind][0], controller: true }],
  },
  status,
});

export const platform = (upstreams: readonly Upstream[] = []): PlatformConfig =>
  platformConfig.parse({
    upstreams,
    imageProfiles: [{ name: 'node', image: 'toolchain-node:1', setup: ['npm ci'], namespaces: ['*'] }],
    gates: { scope: 'Human', design: 'Human', test: 'Human', docs: 'Human' },
    capacity: { workspaces: 10, perNamespace: 10, perStory: 3 },
    limits: {
      ...{ patchBytes: 1_048_576, patchFiles: 200, outputBytes: 65_536, iterations: 50, tokensPerTask: 200_000 },
      ...{ protectedPaths: ['.gitattributes', '.github/**'], protectedPathsAllowedFor: [] },
    },
    workspace: {
      ...{
        fleetImage: 'fleet:1',
        fleetImagePullPolicy: 'IfNotPresent',
        resources: {},
        deadlineSeconds: 3_600,
        egressOwnNode: false,
      },
      attemptLimits: { agent: 3, infrastructure: 6 },
    },
    gateway: { serviceName: 'fleet-gateway', namespace: 'swe-fleet', port: 8443, canaryPort: 8444 },
    nats: { url: 'nats://127.0.0.1:4222' },
  });
