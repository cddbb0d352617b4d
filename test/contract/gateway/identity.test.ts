// Identity on a real API server: projected tokens by the TokenRequest API, bound to a real pod of a real Job, reviewed and looked up in
// caches that real watches fill.

import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { LABEL_WORKSPACE } from '../../../crds/labels.ts';
import { controlledBy } from '../../../controllers/ownership.ts';
import { API_VERSION, GROUP, VERSION } from '../../../crds/kinds/meta.ts';
import { ARTIFACTS_READ_AUDIENCE, audienceOf } from '../../../crds/contracts/steps.ts';
import { Refusal } from '../../../gateway/http/refusal.ts';
import type { Caller } from '../../../gateway/identity/caller.ts';
import { identifyWith } from '../../../gateway/identity/identify.ts';
import { ApiTokenReviewer, CachedReviewer } from '../../../gateway/identity/token-review.ts';
import { watchCluster, WatchedCluster } from '../../../gateway/cluster/watched-cluster.ts';
import type { ApiClient } from '../../../kube/client.ts';
import type { KubeObject, Resource, Stored } from '../../../kube/object.ts';
import { jobs, namespaces, pods, serviceAccounts } from '../../../kube/resources.ts';
import { at, attempt, platform, story, task, work } from '../../builders/objects.ts';
import { silentLog } from '../../unit/runtime/recorded-log.ts';
import { installCrds } from '../admission.ts';
import { clientOf, connectToCluster, makeNamespace } from '../cluster.ts';

const ours = (plural: string, kind: string): Resource => ({ group: GROUP, version: VERSION, plural, kind, namespaced: true });
const stories = ours('stories', 'Story');
const tasks = ours('tasks', 'Task');

const podTemplate = (account: string) => ({
  metadata: { labels: { [LABEL_WORKSPACE]: 'attempt' } },
  spec: {
    ...{ restartPolicy: 'Never', serviceAccountName: account, automountServiceAccountToken: false },
    // never started: a token is bound to the object, and nobody here needs the process
    containers: [{ name: 'work', image: 'nowhere.invalid/none:0', imagePullPolicy: 'Never' }],
  },
});

