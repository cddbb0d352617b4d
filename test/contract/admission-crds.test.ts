// The generated CRDs on a real API server: that it takes them (structure, cost of the rules), which objects it refuses and in which
// words, and what it keeps of an object.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { KINDS } from '../../crds/kinds/registry.ts';
import { FIELD_MANAGER } from '../../crds/labels.ts';
import { planTask, type PlanTask } from '../../crds/kinds/plan-task.ts';
import { kindDefinitions } from '../../crds/kinds/registry.ts';
import { MAX_PLAN_BYTES, planBytes } from '../../crds/plan-text/size.ts';
import type { ApiClient } from '../../kube/client.ts';
import type { KubeObject } from '../../kube/object.ts';
import { namespaces } from '../../kube/resources.ts';
import { accepted, rejected, type CreateCase } from './admission-crds-creates.ts';
import { objectOf, resourceOf } from '../builders/smallest.ts';
import { updates } from './admission-crds-updates.ts';
import { installCrds, answerTo } from './admission.ts';
import { clientOf, connectToCluster, makeNamespace } from './cluster.ts';

const place = {} as { admin: ApiClient; namespace: string };

const wantedVerdict = (want: string): unknown => (want === 'accepted' ? 'allowed' : expect.stringContaining(want));

beforeAll(async () => {
  place.admin = clientOf(await connectToCluster());
  await installCrds(place.admin);
  place.namespace = await makeNamespace(place.admin);
});

afterAll(async () => {
  await place.admin.delete(namespaces, { name: place.namespace });
  await place.admin.close();
});

describe('the API server takes the manifests', () => {
  it.each(Object.values(kindDefinitions))(
    '$kind: schema and rules are in force, and no condition complains',
    async ({ plural }) => {
      const path = `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${plural}.swefleet.io`;
      const crd = (await place.admin.raw({ method: 'GET', path })) as {
        readonly status: { readonly conditions: readonly { readonly type: string; readonly status: string }[] };
      };
      const conditions = Object.fromEntries(crd.status.conditions.map(({ type, status }) => [type, status]));
      expect(conditions).toEqual({ NamesAccepted: 'True', Established: 'True' });
    },
  );
});

describe('new objects', () => {
  const create = ({ kind, spec, name }: CreateCase, index: string): Promise<unknown> =>
    place.admin.create(resourceOf(kind), objectOf(kind, name ?? `c-${index}`, place.namespace, spec));

  it.each(accepted.map((one, n) => ({ ...one, n })))('accepts $given', async ({ n, ...one }) => {
    expect(await answerTo(create(one, `a${n}`))).toBe('allowed');
  });

  it.each(rejected.map((one, n) => ({ ...one, n })))('refuses $given', async ({ n, ...one }) => {
    expect(await answerTo(create(one, `r${n}`))).toContain(one.want);
  });
});

describe('changes of stored objects', () => {
  it.each(updates.map((one, n) => ({ ...one, n })))(
    '$kind: $given -> $want',
    async ({ n, kind, spec, status, patches, want }) => {
      const resource = resourceOf(kind);
      const ref = { namespace: place.namespace, name: `u-${n}` };
      await place.admin.create(resource, objectOf(kind, ref.name, ref.namespace, spec));
      if (status !== undefined) await place.admin.patch(resource, ref, { status }, 'status');
      for (const patch of patches.slice(0, -1)) await place.admin.patch(resource, ref, patch);
      expect(await answerTo(place.admin.patch(resource, ref, patches.at(-1) ?? {}))).toEqual(wantedVerdict(want));
    },
  );

  it('a status write passes after each change that was accepted', async () => {
    const ref = { namespace: place.namespace, name: 'writable' };
    const status = { phase: 'Draft', gates: { scope: 'Human', design: 'Human', test: 'Human', docs: 'Human' } };
    await place.admin.create(resourceOf('Story'), objectOf('Story', ref.name, ref.namespace, { gates: { test: 'Auto' } }));
    await place.admin.patch(resourceOf('Story'), ref, { status }, 'status');
    expect(await answerTo(place.admin.patch(resourceOf('Story'), ref, { status: { phase: 'Design' } }, 'status'))).toBe(
      'allowed',
    );
  });
});

