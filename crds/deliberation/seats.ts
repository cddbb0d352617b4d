// Who takes part in a Deliberation, in the order of the pinned roster. A seat is a place in that list.
import type { DeliberationStatus } from '../kinds/deliberation.ts';

export type Pinned = NonNullable<DeliberationStatus['pinned']>;
export type SeatPart = Pinned['seats'][number]['part'];

const seatsOf = ({ seats }: Pinned, part: SeatPart): readonly number[] =>
  seats.flatMap((seat, index) => (seat.part === part ? [index] : []));

export const proposers = (pinned: Pinned): readonly number[] => seatsOf(pinned, 'Proposer');
export const reviewers = (pinned: Pinned): readonly number[] => seatsOf(pinned, 'Reviewer');
export const architect = (pinned: Pinned): number | undefined => seatsOf(pinned, 'Architect')[0];

export const agentAt = ({ seats }: Pinned, seat: number): string => seats[seat]?.agent ?? '';
export const seatOfAgent = ({ seats }: Pinned, agent: string): number => seats.findIndex((seat) => seat.agent === agent);

/**
 * Who criticises the proposal of that seat: the proposer before it in the ring, and every reviewer. One proposer alone has no critic among its
 * own: nobody criticises himself.
 */
export const criticsOf = (pinned: Pinned, seat: number): readonly number[] => {
  const ring = proposers(pinned);
  const at = ring.indexOf(seat);
  const before = ring.length > 1 ? ring.at(at - 1) : undefined;
  return [...(before === undefined ? [] : [before]), ...reviewers(pinned)];
};

/** Everybody who judges: the proposers (not their own) and the reviewers. */
export const scorers = (pinned: Pinned): readonly number[] => [...proposers(pinned), ...reviewers(pinned)];
