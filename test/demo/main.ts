// `npm run demo`: a Story becomes a commit, on a real Kubernetes, from nothing.
//   npm run demo                 all of it, then everything is ended
//   npm run demo -- --keep       leaves it up and says how to use it (Ctrl-C ends what runs on this machine)
//   npm run demo -- --yes        does not wait for a person before the approval
// May: set up, apply the examples, show. The approval is the one thing it does in a person's place, and only when nobody answers.
import { down } from '../cluster/box.ts';
import { clusterConfig } from '../cluster/config.ts';
import { openEnvironment, type OpenEnvironment, type Environment } from '../environment/environment.ts';
import { optionsOf } from '../options.ts';
import { progressOn, seconds, type Progress } from './progress.ts';
import { runStory } from './story.ts';
import { howToUse, showResult } from './show.ts';

export const DEMO_NAMESPACE = 'demo';
const BOX = 'demo';

const STARTING_OVER = `
If what the box kept from earlier runs may be at fault, start over without it: npm run cluster -- down --name ${BOX} --forget`;

const HELP = `npm run demo [-- OPTIONS]

  --keep    leave the cluster and the demo's servers up, and print how to use them
  --yes     approve the plan at once instead of waiting for a person
  --help    this text

SWEFLEET_KUBECONFIG (with SWEFLEET_REGISTRY) uses a cluster of yours instead of a box.`;

const options = optionsOf(HELP, { keep: { type: 'boolean' }, yes: { type: 'boolean' } });

const main = async (): Promise<number> => {
  const progress = progressOn();
  const startedAt = Date.now();
  const interrupted = new AbortController();
  const stop = (): void => interrupted.abort();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, stop);
  let environment: OpenEnvironment | undefined;
  try {
    progress.say('\nSetting up (the first time takes minutes; later ones start warm)');
    environment = await openEnvironment({
      box: BOX,
      namespaces: [DEMO_NAMESPACE],
      onCluster: ({ kind, apiUrl }) =>
        progress.say(`    ${kind === 'box' ? `a box of its own, "${BOX}"` : 'the cluster of SWEFLEET_KUBECONFIG'}, ${apiUrl}`),
      stage: (label, work) => untilInterrupted(interrupted.signal, progress.step(label, work)),
    });
    const setUpAt = Date.now();
    const story = await runStory({
      environment,
      namespace: DEMO_NAMESPACE,
      progress,
      approveAtOnce: options.yes === true,
      signal: interrupted.signal,
    });
    await showResult(environment, DEMO_NAMESPACE, story, progress);
    progress.say(
      `\nSet-up ${((setUpAt - startedAt) / 1000).toFixed(1)} s, Story ${seconds(setUpAt)}, together ${seconds(startedAt)}.`,
    );
    if (options.keep === true) await keepUp(environment, interrupted.signal, progress);
    return story.phase === 'Done' ? 0 : 1;
  } catch (error) {
    progress.say(
      interrupted.signal.aborted
        ? '\ninterrupted: ending everything'
        : `\nthe demo failed: ${error instanceof Error ? error.message : String(error)}${STARTING_OVER}`,
    );
    return interrupted.signal.aborted ? 130 : 1;
  } finally {
    await environment?.close();
    // also when the set-up was cut short and there is no environment yet
    if (clusterConfig().externalKubeconfig === undefined) await down(clusterConfig().cacheDir, BOX);
  }
};

const keepUp = async (environment: Environment, signal: AbortSignal, progress: Progress): Promise<void> => {
  progress.say(howToUse(environment, DEMO_NAMESPACE));
  await new Promise<void>((resolve) => {
    const alive = setInterval(() => undefined, 60_000);
    signal.addEventListener('abort', () => {
      clearInterval(alive);
      resolve();
    });
  });
};

const untilInterrupted = async <T>(signal: AbortSignal, work: Promise<T>): Promise<T> =>
  new Promise<T>((resolve, reject) => {
    signal.addEventListener('abort', () => reject(new Error('interrupted')), { once: true });
    work.then(resolve, reject);
  });

process.exitCode = await main();
