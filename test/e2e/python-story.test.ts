// The same walk where the toolchain image has no Node: the runner brings its own.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { API_VERSION } from '../../crds/kinds/meta.ts';
import { scriptedModelName } from '../model/script.ts';
import { PYTHON } from './namespaces.ts';
import { fixture, walk, type Walk } from './walk.ts';

const council = {
  apiVersion: API_VERSION,
  kind: 'Council',
  metadata: { name: 'pythonistas', namespace: PYTHON },
  spec: { role: 'DEV', size: 1, model: { endpoint: 'scripted', name: scriptedModelName }, workspace: { imageProfile: 'python' } },
};

describe('a Story on a Python repository', () => {
  let w: Walk;
  beforeAll(async () => {
    w = await walk({
      namespace: PYTHON,
      name: 'longest-word',
      repositoryFolder: fixture('python-repo'),
      councils: [{ role: 'DEV', name: 'pythonistas' }],
      tasks: [
        {
          id: 'longest',
          title: 'Find the longest word',
          description: 'Add longest_word(text). [[script:add-longest-word]]',
          // The image has no Node: were there one, the second command would fail and so would the task.
          verify: { commands: ['python3 -m unittest', '! command -v node'] },
        },
      ],
    });
    await w.environment.as('alice').apply(council);
    await w.start();
  });
  afterAll(() => w.close());

  it('ends in phase Done, tested by unittest in an image without Node', async () => {
    await w.approve();
    const story = await w.ended();
    expect(story.status).toMatchObject({ phase: 'Done', tasks: { summary: '1/1' } });
    expect(w.task('longest').status?.attempts).toMatchObject([{ n: 1, outcome: 'Succeeded', verify: { passed: 2, failed: 0 } }]);
  });

  it('lands the function and its test', async () => {
    const files = (await w.git('diff', '--name-only', `main..${w.branch}`)).trim().split('\n');
    expect(files.some((file) => file.startsWith('wordcount/'))).toBe(true);
    expect(files.some((file) => file.startsWith('tests/'))).toBe(true);
  });
});
