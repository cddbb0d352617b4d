// What the CLI takes from its environment beside the kubeconfig, which the loader reads itself.

import { z } from 'zod';
import { loadEnvironment, type Environment } from '../runtime/config.ts';

const environment = z.object({ NO_COLOR: z.string().default(''), KUBECTL: z.string().default('') });

export interface CliConfig {
  readonly noColour: boolean;
  /** The kubectl that is asked for logs and port-forwards. */
  readonly kubectl: string;
}

export const readConfig = (env: Environment = process.env): CliConfig => {
  const { NO_COLOR, KUBECTL } = loadEnvironment(environment, env);
  return { noColour: NO_COLOR !== '', kubectl: KUBECTL === '' ? 'kubectl' : KUBECTL };
};
