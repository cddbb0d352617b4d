// Valid objects of our kinds in one call each. What a case does not say is filled in by the very schemas that the API server uses, so
// what a case does say has to be valid too. A test of something malformed writes it itself.

import { councilSpec, councilStatus, type Council } from '../../crds/kinds/council.ts';
import { deliberationSpec, type Deliberation } from '../../crds/kinds/deliberation.ts';
import { API_VERSION, type Condition, type ObjectMeta, type OutboxEvent, type StoredMeta } from '../../crds/kinds/meta.ts';
import { imageProfile, platformConfig, type PlatformConfig } from '../../crds/contracts/platform.ts';
import { planTask, type PlanTask } from '../../crds/kinds/plan-task.ts';
import { planSpec, planStatus as planStatusSchema, type Plan, type PlanStatus } from '../../crds/kinds/plan.ts';
import { storySpec, storyStatus as storyStatusSchema, type Story, type StoryStatus } from '../../crds/kinds/story.ts';
import {
  attempt as attemptSchema,
  taskSpec,
  taskStatus,
  type Attempt,
  type Task,
  type TaskStatus,
} from '../../crds/kinds/task.ts';
import { planTaskDigest, scopeDigest } from '../../crds/digests.ts';

export const NOW = Date.parse('2026-11-21T09:00:00Z');
export const DIGEST = `sha256:${'d'.repeat(64)}` as const;
export const COMMIT = 'c'.repeat(40);
export const DEADLINE_S = 7 * 86_400;

/** Text of a time that many seconds after `NOW`. */
export const at = (seconds = 0): string => `${new Date(NOW + seconds * 1000).toISOString().slice(0, 19)}Z`;

export const meta = (name: string, more: Partial<StoredMeta> = {}): StoredMeta => ({
  name,
  namespace: 'shop',
  uid: `uid-${more.name ?? name}`,
  resourceVersion: '1',
  generation: 1,
  creationTimestamp: at(),
  ...more,
});

/** As a person writes it: the API server gives out uids, and the status is the operator's. */
export const unstored = <T extends { readonly metadata: StoredMeta; readonly status?: unknown }>(
  object: T,
): Omit<T, 'metadata' | 'status'> & { readonly metadata: ObjectMeta } => {
  const { status: _status, metadata, ...rest } = object;
  return { ...rest, metadata: { name: metadata.name, namespace: metadata.namespace } };
};

export const condition = (type: string, status: Condition['status'], reason = type, message = 'it is so'): Condition => ({
  ...{ type, status, reason, message },
  lastTransitionTime: at(),
});

export const outboxEvent = (seq: number, more: Partial<OutboxEvent> = {}): OutboxEvent => ({
  ...{ seq, type: 'planning.story.transitioned', at: at(), data: '{}' },
  ...more,
});

type Loose<T> = { readonly [K in keyof T]?: unknown };

export const story = (spec: Loose<Story['spec']> = {}, status?: StoryStatus, more: Partial<StoredMeta> = {}): Story => ({
  apiVersion: API_VERSION,
  kind: 'Story',
  metadata: meta('login', more),
  spec: storySpec.parse({
    title: 'Visitors can log in',
    description: 'So that a visitor finds her orders again.',
    acceptanceCriteria: ['Given a known visitor, when she logs in, then she sees her orders'],
    repository: { url: 'https://git.example/shop.git' },
    ...spec,
  }),
  ...(status && { status: storyStatusSchema.parse(status) }),
});

/** Of a Story whose Plan `login-1` is at work. */
export const storyStatus = (more: Partial<StoryStatus> = {}): StoryStatus => ({
  phase: 'Build',
  gates: { scope: 'Auto', design: 'Human', test: 'Auto', docs: 'Auto' },
  scopeDigest: scopeDigest(story().spec),
  baseCommit: COMMIT,
  branch: 'fleet/shop/login',
  plan: { name: 'login-1', uid: 'uid-login-1', revision: 1, digest: DIGEST },
  startedAt: at(),
  deadline: at(DEADLINE_S),
  eventSeq: 4,
  ...more,
});

export const work = (id: string, more: Loose<PlanTask> = {}): PlanTask =>
  planTask.parse({ id, title: `Write ${id}`, role: 'DEV', deliberation: 'None', verify: { commands: ['npm test'] }, ...more });

export const plan = (
  tasks: readonly PlanTask[],
  more: Loose<Plan['spec']> & { readonly revision?: number } = {},
  status?: PlanStatus,
): Plan => {
  const spec = planSpec.parse({ storyRef: { name: 'login' }, author: 'ada', tasks, ...more });
  return {
    apiVersion: API_VERSION,
    kind: 'Plan',
    metadata: meta(`${spec.storyRef.name}-${spec.revision}`),
    spec,
    ...(status && { status: planStatusSchema.parse(status) }),
  };
};

