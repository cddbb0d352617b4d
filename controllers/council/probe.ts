// When an endpoint is asked, and which of its answers counts. Every (endpoint, model) is asked once in each interval, and more
// often while it does not serve as it should. Ids hold the interval, so that all Councils of one model share the question.

import {
  PROBE_INTERVAL_MS,
  PROBE_RETRY_MS,
  probeCommandId,
  probeRetryCommandId,
  standingProbeIds,
  type ProbeAnswer,
} from '../../crds/contracts/commands.ts';
import { epochMs, untilMs } from '../../crds/time.ts';
import type { CouncilSeen } from './seen.ts';

const isAnswered = ({ answers }: CouncilSeen, id: string): boolean => answers.some((answer) => answer.id === id);

/** The newest answer that still stands. */
export const standingAnswer = ({ council, answers }: CouncilSeen, now: number): ProbeAnswer | undefined => {
  const { endpoint, name } = council.spec.model;
  const ids = standingProbeIds(endpoint, name, now);
  return answers
    .filter(({ id }) => ids.includes(id))
    .sort((a, b) => (epochMs(b.at) ?? 0) - (epochMs(a.at) ?? 0) || ids.indexOf(a.id) - ids.indexOf(b.id))[0];
};

export interface NextProbe {
  /** undefined: the question of this interval was answered. */
  readonly id: string | undefined;
  readonly afterMs: number;
}

export const nextProbe = (seen: CouncilSeen, isServing: boolean, now: number): NextProbe => {
  const { endpoint, name } = seen.council.spec.model;
  const regular = probeCommandId(endpoint, name, now);
  const hasRegular = isAnswered(seen, regular);
  if (isServing || !hasRegular) {
    const nextMs = (Math.floor(now / PROBE_INTERVAL_MS) + 1) * PROBE_INTERVAL_MS;
    return { id: hasRegular ? undefined : regular, afterMs: untilMs(nextMs, now) };
  }
  const retry = probeRetryCommandId(endpoint, name, now);
  const nextMs = (Math.floor(now / PROBE_RETRY_MS) + 1) * PROBE_RETRY_MS;
  return { id: isAnswered(seen, retry) ? undefined : retry, afterMs: untilMs(nextMs, now) };
};
