// What the install hook is told: by the chart, through its environment. Validated whole, reported whole.

import { z } from 'zod';

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

/** Throws one error that names every variable that is missing or wrong. */
export const readConfig = (env: Readonly<Record<string, string | undefined>> = process.env): InstallConfig => {
  const parsed = environment.safeParse(env);
  if (!parsed.success) throw new Error(`the environment is wrong:\n${z.prettifyError(parsed.error)}`);
  const seen = parsed.data;
  return Object.freeze({
    release: seen.FLEET_RELEASE,
    namespace: seen.FLEET_NAMESPACE,
    ownNats: seen.FLEET_NATS_ENABLED === 'true',
    certificateDays: seen.FLEET_CERTIFICATE_DAYS,
    caDays: seen.FLEET_CA_DAYS,
  });
};
