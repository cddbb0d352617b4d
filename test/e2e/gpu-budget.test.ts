// A Story whose GPU seconds are spent is stopped while its agent works, and goes on when somebody raises the budget.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { scriptedModelName } from '../model/script.ts';
import { API_VERSION } from '../../crds/kinds/meta.ts';
import { GPU } from './namespaces.ts';
import { fixture, walk, type Walk } from './walk.ts';

const council = {
  apiVersion: API_VERSION,
  kind: 'Council',
  metadata: { name: 'gpu-dev', namespace: GPU },
  spec: {
    role: 'DEV',
    size: 1,
    model: { endpoint: 'scripted', name: scriptedModelName },
    workspace: { imageProfile: 'node', gpu: { count: 2 } },
  },
};

const MOST = 20;

describe('a Story with a budget of GPU seconds', () => {
  let w: Walk;
  beforeAll(async () => {
    w = await walk({
      namespace: GPU,
      name: 'costly',
      repositoryFolder: fixture('node-repo'),
      councils: [{ role: 'DEV', name: 'gpu-dev' }],
      budget: { gpuSeconds: MOST },
      tasks: [{ id: 'sit', title: 'Sit there', description: '[[script:never-comes-back]]', verify: { commands: ['true'] } }],
    });
    await w.environment.as('alice').apply([council]);
    await w.start();
    await w.approve();
  });
  afterAll(() => w.close());

  it('has its attempt stopped at work, for which nobody is blamed, and says how to raise it', async () => {
    const { status } = await w.taskEnded('sit');
    expect(status).toMatchObject({ attempts: [{ n: 1, outcome: 'Cancelled', reason: 'BudgetSpent' }] });
    expect(status?.waitingFor).toContain('raise spec.budget.gpuSeconds of story costly');
    // two GPUs: a second of them is two
    expect(status?.attempts?.[0]?.gpuSeconds).toBeGreaterThanOrEqual(MOST);
    await w.environment.kubectl('wait', '--for=delete', 'pods', '--all', '--namespace', GPU, '--timeout', '120s');
    const stories = await w.follower.until(({ stories: all }) => {
      const story = all.find(({ metadata }) => metadata.name === 'costly');
      return (story?.status?.usage?.gpuSeconds ?? 0) >= MOST ? story : undefined;
    });
    expect(stories.status?.usage?.gpuSeconds).toBe(status?.attempts?.[0]?.gpuSeconds);
  });

  it('starts another attempt when the budget is raised', async () => {
    await w.environment.as('alice')(
      'patch',
      'story',
      'costly',
      '--namespace',
      GPU,
      '--type',
      'merge',
      '--patch',
      JSON.stringify({ spec: { budget: { gpuSeconds: 100_000 } } }),
    );
    await w.follower.until(({ tasks }) =>
      tasks.find(({ spec, status }) => spec.task.id === 'sit' && status?.attempt === 2 && status.phase === 'Running'),
    );
    await w.environment.as('alice')(
      'patch',
      'story',
      'costly',
      '--namespace',
      GPU,
      '--type',
      'merge',
      '--patch',
      JSON.stringify({ spec: { cancel: true } }),
    );
    expect((await w.ended()).status?.phase).toBe('Cancelled');
  });
});