describe('the largest Plan that is not refused', () => {
  const ids = (count: number): readonly string[] => Array.from({ length: count }, (_, n) => `task-${n}`);
  /** Each task waits for as many before it as it may. */
  const chained = (count: number, chars: number): readonly PlanTask[] =>
    ids(count).map((id, n) =>
      planTask.parse({ id, title: 'T', description: '<'.repeat(chars), dependsOn: ids(count).slice(Math.max(0, n - 64), n) }),
    );
  /** As many tasks as fit. */
  const fitting = (chars: number): readonly PlanTask[] => {
    let count = 1;
    while (count < 500 && planBytes(chained(count + 1, chars)) <= MAX_PLAN_BYTES) count += 1;
    return chained(count, chars);
  };

  it.each([
    { of: 'dependencies', tasks: fitting(0) },
    { of: 'characters that are stored as six', tasks: fitting(16_384) },
  ])('of $of, written with kubectl apply, has room for its status', async ({ of, tasks }) => {
    const name = `large-${of.split(' ')[0] ?? ''}`;
    const made = objectOf('Plan', name, place.namespace, { tasks });
    const annotations = { 'kubectl.kubernetes.io/last-applied-configuration': 'x'.repeat(262_000 - 100) };
    await place.admin.create(resourceOf('Plan'), { ...made, metadata: { ...made.metadata, annotations } });
    const status = { phase: 'Parsed', taskCount: tasks.length, tasks };
    const applied = { apiVersion: made.apiVersion, kind: 'Plan', metadata: { name, namespace: place.namespace }, status };
    const options = { fieldManager: FIELD_MANAGER, force: true, subresource: 'status' } as const;
    expect(await answerTo(place.admin.apply(resourceOf('Plan'), applied, options))).toBe('allowed');
  });
});

describe('what is stored', () => {
  const stored = async (
    kind: (typeof KINDS)[number],
    name: string,
    spec: Readonly<Record<string, unknown>>,
  ): Promise<KubeObject> => {
    await place.admin.create(resourceOf(kind), objectOf(kind, name, place.namespace, spec));
    return (await place.admin.get(resourceOf(kind), { namespace: place.namespace, name })) as KubeObject;
  };

  it('a Story has all its defaults', async () => {
    expect(await stored('Story', 'defaults', {})).toMatchObject({
      spec: {
        title: 'Say hello',
        description: '',
        acceptanceCriteria: [],
        repository: { url: 'https://git.example.com/team/app.git', ref: 'main' },
        rigor: 'L1',
        priority: 0,
        councils: [],
        plan: { mode: 'Provided', maxRevisions: 3 },
        gates: {},
        budget: { wallClockSeconds: 604_800 },
        baseline: false,
        suspend: false,
        cancel: false,
      },
    });
  });

  it.each([
    { given: 'an image', field: 'image', value: 'evil' },
    { given: 'environment', field: 'env', value: [{ name: 'A', value: 'b' }] },
    { given: 'a service account', field: 'serviceAccountName', value: 'admin' },
    { given: 'a whole pod template', field: 'podTemplate', value: { spec: { hostNetwork: true } } },
  ])('of a Council, $given of its user is not kept', async ({ field, value }) => {
    const workspace = { imageProfile: 'node', [field]: value };
    const { spec } = (await stored('Council', `pruned-${field.toLowerCase()}`, { workspace })) as KubeObject & {
      readonly spec: { readonly workspace: object };
    };
    expect(spec.workspace).not.toHaveProperty(field);
  });

  it('a field selector finds a Story by its phase', async () => {
    const ref = { namespace: place.namespace, name: 'selected' };
    await place.admin.create(resourceOf('Story'), objectOf('Story', ref.name, ref.namespace));
    await place.admin.patch(resourceOf('Story'), ref, { status: { phase: 'Docs', waitingFor: 'a person' } }, 'status');
    const found = (await place.admin.raw({
      method: 'GET',
      path: `/apis/swefleet.io/v1alpha1/namespaces/${place.namespace}/stories`,
      query: { fieldSelector: 'status.phase=Docs' },
    })) as { readonly items: readonly KubeObject[] };
    expect(found.items.map(({ metadata }) => metadata.name)).toEqual(['selected']);
  });
});