export const planStatus = (tasks: readonly PlanTask[], more: Partial<PlanStatus> = {}): PlanStatus => ({
  phase: 'Approved',
  storyUid: 'uid-login',
  digest: DIGEST,
  taskCount: tasks.length,
  tasks: [...tasks],
  eventSeq: 2,
  ...more,
});

export const approved = { verdict: 'Approved', by: 'grace', digest: DIGEST } as const;

export const approvedPlan = (tasks: readonly PlanTask[]): Plan => plan(tasks, { approval: approved }, planStatus(tasks));

export const task = (work: PlanTask, status?: TaskStatus, more: Loose<Task['spec']> = {}): Task => ({
  apiVersion: API_VERSION,
  kind: 'Task',
  metadata: meta(`login-${work.id}`, {
    ownerReferences: [{ apiVersion: API_VERSION, kind: 'Story', name: 'login', uid: 'uid-login', controller: true }],
  }),
  spec: taskSpec.parse({
    storyRef: { name: 'login', uid: 'uid-login' },
    planRef: { name: 'login-1', uid: 'uid-login-1', revision: 1, digest: DIGEST },
    task: work,
    taskDigest: planTaskDigest(work),
    ...more,
  }),
  ...(status && { status: taskStatus.parse(status) }),
});

export const attempt = (n: number, more: Loose<Attempt> = {}): Attempt =>
  attemptSchema.parse({ n, agent: `agent-dev-00${n}`, jobUid: `uid-attempt-${n}`, startedAt: at(), ...more });

export const council = (more: Loose<Council['spec']> = {}, isReady = true): Council => ({
  apiVersion: API_VERSION,
  kind: 'Council',
  metadata: meta('dev'),
  spec: councilSpec.parse({
    role: 'DEV',
    default: true,
    model: { endpoint: 'gpu', name: 'qwen' },
    workspace: { imageProfile: 'node' },
    ...more,
  }),
  ...(isReady && {
    status: councilStatus.parse({ ready: 'True', conditions: [condition('Ready', 'True', 'Ready', 'it serves')] }),
  }),
});

export const deliberation = (more: Partial<StoredMeta> = {}): Deliberation => ({
  apiVersion: API_VERSION,
  kind: 'Deliberation',
  metadata: meta('which-way', more),
  spec: deliberationSpec.parse({ councilRef: { name: 'dev' }, subject: 'Which way?' }),
});

export const nodeProfile = imageProfile.parse({ name: 'node', image: 'toolchain-node:1', setup: ['npm ci'], namespaces: ['*'] });

export const platform = (more: Loose<PlatformConfig> = {}): PlatformConfig =>
  platformConfig.parse({
    upstreams: [
      { name: 'gpu', kind: 'model', host: 'vllm.example', namespaces: ['*'] },
      { name: 'git', kind: 'git', host: 'git.example', namespaces: ['*'] },
    ],
    imageProfiles: [nodeProfile],
    gates: { scope: 'Auto', design: 'Human', test: 'Auto', docs: 'Auto' },
    capacity: { workspaces: 4, perNamespace: 4, perStory: 4 },
    limits: {
      patchBytes: 1_000_000,
      patchFiles: 100,
      outputBytes: 65_536,
      iterations: 50,
      tokensPerTask: 100_000,
      protectedPaths: ['.github/**'],
      protectedPathsAllowedFor: [],
    },
    workspace: {
      fleetImage: 'swe-fleet:1',
      fleetImagePullPolicy: 'IfNotPresent',
      resources: {
        requests: { cpu: '50m', memory: '64Mi', 'ephemeral-storage': '8Mi' },
        limits: { cpu: '1', memory: '512Mi', 'ephemeral-storage': '4Gi' },
      },
      toolchain: {
        requests: { cpu: '100m', memory: '128Mi', 'ephemeral-storage': '8Mi' },
        limits: { cpu: '2', memory: '1Gi', 'ephemeral-storage': '4Gi' },
        maxima: { cpu: '4', memory: '8Gi', 'ephemeral-storage': '16Gi' },
      },
      attemptLimits: { agent: 3, infrastructure: 6 },
      deadlineSeconds: 600,
      egressOwnNode: false,
    },
    gateway: { serviceName: 'swe-fleet-gateway', namespace: 'swe-fleet', port: 8443, canaryPort: 8444 },
    nats: { url: 'tls://nats.swe-fleet:4222' },
    ...more,
  });
