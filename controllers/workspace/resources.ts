// What the containers of a workspace reserve and what they may use: never without a bound, whatever a Council wishes.
// May: choose among the platform's numbers and the Council's. May not: leave one out, or let a Council go beyond the platform's maxima.

import type { PlatformConfig } from '../../crds/contracts/platform.ts';
import type { Council } from '../../crds/kinds/council.ts';
import { amountOf, greater, isMore, lesser } from '../../crds/quantity.ts';

const AMOUNTS = ['cpu', 'memory', 'ephemeral-storage'] as const;
type Amount = (typeof AMOUNTS)[number];
type Amounts = Readonly<Record<Amount, string>>;

export interface Resources {
  readonly requests: Readonly<Record<string, string>>;
  readonly limits: Readonly<Record<string, string>>;
}

const GPU = 'nvidia.com/gpu';
const fieldOf = { cpu: 'cpu', memory: 'memory', 'ephemeral-storage': 'ephemeralStorage' } as const;

export const gpuCount = (council: Council | undefined): number => council?.spec.workspace.gpu?.count ?? 0;

const wish = (council: Council | undefined, list: 'requests' | 'limits', amount: Amount): string | undefined =>
  council?.spec.workspace.resources[list]?.[fieldOf[amount]];

const each = (choose: (amount: Amount) => string): Amounts =>
  Object.fromEntries(AMOUNTS.map((amount) => [amount, choose(amount)])) as Record<Amount, string>;

/** A limit of zero is none to Kubernetes. */
const isBound = (limit: string | undefined): limit is string => limit !== undefined && amountOf(limit) > 0;

/** Of the steps that run in the toolchain image. A Council that wants more than it may is not ready; what it has left runs within the maxima. */
export const toolchainResources = (council: Council | undefined, { workspace }: Pick<PlatformConfig, 'workspace'>): Resources => {
  const { requests, limits, maxima } = workspace.toolchain;
  const bounds = each((amount) => {
    const limit = wish(council, 'limits', amount);
    const most = isBound(limit) ? limit : greater(limits[amount], wish(council, 'requests', amount) ?? '0');
    return lesser(most, maxima[amount]);
  });
  const gpus = gpuCount(council);
  return {
    requests: each((amount) => lesser(wish(council, 'requests', amount) ?? requests[amount], bounds[amount])),
    limits: { ...bounds, ...(gpus === 0 ? {} : { [GPU]: String(gpus) }) },
  };
};

/** What the Council wants and may not have, as a sentence with the next step. */
export const excess = (council: Council, { workspace }: Pick<PlatformConfig, 'workspace'>): string | undefined => {
  const { maxima } = workspace.toolchain;
  for (const amount of AMOUNTS) {
    const limit = wish(council, 'limits', amount);
    const path = `spec.workspace.resources.limits.${fieldOf[amount]}`;
    if (limit !== undefined && !isBound(limit))
      return `${path} is ${limit}, which is no limit: set one up to ${maxima[amount]}, or none`;
    for (const list of ['limits', 'requests'] as const) {
      const wanted = wish(council, list, amount);
      if (wanted !== undefined && isMore(wanted, maxima[amount]))
        return `spec.workspace.resources.${list}.${fieldOf[amount]} is ${wanted}: the platform allows ${maxima[amount]} at most`;
    }
  }
  return undefined;
};
