// The environment of every step: written by the Job builder, read by the runner. One schema, so that neither can drift from the other.
import { z } from 'zod';
import { JOB_KINDS } from './steps.ts';

const port = z.coerce.number().int().min(1).max(65_535);

export const stepEnvironment = z.object({
  FLEET_KIND: z.enum(JOB_KINDS),
  FLEET_OWNER_UID: z.string().min(1).max(64),
  FLEET_ATTEMPT: z.coerce.number().int().min(1),
  FLEET_GATEWAY_URL: z.url({ protocol: /^https$/ }),
  /** PEM. */
  FLEET_GATEWAY_CA: z.string().includes('-----BEGIN CERTIFICATE-----'),
  /** The gateway's ClusterIP, on which the canary port must be out of reach. */
  FLEET_GATEWAY_ADDRESS: z.string().min(1),
  FLEET_CANARY_PORT: port,
  FLEET_DEADLINE_SECONDS: z.coerce.number().int().min(1),
});
/** As the Job builder writes it: every variable, as text. */
export type StepVariables = Readonly<Record<keyof z.infer<typeof stepEnvironment>, string>>;

/** What the kubelet adds about the API server, which a contained pod must not reach. */
export const kubeletEnvironment = z.object({
  KUBERNETES_SERVICE_HOST: z.string().min(1).optional(),
  KUBERNETES_SERVICE_PORT: port.optional(),
});
