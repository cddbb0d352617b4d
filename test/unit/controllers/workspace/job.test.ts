import { describe, expect, it } from 'vitest';
import { taskJob, type JobInput } from '../../../../controllers/task/children.ts';
import { networkHash } from '../../../../controllers/workspace/network-policy.ts';
import { audienceOf, STEP_RIGHTS, type Step } from '../../../../crds/contracts/steps.ts';
import type { Resources } from '../../../../controllers/workspace/resources.ts';
import type { Council } from '../../../../crds/kinds/council.ts';
import { amountOf } from '../../../../crds/quantity.ts';
import { council, platform, task, work } from '../../../builders/objects.ts';
import { jobInput } from '../../../builders/workspaces.ts';

interface Mount {
  readonly name: string;
  readonly mountPath: string;
  readonly readOnly?: boolean;
}
interface Container {
  readonly name: string;
  readonly image: string;
  readonly command: readonly string[];
  readonly env: readonly { readonly name: string; readonly value: string }[];
  readonly resources: object;
  readonly securityContext: object;
  readonly volumeMounts: readonly Mount[];
}
interface PodSpec {
  readonly initContainers: readonly Container[];
  readonly containers: readonly Container[];
  readonly volumes: readonly {
    readonly name: string;
    readonly emptyDir?: { readonly sizeLimit?: string };
    readonly projected?: { readonly sources: readonly { readonly serviceAccountToken: { readonly audience: string } }[] };
  }[];
}

const built = (kind: 'attempt' | 'courier', more: Partial<JobInput> = {}) => {
  const job = taskJob(jobInput(more), { kind, n: 2, candidate: 1, courierTry: 1 });
  const spec = job.spec as { readonly template: { readonly spec: PodSpec } & { readonly metadata: object } } & Record<
    string,
    unknown
  >;
  const pod = spec.template.spec;
  return { job, spec, pod, steps: [...pod.initContainers, ...pod.containers] };
};
const kinds = ['attempt', 'courier'] as const;
const mounts = ({ volumeMounts }: Container): Readonly<Record<string, string>> =>
  Object.fromEntries(volumeMounts.map(({ name, readOnly }) => [name, readOnly === true ? 'ro' : 'rw']));

