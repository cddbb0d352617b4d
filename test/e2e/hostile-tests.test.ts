// Tests and agents that attack the process which judges them: what it says stays its own, and whatever they break counts against them.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { HOSTILE } from './namespaces.ts';
import { fixture, walk, type Walk } from './walk.ts';

const SHUT = 'mem EACCES, environ EACCES, fd EACCES, exe EACCES, cwd EACCES, node EACCES, inspector shut';

describe('a repository that attacks its judge', () => {
  let w: Walk;
  beforeAll(async () => {
    const task = (id: string, script: string, file: string, command: string) => ({
      id,
      title: `Attack by ${id}`,
      description: `[[script:${script}]]`,
      fileScope: [file],
      verify: { commands: [command] },
    });
    w = await walk({
      namespace: HOSTILE,
      name: 'hostile',
      repositoryFolder: fixture('hostile-repo'),
      tasks: [
        { ...task('agent', 'attacks-its-judge', 'found.txt', 'test -s found.txt'), priority: 2 },
        { ...task('tests', 'stumbles', 'notes.md', 'node attack/judge.mjs passed'), priority: 1 },
        task('signal', 'stumbles', 'notes.md', 'kill -TERM 1; sleep 5'),
      ],
    });
    await w.start();
    await w.approve();
  });
  afterAll(() => w.close());

  it('finds no way into the process of its agent, and stands in the way of no finding', async () => {
    const task = await w.taskEnded('agent');
    expect(task.status).toMatchObject({ phase: 'Succeeded', attempts: [{ n: 1, outcome: 'Succeeded' }] });
    expect(await w.git('show', `${w.branch}:found.txt`)).toContain(SHUT);
  });

  it('does not pass tests that failed, whatever they and what they left behind wrote', async () => {
    const task = await w.taskEnded('tests');
    expect(task.status?.attempts).toHaveLength(3);
    for (const attempt of task.status?.attempts ?? [])
      expect(attempt).toMatchObject({
        outcome: 'AgentFailed',
        reason: 'VerifyFailed',
        message: expect.stringContaining(SHUT) as string,
      });
  });

  it('is itself at fault when it ends the step that runs it', async () => {
    const task = await w.taskEnded('signal');
    expect(task.status?.attempts).toHaveLength(3);
    for (const attempt of task.status?.attempts ?? []) expect(attempt).toMatchObject({ outcome: 'AgentFailed' });
  });
});
