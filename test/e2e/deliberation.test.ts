// Questions to a Council, asked with kubectl: agents of the pool deliberate through the gateway, a killed worker costs nothing, and what came of it
// can be worked out again from the object.
import { beforeAll, describe, expect, it } from 'vitest';
import { canonicalJson } from '../../crds/canonical.ts';
import { deliberate } from '../../crds/deliberation/deliberate.ts';
import type { Deliberation } from '../../crds/kinds/deliberation.ts';
import { RELEASE_NAMESPACE } from '../environment/chart.ts';
import { connectEnvironment, type Environment } from '../environment/environment.ts';
import { TEST_BOX } from '../environment/test-cluster.ts';
import { ASKED } from './namespaces.ts';

const question = (name: string, spec: object = {}): object => ({
  ...{ apiVersion: 'swefleet.io/v1alpha1', kind: 'Deliberation', metadata: { name, namespace: ASKED } },
  spec: { councilRef: { name: 'dev' }, subject: `How shall farewell(name) treat an empty name? (${name})`, ...spec },
});

const CROWD = Array.from({ length: 20 }, (_, index) => `one-of-many-${index + 1}`);

describe('Deliberations', () => {
  let environment: Environment;

  const found = (name: string): Promise<Deliberation> =>
    environment.kubectl.json<Deliberation>('get', `deliberation/${name}`, '--namespace', ASKED);
  const ended = async (...names: readonly string[]): Promise<readonly Deliberation[]> => {
    const objects = names.map((name) => `deliberation/${name}`);
    const over = 'jsonpath={.status.finishedAt}';
    await environment.kubectl('wait', `--for=${over}`, ...objects, '--namespace', ASKED, '--timeout=240s');
    return Promise.all(names.map(found));
  };
  const replayed = ({ spec, status }: Deliberation): string => {
    const { pinned, contributions = [] } = status ?? {};
    if (pinned === undefined) return 'nothing was pinned';
    const { stand, usage } = deliberate({ pinned, contributions, startedMs: 0, select: spec.select, answers: new Map() });
    const end = stand.kind === 'ended' && stand.end.kind === 'completed' ? stand.end : undefined;
    return canonicalJson([end?.results ?? [], end?.choice.agent, end?.choice.rationale, end?.choice.dissent, usage]);
  };
  const recorded = ({ status }: Deliberation): string =>
    canonicalJson([status?.results ?? [], status?.winner, status?.rationale, status?.dissent, status?.usage]);

  beforeAll(async () => {
    environment = await connectEnvironment(TEST_BOX);
    // of an earlier run in a kept cluster
    await environment.kubectl('delete', 'deliberations', '--all', '--namespace', ASKED);
  });

  it('end with a winner, every step of which is recorded', async () => {
    await environment.as('alice').apply([question('one-round')]);
    const [object] = await ended('one-round');
    expect(object?.status).toMatchObject({ phase: 'Completed', progress: '13/13', usage: { calls: 13 } });
    const { contributions = [], results = [], winner, pinned } = object?.status ?? {};
    expect(contributions.map(({ outcome }) => outcome)).toEqual(contributions.map(() => 'Answered'));
    expect(results.map(({ rank }) => rank)).toEqual([1, 2, 3]);
    expect(results.map(({ agent }) => agent)).toContain(winner);
    expect(pinned?.seats.map(({ part }) => part)).toEqual(['Proposer', 'Proposer', 'Proposer', 'Architect']);
  });

  it('replay from the object alone', async () => {
    const object = await found('one-round');
    expect(replayed(object)).toBe(recorded(object));
  });

  it('replay and are told as a page by kubectl fleet, to whoever may read their texts', async () => {
    const fleet = (verb: string, person: 'alice' | 'bob', ...more: readonly string[]) =>
      environment.fleet(person, verb, 'deliberation/one-round', '--namespace', ASKED, ...more);
    expect(await fleet('replay', 'alice')).toMatchObject({ status: 0 });
    const page = await fleet('transcript', 'bob', '--gateway-namespace', RELEASE_NAMESPACE);
    expect([page.status, page.stderr]).toEqual([0, '']);
    expect(page.stdout).toContain('How shall farewell(name) treat an empty name');
    expect(page.stdout).toContain('a scripted text about');
    expect((await fleet('transcript', 'alice', '--gateway-namespace', RELEASE_NAMESPACE)).status).toBe(1);
  });

  it('are told by kubectl get and describe', async () => {
    const list = await environment.as('alice')('get', 'deliberations', '--namespace', ASKED);
    expect(list).toMatch(/NAME +COUNCIL +KIND +PHASE +STEP +ANSWERED +WINNER +AGE/);
    expect(list).toMatch(/one-round +dev +Proposals +Completed +13\/13 +agent-dev-00\d/);
    await expect
      .poll(() => environment.kubectl('describe', 'deliberation/one-round', '--namespace', ASKED), { timeout: 20_000 })
      .toMatch(/Decided .*Completed: the proposal of agent-dev-00\d won/);
  });

  it('go on when every worker is killed, and no answered turn is asked again', async () => {
    await environment.as('alice').apply([question('with-kills', { rounds: 3 })]);
    await environment.kubectl(
      'wait',
      '--for=jsonpath={.status.step}=Critique',
      'deliberation/with-kills',
      '--namespace',
      ASKED,
      '--timeout=120s',
    );
    const kill = ['delete', 'pods', '--namespace', RELEASE_NAMESPACE, '--force', '--grace-period=0', '--selector'];
    await environment.kubectl(...kill, 'app.kubernetes.io/name=swe-fleet,app.kubernetes.io/component in (agent-pool,operator)');
    const [object] = await ended('with-kills');
    expect([object?.status?.phase, object === undefined ? '' : replayed(object)]).toEqual([
      'Completed',
      object === undefined ? '?' : recorded(object),
    ]);
    expect(object?.status?.usage?.calls).toBe(object?.status?.contributions?.length);
  });

  it('twenty at once all end', async () => {
    await environment.as('alice').apply(CROWD.map((name) => question(name, { rounds: 0 })));
    const objects = await ended(...CROWD);
    expect(objects.map(({ status }) => status?.phase)).toEqual(CROWD.map(() => 'Completed'));
    expect(objects.map(replayed)).toEqual(objects.map(recorded));
  });
});
