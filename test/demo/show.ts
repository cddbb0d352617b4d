// What the demo shows at its end: the commits, the diff, the evidence of the tests, the objects; and with --keep how to go on.
import { RELEASE_NAMESPACE } from '../environment/chart.ts';
import type { World } from '../environment/environment.ts';
import { git } from '../environment/repository.ts';
import type { Progress } from './progress.ts';
import type { FinishedStory } from './story.ts';

export const showResult = async (world: World, namespace: string, story: FinishedStory, progress: Progress): Promise<void> => {
  const { bare, url } = story.repository;
  const title = (text: string): void => progress.say(`\n── ${text} ${'─'.repeat(Math.max(3, 100 - text.length))}\n`);
  title(`git log --stat main..${story.branch}   (${url})`);
  progress.say(await git(bare, 'log', '--stat', '--format=medium', `main..${story.branch}`));
  title(`git diff main ${story.branch}`);
  progress.say(await git(bare, 'diff', 'main', story.branch));
  title(`bob: kubectl fleet logs story ${story.name} --evidence --gateway-namespace ${RELEASE_NAMESPACE}`);
  const evidence = await world.fleet(
    'bob',
    'logs',
    'story',
    story.name,
    '--namespace',
    namespace,
    '--evidence',
    '--gateway-namespace',
    RELEASE_NAMESPACE,
  );
  progress.say(evidence.stdout + evidence.stderr);
  if (evidence.status !== 0) throw new Error(`the evidence could not be read (status ${evidence.status})`);
  title('kubectl get stories,plans,tasks');
  progress.say(await world.as('bob')('get', 'stories,plans,tasks', '--namespace', namespace));
};

export const howToUse = (world: World, namespace: string): string => {
  const { cluster } = world;
  const box = cluster.kind === 'box' ? ` --name ${cluster.name}` : '';
  return `
The cluster and the demo's git server and model stay up until you press Ctrl-C. In another terminal:

  eval "$(npm run --silent cluster --${box} env)"      # KUBECONFIG of the administrator, PATH with kubectl and kubectl-fleet
  kubectl get stories,plans,tasks --namespace ${namespace}
  kubectl explain story.spec
  kubectl fleet tree story say-goodbye --namespace ${namespace}

  git log of the result:   git -C ${world.gitRoot}/team/pocket-greetings.git log fleet/${namespace}/say-goodbye
  a Story of your own:     copy examples/story.yaml, change name and words; without a mark [[script:…]] the scripted model does nothing`;
};
