// What the install hook is told: by the chart, through its environment.

import { z } from 'zod';
import { loadEnvironment, type Environment } from '../runtime/config.ts';

const days = z.coerce.number().int().min(1).max(7300);

const environment = z.object({
  FLEET_RELEASE: z.string().regex(/^[a-z0-9]([-a-z0-9]{0,51}[a-z0-9])?$/),
  FLEET_NAMESPACE: z.string().regex(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/),
  FLEET_NATS_ENABLED: z.enum(['true', 'false']),
  FLEET_CERTIFICATE_DAYS: days,
  FLEET_CA_DAYS: days,
});

export interface InstallConfig {
  readonly release: string;
  readonly namespace: string;
  /** False: the user brings NATS, its certificate and its users. */
  readonly ownNats: boolean;
  readonly certificateDays: number;
  readonly caDays: number;
}

/** Throws ConfigInvalid. */
export const readConfig = (env: Environment = process.env): InstallConfig => {
  const values = loadEnvironment(environment, env);
  return Object.freeze({
    release: values.FLEET_RELEASE,
    namespace: values.FLEET_NAMESPACE,
    ownNats: values.FLEET_NATS_ENABLED === 'true',
    certificateDays: values.FLEET_CERTIFICATE_DAYS,
    caDays: values.FLEET_CA_DAYS,
  });
};
