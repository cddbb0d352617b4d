// What a Deliberation may cost in tokens, before its first turn: an estimate that errs upwards, by the same measure as the gateway's reservations.
import { architect, criticsOf, proposers, scorers, type Pinned } from './seats.ts';

/** Bytes of text that make one token at the least (the gateway reserves by the same number). */
export const BYTES_PER_TOKEN = 3;
/** Rules, schema and persona of one prompt. */
const FIXED_TOKENS = 1_500;

/**
 * Tokens of all turns if each answer is as long as it may be. `sharedBytes`: of what all agents are told. A turn reads what is shared and the
 * texts that it is about, and writes one answer:
 *   proposals n (s + m) + rounds (critiques n c (s + 2m) + revisions n (s + (2 + c) m)) + scores k (s + n m) + selection (s + topK m)
 */
export const estimatedTokens = (pinned: Pinned, sharedBytes: number): number => {
  const shared = Math.ceil(sharedBytes / BYTES_PER_TOKEN) + FIXED_TOKENS;
  const answer = Math.max(...pinned.seats.map(({ maxTokens }) => maxTokens));
  const writers = proposers(pinned);
  const judges = writers.length === 1 ? scorers(pinned).length - 1 : scorers(pinned).length;
  const critiques = writers.reduce((sum, seat) => sum + criticsOf(pinned, seat).length, 0);
  const revisions = writers.filter((seat) => criticsOf(pinned, seat).length > 0).length;
  const perRound = critiques * (shared + 2 * answer) + revisions * (shared + 2 * answer) + critiques * answer;
  const choice = architect(pinned) === undefined ? 0 : shared + (pinned.topK + 1) * answer;
  return writers.length * (shared + answer) + pinned.rounds * perRound + judges * (shared + writers.length * answer) + choice;
};
