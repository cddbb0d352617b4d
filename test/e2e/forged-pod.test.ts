// A pod that somebody made, and that looks in every way like the one of an attempt's Job. Admission refuses it; where admission is off, the
// Job controller itself takes it for its own, and the Task succeeds by it nevertheless never: the gateway has served no such report.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { conditionOf } from '../../controllers/conditions.ts';
import type { Job } from '../../controllers/kubernetes.ts';
import type { Task } from '../../crds/kinds/task.ts';
import { RELEASE, RELEASE_NAMESPACE } from '../environment/chart.ts';
import { FORGED } from './namespaces.ts';
import { fixture, walk, type Walk } from './walk.ts';

const POLICIES = ['workspace-pods', 'workspace-jobs', 'workspace-status'];

const patchOf = (verdict: object): string => JSON.stringify({ step: 'report', outcome: 'ok', ...verdict });

/** What the forged report says: a patch that nobody has stored. */
const finding = (base: string): string =>
  patchOf({ patch: `sha256:${'d'.repeat(64)}`, evidence: `sha256:${'e'.repeat(64)}`, base, verify: { passed: 1, failed: 0 } });

const nobody = { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] }, readOnlyRootFilesystem: true };

const forgedPod = (name: string, image: string, base: string): object => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: FORGED },
  spec: {
    ...{ serviceAccountName: 'fleet-workspace', automountServiceAccountToken: false, restartPolicy: 'Never' },
    securityContext: { runAsNonRoot: true, runAsUser: 1000, runAsGroup: 1000, seccompProfile: { type: 'RuntimeDefault' } },
    containers: [
      {
        ...{ name: 'report', image, securityContext: nobody },
        command: ['node', '-e', "require('node:fs').writeFileSync('/dev/termination-log', process.argv[1])", finding(base)],
      },
    ],
  },
});

describe('a pod that was made to look like the workspace of an attempt', () => {
  let w: Walk;
  let job: Job;
  let name: string;
  let image: string;
  let base: string;

  const admission = async (excluded: readonly string[]): Promise<void> => {
    const values = { key: 'kubernetes.io/metadata.name', operator: 'NotIn', values: excluded };
    const matchResources = excluded.length === 0 ? null : { namespaceSelector: { matchExpressions: [values] } };
    for (const policy of POLICIES)
      await w.environment.kubectl(
        ...['patch', 'validatingadmissionpolicybinding', `${RELEASE}-${policy}`, '--type', 'merge'],
        ...['--patch', JSON.stringify({ spec: { matchResources } })],
      );
  };

  beforeAll(async () => {
    w = await walk({
      namespace: FORGED,
      name: 'forged',
      repositoryFolder: fixture('node-repo'),
      tasks: [
        {
          id: 'add',
          title: 'Add farewell(name)',
          description: '[[script:add-farewell]]',
          // long enough for somebody to forge a pod beside it
          verify: { commands: ['sleep 25', 'npm test'] },
        },
      ],
    });
    const { kubectl } = w.environment;
    const operator = ['get', 'deployment', `${RELEASE}-operator`, '--namespace', RELEASE_NAMESPACE];
    image = (await kubectl(...operator, '--output', 'jsonpath={.spec.template.spec.containers[0].image}')).trim();
    await w.start();
    await w.approve();
    const listed = await w.follower.until(({ tasks }) => tasks.find(({ status }) => status?.attempts?.[0]?.jobUid !== undefined));
    const { items } = await kubectl.json<{ items: readonly Job[] }>('get', 'jobs', '--namespace', FORGED);
    const found = items.find(({ metadata }) => metadata.uid === listed.status?.attempts?.[0]?.jobUid);
    if (found === undefined) throw new Error('the Job of the attempt is gone');
    job = found;
    name = `${job.metadata.name}-fffff`;
    base = w.repository.head;
  });

  afterAll(async () => {
    await admission([]);
    await w.close();
  });

  it('is refused by admission', async () => {
    const { stderr, status } = await w.environment.kubectl.attempt(
      ...['run', name, '--namespace', FORGED, '--image', image],
      ...['--overrides', JSON.stringify(forgedPod(name, image, base))],
    );
    expect(status).not.toBe(0);
    expect(stderr).toMatch(/only the Job controller creates workspace pods|denied/);
  });

  it('is taken for its own by the Job controller where admission is off, and lets nothing succeed', async () => {
    const { kubectl } = w.environment;
    await admission([FORGED]);
    // the servers take a moment to hear of the change: until then they refuse it
    const forge = (): Promise<string> => kubectl.apply(forgedPod(name, image, base)).catch((error: unknown) => String(error));
    await expect.poll(forge, { timeout: 60_000 }).toMatch(/^pod\/\S+ created/);
    // it runs by itself, innocent but for its name and account, and ends well …
    await kubectl('wait', `pod/${name}`, '--namespace', FORGED, '--for=jsonpath={.status.phase}=Succeeded', '--timeout=120s');
    const owner = { apiVersion: 'batch/v1', kind: 'Job', name: job.metadata.name, uid: job.metadata.uid, controller: true };
    const likeness = { metadata: { labels: job.metadata.labels, ownerReferences: [owner] } };
    // … and is then given every mark of the Job's own
    await kubectl(...['patch', 'pod', name, '--namespace', FORGED, '--type', 'merge'], '--patch', JSON.stringify(likeness));
    const told = await w.follower.until(({ tasks }) =>
      tasks.find(({ status }) => conditionOf(status?.conditions, 'ReceiptMissing')?.status === 'True'),
    );
    expect(told.status?.phase).toBe('Running');
    expect(told.status?.attempts?.[0]).not.toHaveProperty('patch');
  });

  it('costs the attempt and nothing else: the next one is served, and lands', async () => {
    const ended: Task = await w.taskEnded('add');
    expect(ended.status?.phase).toBe('Succeeded');
    expect(ended.status?.attempts).toMatchObject([
      { n: 1, outcome: 'InfrastructureFailed', reason: 'ReceiptMissing' },
      { n: 2, outcome: 'Succeeded' },
    ]);
    const trailers = await w.git('log', '--format=%(trailers:key=Swefleet-Attempt,valueonly,separator=)', `main..${w.branch}`);
    expect(trailers.trim()).toBe('2');
    expect((await w.git('rev-parse', w.branch)).trim()).toBe(ended.status?.commit);
  });
});
