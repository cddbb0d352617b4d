// The first attempt's patch fails in the fresh checkout; the second attempt is told so and mends it.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RETRY } from './namespaces.ts';
import { fixture, walk, type Walk } from './walk.ts';

describe('a task that fails its verification first', () => {
  let w: Walk;
  beforeAll(async () => {
    w = await walk({
      namespace: RETRY,
      name: 'second-try',
      repositoryFolder: fixture('node-repo'),
      tasks: [
        { id: 'fix', title: 'Do it right in the end', description: '[[script:fails-first]]', verify: { commands: ['npm test'] } },
      ],
    });
    await w.start();
    await w.approve();
    await w.ended();
  });
  afterAll(() => w.close());

  it('counts the first attempt against the agent and succeeds with the second', () => {
    expect(w.task('fix').status?.attempts).toMatchObject([
      { n: 1, outcome: 'AgentFailed', reason: 'VerifyFailed' },
      { n: 2, outcome: 'Succeeded' },
    ]);
  });

  it('lands exactly one commit, that of the second attempt', async () => {
    const trailers = await w.git('log', '--format=%(trailers:key=Swefleet-Attempt,valueonly,separator=)', `main..${w.branch}`);
    expect(trailers.trim()).toBe('2');
  });
});
