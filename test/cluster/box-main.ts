/**
 * The program that runs inside a box, as the only child of its first process: `node box-main.ts CACHE_DIR NAME`.
 * It furnishes the namespaces, brings the components up, and then watches over them and says in a file what it sees.
 * SIGHUP makes it read its parameters anew and start what is missing. It ends with the box, never by itself.
 */
import { readSync } from 'node:fs';
import { Agent } from 'node:https';
import { join } from 'node:path';
import { credentialsFrom } from './api-client.ts';
import { bringUp } from './bring-up.ts';
import { apiUrlOf, type BoxParameters } from './component-files.ts';
import { keepGpus } from './fake-gpus.ts';
import { boxLayout, type BoxLayout } from './layout.ts';
import { furnishNamespaces } from './namespace.ts';
import { readState, writeState } from './state-file.ts';
import type { BoxStatus } from './status.ts';
import { superviseIn } from './supervisor.ts';

const parametersOf = (layout: BoxLayout): BoxParameters => {
  const parameters = readState<BoxParameters>(layout.parameters);
  if (parameters === undefined) throw new Error(`${layout.parameters} is missing`);
  return parameters;
};

/** Whoever starts the box links it to the machine first, then says so; if he is gone before, so is the box. */
const awaitLink = (): void => {
  if (readSync(0, Buffer.alloc(16)) === 0) throw new Error('the machine did not link this box');
};

const superviseBox = async (cacheDir: string, layout: BoxLayout): Promise<never> => {
  const bootedAt = new Date();
  const state = { parameters: parametersOf(layout), phase: 'starting' as BoxStatus['phase'], message: 'furnishing' };
  const publish = (): void =>
    writeState(layout.status, {
      phase: state.phase,
      supervisorPid: process.pid,
      revision: state.parameters.revision,
      bootedAt: bootedAt.toISOString(),
      message: state.message,
      components: supervisor.components(),
    } satisfies BoxStatus);
  const compileCache = join(cacheDir, 'compiled');
  const supervisor = superviseIn({ logs: layout.logs, workDir: layout.stateDir, compileCache, onChange: publish });
  const say = (message: string): void => {
    state.message = message;
    console.log(`[${String(Date.now() - bootedAt.getTime()).padStart(6)} ms] ${message}`);
    publish();
  };
  // signals that come while it works are one more round, not lost
  const requests = { open: 1, wake: (): void => undefined };
  process.on('SIGHUP', () => {
    requests.open += 1;
    requests.wake();
  });
  publish();
  await furnishNamespaces(layout, state.parameters.address);
  const url = apiUrlOf(state.parameters.address);
  const credentials = credentialsFrom(layout.pki, 'supervisor', url, new Agent({ keepAlive: true }));
  for (let gpusKept = false; ;) {
    while (requests.open === 0) await new Promise<void>((resolve) => (requests.wake = resolve));
    requests.open = 0;
    state.parameters = parametersOf(layout);
    state.phase = 'starting';
    const failure = await bringUp({ parameters: state.parameters, credentials, supervisor, bootedAt, say }).then(
      () => undefined,
      (error: unknown) => (error instanceof Error ? error.message : String(error)),
    );
    state.phase = failure === undefined ? 'ready' : 'failed';
    say(failure ?? 'ready');
    if (!gpusKept) void keepGpus(credentials, () => state.parameters.gpus);
    gpusKept = true;
  }
};

const [cacheDir, name] = process.argv.slice(2);
if (cacheDir === undefined || name === undefined) throw new Error('usage: box-main.ts CACHE_DIR NAME');
awaitLink();
await superviseBox(cacheDir, boxLayout(cacheDir, name));
