/**
 * The kubectl plugin of this checkout, built when it has to be. Several programs may ask at once: the first builds it, the others wait.
 */
import { dirname, join, resolve } from 'node:path';
import { buildPlugin, pluginPath } from '../../images/plugin.ts';
import { withLock } from './lock.ts';
import type { Log } from './progress.ts';

const repository = resolve(import.meta.dirname, '..', '..');

/** Where it lies. */
export const PLUGIN_PATH = pluginPath(repository);

/** Resolves with its path. */
export const builtPlugin = (log: Log): Promise<string> =>
  withLock(join(dirname(PLUGIN_PATH), '.kubectl-fleet.lock'), () => buildPlugin({ repository, log }));
