// What a turn may be asked for and by whom it is paid: all of it from what its Deliberation pinned. Pure.

import { namespaceAccount, storyAccount } from '../../crds/contracts/commands.ts';
import type { PlatformConfig, Upstream } from '../../crds/contracts/platform.ts';
import { turnNumber, turnPlaceOf, type TurnPlace } from '../../crds/contracts/turns.ts';
import { everyTurn } from '../../crds/deliberation/protocol.ts';
import type { Pinned } from '../../crds/deliberation/seats.ts';
import type { Deliberation } from '../../crds/kinds/deliberation.ts';
import type { Story } from '../../crds/kinds/story.ts';
import { foundRow, modelUpstream, offersModel } from '../../crds/rules/platform-rows.ts';
import { Refusal } from '../http/refusal.ts';
import type { Payer } from '../model/model-proxy.ts';

export interface Turn {
  readonly id: string;
  readonly place: TurnPlace;
  readonly deliberation: Deliberation;
  readonly pinned: Pinned;
  readonly seat: Pinned['seats'][number];
}

export const hasBegun = ({ status }: Deliberation): boolean => status?.pinned !== undefined;

/** Of a living Deliberation. Throws Refusal 404 `TurnUnknown`, 409 `DeliberationEnded`, 503 `NotListedYet`. */
export const turnOf = (id: string, found: Deliberation | undefined): Turn => {
  const n = Number(id.slice(id.indexOf('.') + 1));
  const place = turnPlaceOf(n);
  if (found === undefined || place === undefined) throw new Refusal(404, 'TurnUnknown', 'no Deliberation has such a turn');
  const { pinned, finishedAt } = found.status ?? {};
  if (finishedAt !== undefined || found.spec.cancel || found.metadata.deletionTimestamp !== undefined)
    throw new Refusal(409, 'DeliberationEnded', 'the Deliberation has ended: nobody waits for this turn');
  if (pinned === undefined)
    throw new Refusal(503, 'NotListedYet', 'the Deliberation has not begun, as far as is seen here', { retryAfterSeconds: 1 });
  const seat = pinned.seats[place.seat];
  if (seat === undefined || !everyTurn(pinned).some((each) => turnNumber(each) === n))
    throw new Refusal(404, 'TurnUnknown', 'the Deliberation has no such turn');
  return { id, place, deliberation: found, pinned, seat };
};

/** The endpoint that was pinned, as the platform lets the namespace use it today. */
export const upstreamOf = ({ deliberation, seat }: Turn, { upstreams }: PlatformConfig): Upstream => {
  const upstream = foundRow(modelUpstream(seat.endpoint, deliberation.metadata.namespace, upstreams));
  if (upstream === undefined)
    throw new Refusal(403, 'EndpointNotListed', 'the platform serves no such model endpoint to this namespace');
  if (!offersModel(upstream, seat.model))
    throw new Refusal(403, 'ModelNotAllowed', 'the platform does not offer this model on the endpoint');
  return upstream;
};

/** The Story that it was made for, else the namespace's day. */
export const payerOf = (
  { deliberation, pinned }: Turn,
  story: Story | undefined,
  { deliberation: limits }: PlatformConfig,
  day: string,
): Payer => {
  if (pinned.payer === 'Namespace')
    return {
      account: namespaceAccount(deliberation.metadata.namespace, day),
      limit: limits.namespaceTokensPerDay,
      spentBefore: 0,
    };
  if (story === undefined)
    throw new Refusal(503, 'NotListedYet', 'the Story that pays has not been seen yet', { retryAfterSeconds: 1 });
  return {
    account: storyAccount(story.metadata.uid),
    limit: story.spec.budget.tokens ?? Number.MAX_SAFE_INTEGER,
    spentBefore: story.status?.usage?.tokens ?? 0,
  };
};
