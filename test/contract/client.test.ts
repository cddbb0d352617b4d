import { expect, test } from 'vitest';
import { ApiClient, type Write } from '../../kube/client.ts';
import { ApiError } from '../../kube/error.ts';
import type { ObjectMeta } from '../../crds/kinds/meta.ts';
import type { Stored } from '../../kube/object.ts';
import { connectToCluster, installWidgets, makeNamespace, widgets, type Widget } from './cluster.ts';

const MANAGER = { fieldManager: 'contract-tests', force: true } as const;
const NO_ONE = '11111111-1111-1111-1111-111111111111';
const STATUS = { ...MANAGER, subresource: 'status' } as const;

interface Stage {
  readonly client: ApiClient;
  readonly writes: string[];
  readonly widget: (name: string, content?: Partial<Widget>, metadata?: Partial<ObjectMeta>) => Widget;
  readonly get: (name: string) => Promise<Stored<Widget>>;
}

const it = test.extend<{ readonly stage: Stage }>({
  stage: async ({}, use) => {
    const writes: string[] = [];
    const onWrite = ({ verb, resource, subresource, code }: Write): void =>
      void writes.push(`${verb} ${resource.kind}${subresource === undefined ? '' : `/${subresource}`} ${code}`);
    const client = new ApiClient(await connectToCluster(), { userAgent: 'swe-fleet-contract-tests', onWrite });
    await installWidgets(client);
    const namespace = await makeNamespace(client);
    writes.length = 0;
    await use({
      ...{ client, writes },
      widget: (name, content = {}, metadata = {}) => ({
        ...{ apiVersion: 'contract.test/v1', kind: 'Widget', metadata: { namespace, name, ...metadata } },
        ...content,
      }),
      get: async (name) => {
        const found = await client.get<Widget>(widgets, { namespace, name });
        if (found === undefined) throw new Error(`${name} is not there`);
        return found;
      },
    });
    await client.close();
  },
});

/** How a request failed: `sort code reason`. */
const failure = async (request: Promise<unknown>): Promise<string> => {
  try {
    await request;
  } catch (error) {
    if (error instanceof ApiError) return `${error.sort} ${error.code} ${error.reason}`;
    throw error;
  }
  return 'it did not fail';
};

it('applies the same object twice without a new version: an apply of what is so writes nothing', async ({ stage }) => {
  const { client, widget, get, writes } = stage;
  const first = await client.apply(widgets, widget('one', { spec: { size: 1 } }), MANAGER);
  const second = await client.apply(widgets, widget('one', { spec: { size: 1 } }), MANAGER);
  expect(second.metadata.resourceVersion).toBe(first.metadata.resourceVersion);
  expect((await get('one')).spec).toEqual({ size: 1 });
  expect(writes).toEqual(['apply Widget 200', 'apply Widget 200']);
});

it('removes by an apply what an earlier apply of the same manager had set', async ({ stage: { client, widget, get } }) => {
  await client.apply(widgets, widget('one', { spec: { size: 1, colour: 'red' } }), MANAGER);
  await client.apply(widgets, widget('one', { spec: { size: 1 } }), MANAGER);
  expect((await get('one')).spec).toEqual({ size: 1 });
});

it('applies a status on its own: spec stays, and the same status again makes no new version', async ({ stage }) => {
  const { client, widget, get } = stage;
  const created = await client.apply(widgets, widget('one', { spec: { size: 1 } }), MANAGER);
  const { uid } = created.metadata;
  const applied = await client.apply(widgets, widget('one', { status: { phase: 'A', note: 'n' } }, { uid }), STATUS);
  expect(await get('one')).toMatchObject({ spec: { size: 1 }, status: { phase: 'A', note: 'n' } });
  const again = await client.apply(widgets, widget('one', { status: { phase: 'A', note: 'n' } }, { uid }), STATUS);
  expect(again.metadata.resourceVersion).toBe(applied.metadata.resourceVersion);
  await client.apply(widgets, widget('one', { status: { phase: 'B' } }, { uid }), STATUS);
  expect((await get('one')).status).toEqual({ phase: 'B' });
});