describe('the owner of a token', () => {
  let client: ApiClient;
  let view: WatchedCluster;
  let namespace: string;
  let pod: Stored;
  let job: Stored;
  const stop = new AbortController();
  const reviewed: string[] = [];

  const create = async <T extends KubeObject>(resource: Resource, object: object): Promise<Stored<T>> =>
    await client.create(resource, object as T);

  const tokenFor = async (account: string, audience: string, bound?: Stored): Promise<string> => {
    const boundObjectRef =
      bound === undefined ? undefined : { apiVersion: 'v1', kind: 'Pod', name: bound.metadata.name, uid: bound.metadata.uid };
    const answer = (await client.raw({
      ...{ method: 'POST', path: `/api/v1/namespaces/${namespace}/serviceaccounts/${account}/token` },
      body: {
        apiVersion: 'authentication.k8s.io/v1',
        kind: 'TokenRequest',
        spec: { audiences: [audience], expirationSeconds: 600, boundObjectRef },
      },
    })) as { readonly status: { readonly token: string } };
    return answer.status.token;
  };

  const identify = async (token: string): Promise<Caller | string> => {
    const real = new ApiTokenReviewer(client);
    const reviewer = {
      review: async (one: string, audiences: readonly string[]) => {
        reviewed.push(one);
        return real.review(one, audiences);
      },
    };
    try {
      return await identifyWith(new CachedReviewer(reviewer), view)(token);
    } catch (error) {
      if (error instanceof Refusal) return `${error.status} ${error.code}`;
      throw error;
    }
  };

  const listed = async (attempts: readonly object[]): Promise<void> => {
    await client.patch(tasks, { namespace, name: 'identity-t1' }, { status: { phase: 'Running', attempts } }, 'status');
    const [wanted] = attempts;
    const seen = (): object | undefined => view.tasks.get(`${namespace}/identity-t1`)?.status?.attempts?.[0];
    await expect.poll(seen, { timeout: 10_000 }).toMatchObject(wanted ?? {});
  };

  beforeAll(async () => {
    client = clientOf(await connectToCluster());
    await installCrds(client);
    namespace = await makeNamespace(client);
    for (const name of ['fleet-workspace', 'fleet-reader', 'somebody'])
      await create(serviceAccounts, { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name, namespace } });
    const parent = await create(stories, {
      ...{ apiVersion: API_VERSION, kind: 'Story', metadata: { name: 'identity', namespace } },
      spec: { title: 'Who is it', repository: { url: story().spec.repository.url } },
    });
    const owned = await create(tasks, {
      ...{ apiVersion: API_VERSION, kind: 'Task' },
      metadata: { name: 'identity-t1', namespace, ownerReferences: [controlledBy('Story', parent)] },
      spec: { ...task(work('t1')).spec, storyRef: { name: 'identity', uid: parent.metadata.uid } },
    });
    job = await create(jobs, {
      ...{ apiVersion: 'batch/v1', kind: 'Job' },
      metadata: {
        ...{ name: 'fleet-ws-identity', namespace, labels: { [LABEL_WORKSPACE]: 'attempt' } },
        ownerReferences: [
          { apiVersion: API_VERSION, kind: 'Task', name: 'identity-t1', uid: owned.metadata.uid, controller: true },
        ],
      },
      spec: { backoffLimit: 0, template: podTemplate('fleet-workspace') },
    });
    view = new WatchedCluster(() => platform());
    const watching = watchCluster(view, client, { log: silentLog, signal: stop.signal });
    await vi.waitFor(() => expect(watching.notSynced()).toEqual([]), { timeout: 30_000 });
    await vi.waitFor(() => expect(view.pods.ownedBy(job.metadata.uid)).toHaveLength(1), { timeout: 30_000 });
    pod = view.pods.ownedBy(job.metadata.uid)[0] as Stored;
  });

  afterAll(async () => {
    stop.abort();
    await client.delete(namespaces, { name: namespace });
    await client.close();
  });

  it('is nobody yet while the Task does not list the Job', async () => {
    expect(await identify(await tokenFor('fleet-workspace', audienceOf('checkout'), pod))).toBe('503 NotListedYet');
  });

  it('is the step of its audience once the Task lists the Job', async () => {
    await listed([attempt(1, { jobUid: job.metadata.uid })]);
    expect(await identify(await tokenFor('fleet-workspace', audienceOf('checkout'), pod))).toMatchObject({
      ...{ kind: 'step', step: 'checkout', namespace, podUid: pod.metadata.uid, jobUid: job.metadata.uid, attempt: { n: 1 } },
      ...{ task: { metadata: { name: 'identity-t1' } }, story: { metadata: { name: 'identity' } } },
    });
  });

  it.each([
    ["the API server's own audience", 'fleet-workspace', 'https://kubernetes.default.svc', '401 TokenUnknown'],
    ['a step of a courier', 'fleet-workspace', audienceOf('push'), '403 StepMismatch'],
    ['another account', 'somebody', audienceOf('checkout'), '403 AccountNotAllowed'],
    ['the reader as a step', 'fleet-reader', audienceOf('checkout'), '403 AccountNotAllowed'],
    ['a workspace as the reader', 'fleet-workspace', ARTIFACTS_READ_AUDIENCE, '403 AccountNotAllowed'],
  ])('is refused for %s', async (_what, account, audience, want) => {
    // a token is bound to a pod of its own account only
    const bound = account === 'fleet-workspace' ? pod : undefined;
    expect(await identify(await tokenFor(account, audience, bound))).toBe(want);
  });

  it('is refused when it is bound to no pod', async () => {
    expect(await identify(await tokenFor('fleet-workspace', audienceOf('checkout')))).toBe('403 NotAPodToken');
  });

  it('is refused when it was changed by a character, and for a token that is none without asking the API server', async () => {
    const token = await tokenFor('fleet-workspace', audienceOf('checkout'), pod);
    const place = token.length - 20;
    const forged = `${token.slice(0, place)}${token[place] === 'A' ? 'B' : 'A'}${token.slice(place + 1)}`;
    expect(await identify(forged)).toBe('401 TokenUnknown');
    const asked = reviewed.length;
    expect(await identify('nothing')).toBe('401 TokenUnknown');
    expect(reviewed).toHaveLength(asked);
  });

  it('is the reader of its namespace', async () => {
    expect(await identify(await tokenFor('fleet-reader', ARTIFACTS_READ_AUDIENCE))).toEqual({ kind: 'reader', namespace });
  });

  it('is a pod of a Job that belongs to no Task', async () => {
    const stray = await create(jobs, {
      ...{
        apiVersion: 'batch/v1',
        kind: 'Job',
        metadata: { name: 'stray', namespace, labels: { [LABEL_WORKSPACE]: 'attempt' } },
      },
      spec: { backoffLimit: 0, template: podTemplate('fleet-workspace') },
    });
    await expect.poll(() => view.pods.ownedBy(stray.metadata.uid).length).toBe(1);
    await expect.poll(() => view.job(stray.metadata.uid)).toBeDefined();
    const strayPod = view.pods.ownedBy(stray.metadata.uid)[0] as Stored;
    expect(await identify(await tokenFor('fleet-workspace', audienceOf('checkout'), strayPod))).toBe('403 NotAWorkspace');
  });

  it('is refused once the attempt has ended, and not before', async () => {
    const token = await tokenFor('fleet-workspace', audienceOf('checkout'), pod);
    await listed([attempt(1, { jobUid: job.metadata.uid, finishedAt: at(60) })]);
    expect(await identify(token)).toBe('403 AttemptFinished');
  });

  it('is refused from the moment that its pod is being deleted, while the API server may still know the token', async () => {
    await listed([attempt(1, { jobUid: job.metadata.uid })]);
    const token = await tokenFor('fleet-workspace', audienceOf('checkout'), pod);
    await client.delete(pods, { namespace, name: pod.metadata.name }, { gracePeriodSeconds: 0 });
    const leaving = (): boolean =>
      view.pod(pod.metadata.uid)?.metadata.deletionTimestamp !== undefined || view.pod(pod.metadata.uid) === undefined;
    await expect.poll(leaving, { timeout: 30_000 }).toBe(true);
    expect(await identify(token)).toMatch(/^(403 PodEnded|401 TokenUnknown|503 NotListedYet)$/);
  });
});
