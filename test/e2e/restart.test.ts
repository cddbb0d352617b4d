// Operator and gateway are killed in the middle: the Story ends all the same, with one commit a task and each attempt counted once.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RELEASE_NAMESPACE } from '../environment/chart.ts';
import { RESTART } from './namespaces.ts';
import { fixture, walk, type Walk } from './walk.ts';

describe('operator and gateway killed while a task runs', () => {
  let w: Walk;
  beforeAll(async () => {
    w = await walk({
      namespace: RESTART,
      name: 'survivor',
      repositoryFolder: fixture('node-repo'),
      tasks: [
        {
          id: 'farewell',
          title: 'Add farewell(name)',
          description: '[[script:add-farewell]]',
          verify: { commands: ['npm test'] },
        },
        {
          id: 'edge',
          title: 'Test unusual names',
          description: '[[script:add-edge-tests]]',
          dependsOn: ['farewell'],
          verify: { commands: ['npm test'] },
        },
      ],
    });
    await w.start();
    await w.approve();
    await w.follower.until(({ tasks }) => tasks.find(({ status }) => status?.phase === 'Running'));
    const kill = ['delete', 'pods', '--namespace', RELEASE_NAMESPACE, '--force', '--grace-period=0', '--selector'];
    await w.environment.kubectl(...kill, 'app.kubernetes.io/name=swe-fleet,app.kubernetes.io/component in (operator,gateway)');
  });
  afterAll(() => w.close());

  it('ends in phase Done', async () => {
    expect((await w.ended()).status).toMatchObject({ phase: 'Done', tasks: { summary: '2/2' } });
  });

  it('has exactly one commit for each task', async () => {
    const log = await w.git(
      'log',
      '--reverse',
      '--format=%(trailers:key=Swefleet-Task,valueonly,separator=)',
      `main..${w.branch}`,
    );
    expect(log.trim().split('\n')).toEqual(['farewell', 'edge']);
  });

  it('numbers the attempts without gaps and ends each of them', () => {
    for (const id of ['farewell', 'edge']) {
      const attempts = w.task(id).status?.attempts ?? [];
      expect(attempts.map(({ n }) => n)).toEqual(attempts.map((_, index) => index + 1));
      expect(attempts.every(({ finishedAt, outcome }) => finishedAt !== undefined && outcome !== undefined)).toBe(true);
    }
  });
});
