// The containment check, as a sentence. May: open TCP connections that must fail.
import { reachable } from '../containment.ts';
import type { StepContext } from '../step.ts';

/** Why this pod is not contained; `undefined` when nothing answered. */
export const refusedByContainment = async ({ config, say }: StepContext): Promise<string | undefined> => {
  const open = await reachable(config.forbidden);
  const names = config.forbidden.map(({ host, port }) => `${host}:${port}`).join(', ');
  if (open.length === 0) {
    say(`contained: nothing answers at ${names}`);
    return undefined;
  }
  return `a workspace pod can connect to ${open.map(({ host, port }) => `${host}:${port}`).join(', ')}: no NetworkPolicy is enforced here`;
};
