// How many calls may run at one time, and whose bound that is.

import { endpointAccount } from '../../crds/contracts/commands.ts';
import type { Upstream } from '../../crds/contracts/platform.ts';
import type { Council } from '../../crds/kinds/council.ts';
import type { SlotAccount } from './model-proxy.ts';

/** The Council's own bound first, so that a Council at its bound does not hold slots of the endpoint while it waits. */
export const slotAccounts = (upstream: Upstream, council: Council | undefined): readonly SlotAccount[] => {
  const { name, concurrency } = upstream;
  const own = council?.spec.model.concurrency;
  return [
    ...(own === undefined ? [] : [{ account: endpointAccount(name, council?.metadata.uid), slots: own }]),
    ...(concurrency === undefined ? [] : [{ account: endpointAccount(name), slots: concurrency }]),
  ];
};
