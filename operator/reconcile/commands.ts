// Commands to the gateway: one message per subject, so the store itself refuses one that was sent, is in flight or was answered.
// What this process sent in this session is remembered, so that a decision that still waits for its answer does not ask again before
// the answer is overdue. Asking again does no harm: of two answers the store keeps the first.

import { LRUCache } from 'lru-cache';
import type { Command } from '../../controllers/contract.ts';
import { ANSWER_WITHIN_MS, commandSubject, STREAMS } from '../../crds/contracts/commands.ts';
import { turnCommandSubject } from '../../crds/contracts/turns.ts';
import type { JetStreamLink } from '../../runtime/bus/link.ts';

export interface Commands {
  /** Sent by this process a moment ago: asking again would be refused. */
  isSent(command: Command): boolean;
  /** Throws StoreUnavailable. A refusal by the store means that it is there already, which is as good as sent. */
  send(command: Command): Promise<void>;
  /** The store came back, perhaps without its data: nothing is sure to be there. */
  forget(): void;
}

/** A turn that the store has still is refused, and stays where it is: a worker may be at it. */
const TURN_AGAIN_MS = 30_000;
const MAX_REMEMBERED = 10_000;

export const makeCommands = (link: Pick<JetStreamLink, 'publish' | 'purge'>, nowMs: () => number): Commands => {
  const sentAtMs = new LRUCache<string, number>({ max: MAX_REMEMBERED });
  return {
    isSent: ({ kind, id }) => nowMs() - (sentAtMs.peek(id) ?? -Infinity) < (kind === 'turn' ? TURN_AGAIN_MS : ANSWER_WITHIN_MS),
    send: async (command) => {
      const subject = command.kind === 'turn' ? turnCommandSubject(command) : commandSubject(command.id);
      // asked before and never answered: if the store has it still, it was taken and its answer is lost
      if (command.kind !== 'turn' && sentAtMs.has(command.id)) await link.purge(STREAMS.commands.name, subject);
      await link.publish({ subject, data: JSON.stringify(command) });
      sentAtMs.set(command.id, nowMs());
    },
    forget: () => sentAtMs.clear(),
  };
};
