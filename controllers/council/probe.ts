// When an endpoint is asked, and which of its answers counts. Every (endpoint, model) is asked once in each interval, and more
// often while it does not serve as it should. Ids hold the interval, so that all Councils of one model share the question.

import {
  PROBE_INTERVAL_MS,
  PROBE_RETRY_MS,
  probeCommandId,
  probeRetryCommandId,
  type ProbeAnswer,
} from '../../crds/contracts/commands.ts';
import { epochMs, untilMs } from '../time.ts';
import type { CouncilSeen } from './observe.ts';

/** An answer stands for its own interval and for the next, in which the new one is awaited. */
const STANDS_MS = 2 * PROBE_INTERVAL_MS;

const idsOf = ({ council }: CouncilSeen, now: number): readonly string[] => {
  const { endpoint, name } = council.spec.model;
  const retries = Array.from({ length: STANDS_MS / PROBE_RETRY_MS }, (_, back) =>
    probeRetryCommandId(endpoint, name, now - back * PROBE_RETRY_MS),
  );
  return [probeCommandId(endpoint, name, now), probeCommandId(endpoint, name, now - PROBE_INTERVAL_MS), ...retries];
};

/** The newest answer that still stands. */
export const standingAnswer = (seen: CouncilSeen, now: number): ProbeAnswer | undefined =>
  idsOf(seen, now)
    .flatMap((id) => seen.answer(id) ?? [])
    .sort((a, b) => (epochMs(b.at) ?? 0) - (epochMs(a.at) ?? 0))[0];

export interface NextProbe {
  /** undefined: the question of this interval was answered. */
  readonly id: string | undefined;
  readonly afterMs: number;
}

export const nextProbe = (seen: CouncilSeen, isServing: boolean, now: number): NextProbe => {
  const { endpoint, name } = seen.council.spec.model;
  const regular = probeCommandId(endpoint, name, now);
  const hasRegular = seen.answer(regular) !== undefined;
  if (isServing || !hasRegular) {
    const nextMs = (Math.floor(now / PROBE_INTERVAL_MS) + 1) * PROBE_INTERVAL_MS;
    return { id: hasRegular ? undefined : regular, afterMs: untilMs(nextMs, now) };
  }
  const retry = probeRetryCommandId(endpoint, name, now);
  const nextMs = (Math.floor(now / PROBE_RETRY_MS) + 1) * PROBE_RETRY_MS;
  return { id: seen.answer(retry) === undefined ? retry : undefined, afterMs: untilMs(nextMs, now) };
};
