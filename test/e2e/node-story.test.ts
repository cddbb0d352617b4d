// The first walk on a Node repository: three tasks in three phases, each a commit that its own tests passed in a fresh checkout.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Story } from '../../crds/kinds/story.ts';
import { auditedWrites, byUser, hasAuditLog, operatorUser } from '../environment/audit.ts';
import { RELEASE_NAMESPACE } from '../environment/chart.ts';
import { WALK } from './namespaces.ts';
import { fixture, walk, type Walk } from './walk.ts';

interface KubeEvent {
  readonly regarding: { readonly kind: string; readonly name: string };
  readonly type: string;
  readonly note: string;
  readonly eventTime: string;
}

const NPM_TEST = { commands: ['npm test'] };

describe('a Story on a Node repository', () => {
  let w: Walk;
  let story: Story;
  beforeAll(async () => {
    w = await walk({
      namespace: WALK,
      name: 'goodbye',
      repositoryFolder: fixture('node-repo'),
      tasks: [
        {
          id: 'farewell',
          title: 'Add farewell(name)',
          description: 'As greeting. [[script:add-farewell]]',
          fileScope: ['src/**', 'test/**'],
          verify: NPM_TEST,
        },
        {
          id: 'edge',
          title: 'Test unusual names',
          description: 'For both. [[script:add-edge-tests]]',
          role: 'QA',
          phase: 'TEST',
          dependsOn: ['farewell'],
          fileScope: ['test/**'],
          verify: NPM_TEST,
        },
        {
          id: 'usage',
          title: 'Show both functions',
          description: 'In docs/usage.md. [[script:write-usage-page]]',
          phase: 'DOCS',
          fileScope: ['docs/**', 'README.md'],
          verify: NPM_TEST,
        },
      ],
    });
    await w.start();
  });
  afterAll(() => w.close());

  it('waits in Design for a person and says so in kubectl get stories', async () => {
    const table = await w.world.as('bob')('get', 'stories', '--namespace', WALK);
    expect(table).toMatch(/goodbye +Design .*approv/);
  });

  it('refuses the approval of the author herself', async () => {
    const end = await w.world.fleet('alice', 'approve', 'plan', 'goodbye-1', '--namespace', WALK, '--yes');
    expect(end.status).not.toBe(0);
  });

  it('ends in phase Done after the approval', async () => {
    await w.approve();
    story = await w.ended();
    expect(story.status).toMatchObject({
      phase: 'Done',
      tasks: { total: 3, succeeded: 3, failed: 0, summary: '3/3' },
      branch: w.branch,
    });
  });

  it('has one commit a task on the branch, in the order of the phases, with trailers that lead back to the approval', async () => {
    const log = await w.git(
      'log',
      '--reverse',
      '--format=%s|%(trailers:key=Swefleet-Task,valueonly,separator=)|%(trailers:key=Swefleet-Plan,valueonly,separator=)',
      `main..${w.branch}`,
    );
    const digest = w.follower.view().plans[0]?.status?.digest;
    expect(log.trim().split('\n')).toEqual([
      `Add farewell(name)|farewell|${digest}`,
      `Test unusual names|edge|${digest}`,
      `Show both functions|usage|${digest}`,
    ]);
    expect((await w.git('rev-parse', w.branch)).trim()).toBe(story.status?.headCommit);
  });

  it('leaves main where it was and touches only what each task may touch', async () => {
    expect((await w.git('rev-parse', 'main')).trim()).toBe(w.repository.head);
    expect((await w.git('show', '--name-only', '--format=', w.task('usage').status?.commit ?? '')).trim().split('\n')).toEqual([
      'README.md',
      'docs/usage.md',
    ]);
  });

  it('shows the evidence of the fresh checkout to an auditor', async () => {
    const end = await w.world.fleet(
      'bob',
      'logs',
      'story',
      'goodbye',
      '--namespace',
      WALK,
      '--evidence',
      '--gateway-namespace',
      RELEASE_NAMESPACE,
    );
    expect(end).toMatchObject({ status: 0 });
    expect(end.stdout).toContain('npm test');
    expect(end.stdout).toMatch(/pass 5/);
  });

  it('tells the life of each object in Kubernetes Events, at most four a task', async () => {
    const told = async (kind: string, name: string): Promise<readonly string[]> => {
      const json = await w.world.kubectl('get', 'events.events.k8s.io', '--namespace', WALK, '--output', 'json');
      const { items } = JSON.parse(json) as { readonly items: readonly KubeEvent[] };
      return items
        .filter(({ regarding }) => regarding.kind === kind && regarding.name === name)
        .sort((a, b) => (a.eventTime < b.eventTime ? -1 : 1))
        .map(({ type, note }) => `${type} ${note.split(':')[0]}`);
    };
    // they are sent beside the passes, so that the last ones may still be under way
    const last = { interval: 200, timeout: 30_000 };
    await expect.poll(() => told('Story', 'goodbye'), last).toContain('Normal Done');
    expect(await told('Story', 'goodbye')).toEqual(['Design', 'Build', 'Test', 'Docs', 'Done'].map((phase) => `Normal ${phase}`));
    expect(await told('Plan', 'goodbye-1')).toEqual(['Normal Parsed', 'Normal Approved']);
    for (const id of ['farewell', 'edge', 'usage']) {
      const own = await told('Task', w.task(id).metadata.name);
      expect(own.filter((word) => word !== 'Normal Queued')).toEqual([
        'Normal Running',
        'Normal Integrating',
        'Normal Succeeded',
      ]);
      expect(own.length).toBeLessThanOrEqual(4);
    }
  });

  it.skipIf(!hasAuditLog)('costs the operator at most five writes a task, Jobs not counted', () => {
    const writes = auditedWrites(w.world.cluster).filter(byUser(operatorUser));
    for (const id of ['farewell', 'edge', 'usage']) {
      const { name } = w.task(id).metadata;
      const about = writes.filter(({ resource, objectName }) => resource === 'tasks' && objectName === name);
      expect(about.length, about.map(({ verb, subresource }) => `${verb} ${subresource}`).join(', ')).toBeLessThanOrEqual(5);
    }
  });
});
