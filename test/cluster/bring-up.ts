/**
 * Brings the components of a box to where they serve: the first time, and again after some of them died.
 * It runs inside the box; starting what runs already changes nothing.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { ApiCredentials } from './api-client.ts';
import { run } from './command.ts';
import { PAUSE_IMAGE, type BoxParameters } from './component-files.ts';
import { ANSWERS, componentsOf, type Component, type ComponentName } from './components.ts';
import { setGpus } from './fake-gpus.ts';
import { PAUSE_ARCHIVE } from './layout.ts';
import { openPods } from './namespace.ts';
import { apiAnswers, defaultAccountReady, nodeReady, serves, until } from './readiness.ts';
import { describeDeath } from './status.ts';
import type { Supervisor } from './supervisor.ts';

export interface BringUp {
  readonly parameters: BoxParameters;
  readonly credentials: ApiCredentials;
  readonly supervisor: Supervisor;
  readonly bootedAt: Date;
  /** Told what is done, in the order of its happening. */
  readonly say: (message: string) => void;
}

const importPauseImage = async (binDir: string): Promise<void> => {
  const archive = join(binDir, PAUSE_ARCHIVE);
  if (!existsSync(archive)) throw new Error(`${archive} is missing`);
  const images = await run(['ctr', '-n', 'k8s.io', 'images', 'ls', '-q', `name==${PAUSE_IMAGE}`]);
  if (images.trim() === '') await run(['ctr', '-n', 'k8s.io', 'images', 'import', archive]);
};

/** @throws with the component's last log lines when one of them dies meanwhile */
export const bringUp = async (context: BringUp): Promise<void> => {
  const { parameters, credentials, supervisor, say } = context;
  // deaths of before are why we are here; each ends when it is that component's turn to start
  const before = new Set(supervisor.died());
  const died = (): ReturnType<Supervisor['died']> => supervisor.died().filter((component) => !before.has(component));
  const serving = new Map<ComponentName | typeof ANSWERS, Promise<void>>();
  serving.set(
    ANSWERS,
    until('the API server to answer', died, () => apiAnswers(credentials)),
  );
  const startInTurn = async ({ after = [], probe, ...component }: Component): Promise<void> => {
    for (const name of after) await serving.get(name);
    supervisor.start(component);
    if (probe !== undefined) await until(`${component.name} to serve`, died, () => serves(probe, credentials));
    if (component.name === 'containerd') await importPauseImage(parameters.binDir);
    if (component.name === 'network-policy') await openPods();
    say(`${component.name} ${probe === undefined ? 'started' : 'serves'}`);
  };
  // each one is listed after those that it waits for
  for (const component of componentsOf(parameters)) serving.set(component.name, startInTurn(component));
  await Promise.all([
    ...serving.values(),
    ...(parameters.controlPlaneOnly
      ? []
      : [
          until('the node to be ready', died, () => nodeReady(credentials, context.bootedAt)).then(() =>
            say('the node is ready'),
          ),
        ]),
    until('the default service account', died, () => defaultAccountReady(credentials)).then(() =>
      say('the default account is there'),
    ),
  ]);
  if (!parameters.controlPlaneOnly) await setGpus(credentials, parameters.gpus);
  const [dead] = died();
  if (dead !== undefined) throw new Error(describeDeath(dead));
};