describe('a workspace Job', () => {
  it('is the same whenever it is asked for', () => {
    expect(built('attempt').job).toEqual(built('attempt').job);
  });

  it('has a name that says whose it is, and belongs to its Task', () => {
    const { metadata } = built('attempt').job;
    expect(metadata.name).toMatch(/^fleet-ws-login-form-a2-[0-9a-f]{16}$/);
    expect(metadata.ownerReferences).toEqual([
      {
        apiVersion: 'swefleet.io/v1alpha1',
        kind: 'Task',
        name: 'login-form',
        uid: 'uid-login-form',
        controller: true,
        blockOwnerDeletion: false,
      },
    ]);
  });

  it.each(kinds)('has its steps in order, the last one as the container (%s)', (kind) => {
    const { pod, steps } = built(kind);
    const want = {
      attempt: ['runner', 'checkout', 'setup', 'work', 'verify-setup', 'verify', 'report'],
      courier: ['runner', 'merge', 'setup', 'verify', 'push'],
    };
    expect(steps.map(({ name }) => name)).toEqual(want[kind]);
    expect(pod.containers).toHaveLength(1);
  });

  it.each(kinds)('never starts again by itself and ends in time (%s)', (kind) => {
    const { spec, pod } = built(kind);
    expect(spec).toMatchObject({ backoffLimit: 0, ttlSecondsAfterFinished: 86_400 });
    expect(spec).not.toHaveProperty('activeDeadlineSeconds'); // it would count the time in which no node takes the pod
    expect(pod).toMatchObject({ restartPolicy: 'Never', activeDeadlineSeconds: 600, terminationGracePeriodSeconds: 1 });
  });

  it.each(kinds)('has no DNS, no default token, no service links, and knows the gateway by its address (%s)', (kind) => {
    expect(built(kind).pod).toMatchObject({
      serviceAccountName: 'fleet-workspace',
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      dnsPolicy: 'None',
      dnsConfig: { nameservers: ['127.0.0.1'] },
      hostAliases: [{ ip: '10.0.0.9', hostnames: ['fleet-gateway'] }],
      securityContext: {
        runAsNonRoot: true,
        runAsUser: 1000,
        runAsGroup: 1000,
        fsGroup: 1000,
        seccompProfile: { type: 'RuntimeDefault' },
      },
    });
  });

  it.each(kinds)('has only restricted containers (%s)', (kind) => {
    for (const { securityContext } of built(kind).steps)
      expect(securityContext).toEqual({
        allowPrivilegeEscalation: false,
        capabilities: { drop: ['ALL'] },
        privileged: false,
        readOnlyRootFilesystem: true,
        runAsNonRoot: true,
        seccompProfile: { type: 'RuntimeDefault' },
      });
  });

  it.each(kinds)('has only bounded volumes and projected tokens (%s)', (kind) => {
    for (const { emptyDir, projected } of built(kind).pod.volumes)
      expect(emptyDir?.sizeLimit ?? projected?.sources.length).toBeTruthy();
  });

  it.each(kinds)('gives each step the token of its own audience, and none to a step without rights (%s)', (kind) => {
    const { pod, steps } = built(kind);
    const audiences = new Map(
      pod.volumes.flatMap(({ name, projected }) =>
        (projected?.sources ?? []).map((source) => [name, source.serviceAccountToken.audience] as const),
      ),
    );
    for (const step of steps) {
      const held = step.volumeMounts
        .filter(({ mountPath }) => mountPath === '/fleet/token')
        .map(({ name }) => audiences.get(name));
      expect([step.name, held]).toEqual([
        step.name,
        STEP_RIGHTS[step.name as Step].length > 0 ? [audienceOf(step.name as Step)] : [],
      ]);
    }
  });

  it.each(kinds)('lets a volume be written by steps of one trust level only (%s)', (kind) => {
    const ours = new Set(['runner', 'checkout', 'report', 'merge', 'push']);
    const writes = built(kind).steps.flatMap((step) =>
      Object.entries(mounts(step)).flatMap(([volume, mode]) => (mode === 'rw' ? [{ volume, level: ours.has(step.name) }] : [])),
    );
    for (const { volume, level } of writes)
      expect([volume, writes.every((other) => other.volume !== volume || other.level === level)]).toEqual([volume, true]);
  });

  it('shows each step the volumes of the table, and no others', () => {
    const table = Object.fromEntries(built('attempt').steps.map((step) => [step.name, mounts(step)]));
    expect(table).toEqual({
      runner: { 'tmp-runner': 'rw', runner: 'rw' },
      checkout: { 'tmp-checkout': 'rw', git: 'rw', 'token-checkout': 'ro' },
      setup: { 'tmp-setup': 'rw', tree: 'rw', git: 'ro', runner: 'ro', 'token-setup': 'ro' },
      work: { 'tmp-work': 'rw', tree: 'rw', 'work-out': 'rw', git: 'ro', runner: 'ro', 'token-work': 'ro' },
      'verify-setup': {
        'tmp-verify-setup': 'rw',
        fresh: 'rw',
        git: 'ro',
        runner: 'ro',
        'work-out': 'ro',
        'token-verify-setup': 'ro',
      },
      verify: { 'tmp-verify': 'rw', fresh: 'rw', 'verify-out': 'rw', git: 'ro', runner: 'ro' },
      report: { 'tmp-report': 'rw', git: 'ro', 'work-out': 'ro', fresh: 'ro', 'verify-out': 'ro', 'token-report': 'ro' },
    });
    expect(Object.fromEntries(built('courier').steps.map((step) => [step.name, mounts(step)]))).toEqual({
      runner: { 'tmp-runner': 'rw', runner: 'rw' },
      merge: { 'tmp-merge': 'rw', git: 'rw', 'token-merge': 'ro' },
      setup: { 'tmp-setup': 'rw', fresh: 'rw', git: 'ro', runner: 'ro', 'token-setup': 'ro' },
      verify: { 'tmp-verify': 'rw', fresh: 'rw', 'verify-out': 'rw', git: 'ro', runner: 'ro' },
      push: { 'tmp-push': 'rw', git: 'ro', 'verify-out': 'ro', 'token-push': 'ro' },
    });
  });

  it('runs our steps in our image and the others in the toolchain, with the runner that was brought along', () => {
    const commands = Object.fromEntries(
      built('courier').steps.map(({ name, image, command }) => [name, [image, ...command].join(' ')]),
    );
    expect(commands).toEqual({
      runner: 'swe-fleet:1 node --disable-sigusr1 /opt/fleet/agent-runner.mjs runner',
      merge: 'swe-fleet:1 node --disable-sigusr1 /opt/fleet/agent-runner.mjs merge',
      setup: 'toolchain-node:1 /fleet/runner/node --disable-sigusr1 /fleet/runner/agent-runner.mjs courier-setup',
      verify: 'toolchain-node:1 /fleet/runner/node --disable-sigusr1 /fleet/runner/agent-runner.mjs courier-verify',
      push: 'swe-fleet:1 node --disable-sigusr1 /opt/fleet/agent-runner.mjs push',
    });
  });

  it('carries ids, limits and the CA, and nothing of the task', () => {
    const hostile = task(
      work('form', {
        title: 'MARKER-title',
        description: 'MARKER-text',
        verify: { commands: ['MARKER-command'] },
        fileScope: ['MARKER/**'],
      }),
    );
    const text = JSON.stringify(built('attempt', { task: hostile }).job);
    expect(text).not.toContain('MARKER');
    const [, checkout] = built('attempt').steps;
    expect(Object.fromEntries((checkout?.env ?? []).map(({ name, value }) => [name, value]))).toEqual({
      FLEET_KIND: 'attempt',
      FLEET_OWNER_UID: 'uid-login-form',
      FLEET_ATTEMPT: '2',
      FLEET_GATEWAY_URL: 'https://fleet-gateway:8443',
      FLEET_GATEWAY_CA: 'PEM',
      FLEET_GATEWAY_ADDRESS: '10.0.0.9',
      FLEET_CANARY_PORT: '8444',
      FLEET_DEADLINE_SECONDS: '600',
      HOME: '/tmp',
      NODE_OPTIONS: '',
    });
  });

  it.each(kinds)('%s: adopts no pod but by a label of its own, which admission guards', (kind) => {
    const { job, spec } = built(kind);
    expect([spec['manualSelector'], spec['selector']]).toEqual([true, { matchLabels: { 'swefleet.io/job': job.metadata.name } }]);
  });

  it('labels Job and pod alike, with the hash of the policy that contains it', () => {
    const { job, spec } = built('attempt');
    expect(job.metadata.labels).toEqual({
      'swefleet.io/workspace': 'attempt',
      'swefleet.io/job': job.metadata.name,
      'swefleet.io/story': 'login',
      'swefleet.io/task': 'login-form',
      'swefleet.io/attempt': '2',
      'swefleet.io/candidate': '1',
      'swefleet.io/try': '1',
      'swefleet.io/network': networkHash(platform()),
      'app.kubernetes.io/managed-by': 'swe-fleet',
    });
    expect(spec.template.metadata).toEqual({ labels: job.metadata.labels });
  });

  it("takes the shortest of the platform's, the Council's and the task's time; a courier has nothing to do with the task's", () => {
    const slow = council({ workspace: { imageProfile: 'node', deadlineSeconds: 300 } });
    const short = task(work('form', { constraints: { timeoutSeconds: 60 } }));
    expect(built('attempt', { council: slow, task: short }).pod).toMatchObject({ activeDeadlineSeconds: 60 });
    expect(built('courier', { council: slow, task: short }).pod).toMatchObject({ activeDeadlineSeconds: 300 });
  });

  it('asks for the GPUs and the node of the Council, for the toolchain steps alone', () => {
    const gpu = {
      count: 2,
      nodeSelector: [{ key: 'gpu', value: 'h200' }],
      tolerations: [{ key: 'gpu', operator: 'Exists', effect: 'NoSchedule' }],
    };
    const resources = { requests: { cpu: '1', ephemeralStorage: '1Gi' }, limits: { memory: '2Gi' } };
    const { pod, steps } = built('attempt', {
      council: council({ workspace: { imageProfile: 'node', gpu, resources, runtimeClassName: 'gvisor' } }),
    });
    expect(pod).toMatchObject({ nodeSelector: { gpu: 'h200' }, tolerations: gpu.tolerations, runtimeClassName: 'gvisor' });
    const of = (name: string): object => steps.find((step) => step.name === name)?.resources ?? {};
    expect(of('work')).toEqual({
      requests: { cpu: '1', memory: '128Mi', 'ephemeral-storage': '1Gi' },
      limits: { cpu: '2', memory: '2Gi', 'ephemeral-storage': '4Gi', 'nvidia.com/gpu': '2' },
    });
    expect(of('report')).toEqual(platform().workspace.resources);
  });

  it('says in a label how many GPUs it has, if any', () => {
    const gpus = council({ workspace: { imageProfile: 'node', gpu: { count: 2 } } });
    expect(built('attempt', { council: gpus }).job.metadata.labels).toMatchObject({ 'swefleet.io/gpus': '2' });
    expect(built('attempt').job.metadata.labels).not.toHaveProperty('swefleet.io/gpus');
  });

  it.each<{ wish: string; resources: Council['spec']['workspace']['resources'] }>([
    { wish: 'nothing', resources: {} },
    { wish: 'some of it', resources: { limits: { memory: '4Gi' } } },
    { wish: 'more than there is', resources: { limits: { cpu: '1000', memory: '9Ti', ephemeralStorage: '9Ti' } } },
    { wish: 'to reserve more than it may use', resources: { requests: { cpu: '3', memory: '9Gi' }, limits: { cpu: '1' } } },
    { wish: 'limits that are none', resources: { limits: { cpu: '0', memory: '0Gi', ephemeralStorage: '0.0' } } },
    { wish: 'to reserve more than the default limit', resources: { requests: { memory: '6Gi' } } },
  ])('bounds cpu, memory and disk of every container, if its Council wants $wish', ({ resources }) => {
    const { maxima } = platform().workspace.toolchain;
    for (const kind of kinds)
      for (const step of built(kind, { council: council({ workspace: { imageProfile: 'node', resources } }) }).steps) {
        const { requests, limits } = step.resources as Resources;
        for (const amount of ['cpu', 'memory', 'ephemeral-storage'] as const) {
          const [reserved, most] = [amountOf(requests[amount] ?? ''), amountOf(limits[amount] ?? '')];
          expect(most, `limit of ${amount} of ${step.name}`).toBeGreaterThan(0);
          expect(most).toBeLessThanOrEqual(amountOf(maxima[amount]));
          expect(reserved, `request of ${amount} of ${step.name}`).toBeLessThanOrEqual(most);
        }
      }
  });
});
