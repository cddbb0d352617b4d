// Which of the turns that wait for a slot of an endpoint is next: high before normal before low, and yet each comes in its time.
// May: compute. May not: know messages, time or chance.

import type { TurnPriority } from '../crds/contracts/turns.ts';

/** nothing: none waits; coming: the store has more, the next is on its way; waiting: one is in hand. */
export type Place = 'nothing' | 'coming' | 'waiting';
export type Places = Readonly<Record<TurnPriority, Place>>;

const RANK = ['high', 'normal', 'low'] as const satisfies readonly TurnPriority[];
/** Of so many picks in a row one goes to the lowest that waits and one to normal, if any waits there. */
const ROUND = 8;
const NORMAL_FIRST = 3;
const LOWEST_FIRST = ROUND - 1;

const orderOf = (picks: number): readonly TurnPriority[] => {
  switch (picks % ROUND) {
    case NORMAL_FIRST:
      return ['normal', 'high', 'low'];
    case LOWEST_FIRST:
      return ['low', 'normal', 'high'];
    default:
      return RANK;
  }
};

/** After so many picks; undefined: nothing waits, or what is to be next is still on its way. */
export const nextPick = (places: Places, picks: number): TurnPriority | undefined => {
  const next = orderOf(picks).find((priority) => places[priority] !== 'nothing');
  return next !== undefined && places[next] === 'waiting' ? next : undefined;
};
