// When a turn is given up, and the command that asks for one.
import { turnIdOf, turnNumber, turnTimeoutMs, type TurnCommand, type TurnPriority } from '../contracts/turns.ts';
import type { OpenTurn } from './protocol.ts';
import type { Pinned } from './seats.ts';

/** What turns are measured by. */
export interface Run {
  readonly pinned: Pinned;
  readonly namespace: string;
  readonly uid: string;
  readonly priority: TurnPriority;
  /** When it was last resumed (epoch milliseconds): nobody was asked while it was suspended. */
  readonly resumedMs: number | undefined;
}

/** From then on the turn counts as timed out: a third of the whole after it could be asked for, or after the run was resumed. */
export const turnEndMs = ({ pinned, resumedMs = 0 }: Run, { readyMs }: OpenTurn): number =>
  Math.max(readyMs, resumedMs) + turnTimeoutMs(pinned.timeoutSeconds);

export const commandOf = (run: Run, turn: OpenTurn): TurnCommand => {
  const { pinned, namespace, uid, priority } = run;
  const n = turnNumber(turn.place);
  return {
    ...{ kind: 'turn', id: turnIdOf(uid, n), namespace, deliberationUid: uid, rootUid: pinned.rootUid, priority, n },
    endpoint: pinned.seats[turn.place.seat]?.endpoint ?? '',
    inputs: turn.inputs,
    deadlineMs: turnEndMs(run, turn),
  };
};

/** Stories of a priority above 0 come first, those below last. */
export const turnPriority = (storyPriority: number): TurnPriority =>
  storyPriority > 0 ? 'high' : storyPriority < 0 ? 'low' : 'normal';