it('refuses a status that was decided on another version, and so for a successor of that name', async ({ stage }) => {
  const { client, widget, get } = stage;
  const { metadata } = await client.apply(widgets, widget('one', { spec: { size: 1 } }), MANAGER);
  const { resourceVersion } = metadata;
  const stale = widget('one', { status: { phase: 'A' } }, { resourceVersion });
  await client.apply(widgets, widget('one', { spec: { size: 2 } }), MANAGER);
  expect(await failure(client.apply(widgets, stale, STATUS))).toBe('conflict 409 Conflict');
  await client.delete(widgets, metadata);
  expect(await failure(client.apply(widgets, stale, STATUS))).toBe('terminal 404 NotFound');
  await client.create(widgets, widget('one'));
  expect(await failure(client.apply(widgets, stale, STATUS))).toBe('conflict 409 Conflict');
  expect((await get('one')).status).toBeUndefined();
});

it('does not keep to a uid on /status, which is why a status is pinned to a version', async ({ stage }) => {
  const { client, widget, get } = stage;
  await client.apply(widgets, widget('one'), MANAGER);
  await client.apply(widgets, widget('one', { status: { phase: 'A' } }, { uid: NO_ONE }), STATUS);
  expect((await get('one')).status).toEqual({ phase: 'A' });
});

it('refuses to apply to an object of that name but another uid, and to one that is gone', async ({ stage }) => {
  const { client, widget, get } = stage;
  await client.apply(widgets, widget('one', { spec: { size: 1 } }), MANAGER);
  const pinned = (name: string) => client.apply(widgets, widget(name, { spec: { size: 2 } }, { uid: NO_ONE }), MANAGER);
  expect([await failure(pinned('one')), await failure(pinned('gone'))]).toEqual([
    'terminal 422 Invalid',
    'conflict 409 Conflict',
  ]);
  expect((await get('one')).spec).toEqual({ size: 1 });
});

it('deletes only the object that it was told by uid, or by version', async ({ stage: { client, widget, get } }) => {
  const { metadata } = await client.apply(widgets, widget('one', { spec: { size: 1 } }), MANAGER);
  const wrongUid = { preconditions: { uid: NO_ONE } };
  expect(await failure(client.delete(widgets, metadata, wrongUid))).toBe('conflict 409 Conflict');
  await client.apply(widgets, widget('one', { spec: { size: 2 } }), MANAGER);
  const oldVersion = { preconditions: { uid: metadata.uid, resourceVersion: metadata.resourceVersion } };
  expect(await failure(client.delete(widgets, metadata, oldVersion))).toBe('conflict 409 Conflict');
  expect((await get('one')).spec).toEqual({ size: 2 });
  expect(await client.delete(widgets, metadata, { preconditions: { uid: metadata.uid } })).toBe('deleted');
  expect(await client.delete(widgets, metadata)).toBe('absent');
});

it('tells apart what can go wrong', async ({ stage: { client, widget } }) => {
  await client.create(widgets, widget('one'));
  const patch = { metadata: { resourceVersion: '1' }, spec: { size: 5 } };
  const invalid = { spec: { size: 'large' } } as unknown as Partial<Widget>;
  const { namespace } = widget('one').metadata;
  expect({
    again: await failure(client.create(widgets, widget('one'))),
    stale: await failure(client.patch(widgets, widget('one').metadata, patch)),
    invalid: await failure(client.create(widgets, widget('two', invalid))),
    unknown: await failure(client.raw({ method: 'GET', path: '/apis/nobody.test/v1/things' })),
    old: await failure(client.listPage(widgets, { ...(namespace !== undefined && { namespace }), continueToken: 'rubbish' })),
    unreachable: await failure(
      new ApiClient({ server: 'http://127.0.0.1:1', tls: {}, identity: async () => ({}) }, { userAgent: 'x' }).raw({
        method: 'GET',
        path: '/',
      }),
    ),
  }).toEqual({
    again: 'conflict 409 AlreadyExists',
    stale: 'conflict 409 Conflict',
    invalid: 'terminal 422 Invalid',
    unknown: 'terminal 404 undefined',
    old: 'terminal 400 BadRequest',
    unreachable: 'transient undefined undefined',
  });
});

it('says that there is no object by saying undefined', async ({ stage: { client, widget } }) => {
  expect(await client.get(widgets, widget('nobody').metadata)).toBeUndefined();
});
