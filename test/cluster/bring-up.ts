/**
 * Brings the components of a box to where they serve: the first time, and again after some of them died.
 * It runs inside the box; starting what runs already changes nothing.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { ApiCredentials } from './api-client.ts';
import { run } from './command.ts';
import { PAUSE_IMAGE, type BoxParameters } from './component-files.ts';
import { componentsOf, type Component } from './components.ts';
import { setGpus } from './fake-gpus.ts';
import { PAUSE_ARCHIVE } from './layout.ts';
import { defaultAccountReady, nodeReady, serves, until } from './readiness.ts';
import type { Supervisor } from './supervisor.ts';

export interface BringUp {
  readonly parameters: BoxParameters;
  readonly credentials: ApiCredentials;
  readonly supervisor: Supervisor;
  readonly bootedAt: Date;
  /** Told what is done, in the order of its happening. */
  readonly say: (message: string) => void;
}

async function importPauseImage(binDir: string): Promise<void> {
  const archive = join(binDir, PAUSE_ARCHIVE);
  if (!existsSync(archive)) throw new Error(`${archive} is missing`);
  const images = await run(['ctr', '-n', 'k8s.io', 'images', 'ls', '-q', `name==${PAUSE_IMAGE}`]);
  if (images.trim() === '') await run(['ctr', '-n', 'k8s.io', 'images', 'import', archive]);
}

/** @throws with the component's last log lines when one of them dies meanwhile */
export async function bringUp(context: BringUp): Promise<void> {
  const { parameters, credentials, supervisor, say } = context;
  const components = componentsOf(parameters);
  const died = (): ReturnType<Supervisor['died']> => supervisor.died();
  const served = async (component: Component): Promise<void> => {
    const { probe } = component;
    if (probe === undefined) return;
    await until(`${component.name} to serve`, died, () => serves(probe, credentials));
    say(`${component.name} serves`);
  };
  const first = components.filter((component) => component.stage === 1);
  const second = components.filter((component) => component.stage === 2);

  for (const component of first) supervisor.start(component);
  const runtime = first.filter((component) => component.name === 'containerd').map(served);
  const pause = Promise.all(runtime).then(() => importPauseImage(parameters.binDir));
  await Promise.all([...first.filter((component) => component.name !== 'containerd').map(served), pause]);

  for (const component of second) supervisor.start(component);
  await Promise.all([
    ...second.map(served),
    until('the node to be ready', died, () => nodeReady(credentials, context.bootedAt)),
    until('the default service account', died, () => defaultAccountReady(credentials)),
  ]);
  say('the node is ready');
  await setGpus(credentials, parameters.gpus);
  const [dead] = died();
  if (dead !== undefined) await until(`${dead.name} to live`, died, () => Promise.resolve(false));
}
