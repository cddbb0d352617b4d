// An agent that tries every way out finds none; and where the network lets pods out, no agent starts at all.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ESCAPE, OPEN } from './namespaces.ts';
import { fixture, walk, type Walk } from './walk.ts';

describe('an agent that tries to escape', () => {
  let w: Walk;
  let found: string;
  beforeAll(async () => {
    w = await walk({
      namespace: ESCAPE,
      name: 'escape',
      repositoryFolder: fixture('node-repo'),
      tasks: [
        {
          id: 'out',
          title: 'Look around',
          description: '[[script:tries-to-escape]]',
          verify: { commands: ['test -s found.txt'] },
        },
      ],
    });
    await w.start();
    await w.approve();
    await w.ended();
    found = await w.git('show', `${w.branch}:found.txt`);
  });
  afterAll(() => w.close());

  it('reaches neither the API server nor another token, volume or the root file system', () => {
    expect(found).toContain('api server:');
    expect(found).not.toContain('REACHED');
  });

  it('runs without root and without capabilities', () => {
    expect(found).toMatch(/^1000$/m);
    expect(found).toMatch(/CapEff:\s+0+$/m);
  });

  it('leaves nothing behind on the branch but what it wrote into its tree', async () => {
    expect((await w.git('diff', '--name-only', `main..${w.branch}`)).trim().split('\n')).toEqual(['found.txt']);
  });

  it('is not to be entered by anybody: exec into its pods is refused even to the administrator', async () => {
    const pods = await w.environment.kubectl('get', 'pods', '--namespace', ESCAPE, '--output', 'name');
    const pod = pods.split('\n')[0] ?? '';
    expect(pod).toMatch(/^pod\/fleet-ws-/);
    // kubectl itself does not even ask for a pod that has ended; the API server is asked here
    const path = `/api/v1/namespaces/${ESCAPE}/${pod.replace('pod/', 'pods/')}/exec?command=id&stdout=true`;
    const end = await w.environment.kubectl.attempt('create', '--raw', path, '--filename', '/dev/null');
    expect(end.status).not.toBe(0);
    expect(end.stderr).toMatch(/workspace|denied|forbidden/i);
  });
});

/** NetworkPolicies add up: this one opens what ours shuts, as a network plugin does that enforces nothing. */
const openEverything = {
  apiVersion: 'networking.k8s.io/v1',
  kind: 'NetworkPolicy',
  metadata: { name: 'open-everything', namespace: OPEN },
  spec: { podSelector: {}, policyTypes: ['Egress'], egress: [{}] },
};

describe('a namespace whose network lets workspaces out', () => {
  let w: Walk;
  beforeAll(async () => {
    w = await walk({
      namespace: OPEN,
      name: 'open',
      repositoryFolder: fixture('node-repo'),
      tasks: [
        { id: 'any', title: 'Add farewell(name)', description: '[[script:add-farewell]]', verify: { commands: ['npm test'] } },
      ],
    });
    await w.environment.kubectl.apply(openEverything);
    await w.start();
    await w.approve();
  });
  afterAll(() => w.close());

  it('stalls the task as NetworkNotContained at its first attempt, before any model call', async () => {
    const task = await w.taskEnded('any');
    expect(task.status?.conditions).toContainEqual(
      expect.objectContaining({ type: 'Stalled', status: 'True', reason: 'NetworkNotContained' }),
    );
    expect(task.status?.attempts).toHaveLength(1);
    expect(task.status?.attempts?.[0]?.tokens ?? 0).toBe(0);
  });
});
