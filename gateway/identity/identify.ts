// Identity of a request: the token's review, then its standing in the caches, as a caller or a refusal.

import { Refusal } from '../http/refusal.ts';
import type { ClusterView } from '../cluster/cluster-view.ts';
import type { Caller } from './caller.ts';
import { AUDIENCES } from './rights.ts';
import { standingOf } from './standing.ts';
import { looksLikeOurs, type Reviewed, type TokenReviewer } from './token-review.ts';

const unknownToken = (): Refusal => new Refusal(401, 'TokenUnknown', 'the token is not known, or for another audience');

export const identifyWith =
  (reviewer: TokenReviewer, view: ClusterView) =>
  /** Throws Refusal: 401 unknown token, 403 no standing, 503 `NotListedYet` or the API server is away. */
  async (token: string): Promise<Caller> => {
    if (!looksLikeOurs(token, AUDIENCES)) throw unknownToken();
    const reviewed = await review(reviewer, token);
    if (reviewed === undefined || reviewed.audiences.length === 0) throw unknownToken();
    const standing = standingOf(reviewed, view);
    const detail = `${reviewed.username} pod ${reviewed.podName ?? '-'} ${reviewed.podUid ?? '-'} for ${reviewed.audiences.join(' ')}`;
    switch (standing.kind) {
      case 'caller':
        return standing.caller;
      case 'later':
        throw new Refusal(503, 'NotListedYet', standing.message, { retryAfterSeconds: 1, detail });
      case 'refused':
        throw new Refusal(403, standing.code, standing.message, { detail });
    }
  };

const review = async (reviewer: TokenReviewer, token: string): Promise<Reviewed | undefined> => {
  try {
    return await reviewer.review(token, AUDIENCES);
  } catch (cause) {
    throw new Refusal(503, 'IdentityUnavailable', 'the API server could not be asked about the token', {
      cause,
      retryAfterSeconds: 1,
    });
  }
};
