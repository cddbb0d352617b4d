// A step's configuration, from the environment that the Job gives it. The only file here that reads the environment; validated whole.
import { z } from 'zod';
import { kubeletEnvironment, stepEnvironment } from '../crds/contracts/environment.ts';
import { PATHS } from '../crds/contracts/paths.ts';
import type { JobKind } from '../crds/contracts/steps.ts';

const environment = stepEnvironment.extend(kubeletEnvironment.shape);

export interface Address {
  readonly host: string;
  readonly port: number;
}

export interface StepConfig {
  readonly kind: JobKind;
  readonly ownerUid: string;
  readonly attempt: number;
  readonly gatewayUrl: string;
  /** PEM. */
  readonly gatewayCa: string;
  /** What a contained pod must not reach. */
  readonly forbidden: readonly Address[];
  readonly deadlineSeconds: number;
  /** For commands of the repository and of the agent: the container's own variables without ours. */
  readonly childEnvironment: Readonly<Record<string, string>>;
}

export type Environment = Readonly<Record<string, string | undefined>>;

/** Throws one error that names every variable that is absent or wrong. */
export const readConfig = (env: Environment = process.env): StepConfig => {
  const parsed = environment.safeParse(env);
  if (!parsed.success) throw new Error(`the step's environment is not usable: ${z.prettifyError(parsed.error)}`);
  const seen = parsed.data;
  const apiServer = seen.KUBERNETES_SERVICE_HOST;
  return Object.freeze({
    kind: seen.FLEET_KIND,
    ownerUid: seen.FLEET_OWNER_UID,
    attempt: seen.FLEET_ATTEMPT,
    gatewayUrl: seen.FLEET_GATEWAY_URL.replace(/\/+$/, ''),
    gatewayCa: seen.FLEET_GATEWAY_CA,
    forbidden: [
      { host: seen.FLEET_GATEWAY_ADDRESS, port: seen.FLEET_CANARY_PORT },
      ...(apiServer === undefined ? [] : [{ host: apiServer, port: seen.KUBERNETES_SERVICE_PORT ?? 443 }]),
    ],
    deadlineSeconds: seen.FLEET_DEADLINE_SECONDS,
    childEnvironment: childEnvironment(env),
  });
};

const ours = /^(FLEET_|KUBERNETES_)|^(LD_LIBRARY_PATH|NODE_OPTIONS|HOSTNAME)$/;

const childEnvironment = (env: Environment): Record<string, string> => {
  const kept = Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined && !ours.test(entry[0]));
  return {
    PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    HOME: PATHS.tmp,
    ...Object.fromEntries(kept),
    CI: 'true',
  };
};
