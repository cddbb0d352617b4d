// Valid objects in one call each. What a case does not say is filled in by the very schemas that the API server uses.

import { councilSpec, type Council } from '../../crds/kinds/council.ts';
import { API_VERSION, type StoredMeta } from '../../crds/kinds/meta.ts';
import { platformConfig, type PlatformConfig } from '../../crds/contracts/platform.ts';
import { planTask, type PlanTask } from '../../crds/kinds/plan-task.ts';
import { planSpec, type Plan, type PlanStatus } from '../../crds/kinds/plan.ts';
import { storySpec, type Story, type StoryStatus } from '../../crds/kinds/story.ts';
import { taskSpec, type Task, type TaskStatus } from '../../crds/kinds/task.ts';
import { planTaskDigest } from '../../crds/digests.ts';

export const NOW = Date.parse('2026-11-21T09:00:00Z');
export const DIGEST = `sha256:${'d'.repeat(64)}` as const;
export const COMMIT = 'c'.repeat(40);

/** Text of a time that many seconds after `NOW`. */
export const at = (seconds = 0): string => `${new Date(NOW + seconds * 1000).toISOString().slice(0, 19)}Z`;

export const meta = (name: string, more: Partial<StoredMeta> = {}): StoredMeta => ({
  name,
  namespace: 'shop',
  uid: `uid-${name}`,
  resourceVersion: '1',
  generation: 1,
  creationTimestamp: at(),
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
  ...(status && { status }),
});

export const work = (id: string, more: Loose<PlanTask> = {}): PlanTask =>
  planTask.parse({ id, title: `Write ${id}`, role: 'DEV', deliberation: 'None', verify: { commands: ['npm test'] }, ...more });

export const plan = (
  tasks: readonly PlanTask[],
  more: Loose<Plan['spec']> & { readonly revision?: number } = {},
  status?: PlanStatus,
): Plan => ({
  apiVersion: API_VERSION,
  kind: 'Plan',
  metadata: meta(`login-${more.revision ?? 1}`),
  spec: planSpec.parse({ storyRef: { name: 'login' }, author: 'ada', tasks, ...more }),
  ...(status && { status }),
});

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
  ...(status && { status }),
});

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
    status: {
      ready: 'True' as const,
      conditions: [{ type: 'Ready', status: 'True' as const, reason: 'Ready', message: 'it serves', lastTransitionTime: at() }],
    },
  }),
});

export const platform = (more: Loose<PlatformConfig> = {}): PlatformConfig =>
  platformConfig.parse({
    upstreams: [
      { name: 'gpu', kind: 'model', host: 'vllm.example', namespaces: ['*'] },
      { name: 'git', kind: 'git', host: 'git.example', namespaces: ['*'] },
    ],
    imageProfiles: [{ name: 'node', image: 'toolchain-node:1', namespaces: ['*'] }],
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
      resources: { requests: { cpu: '50m', memory: '64Mi' }, limits: { memory: '512Mi' } },
      attemptLimits: { agent: 3, infrastructure: 6 },
      deadlineSeconds: 600,
      egressOwnNode: false,
    },
    gateway: { serviceName: 'swe-fleet-gateway', namespace: 'swe-fleet', port: 8443, canaryPort: 8444 },
    nats: { url: 'tls://nats.swe-fleet:4222' },
    ...more,
  });
