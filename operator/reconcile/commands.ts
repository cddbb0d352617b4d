// Commands to the gateway: one message per subject, so the store itself refuses one that was sent, is in flight or was answered.
// What this process sent in this session is remembered, so that a decision that still waits for its answer does not ask again.

import { LRUCache } from 'lru-cache';
import { commandSubject, type GatewayCommand } from '../../crds/contracts/commands.ts';
import type { JetStreamLink } from '../../runtime/bus/link.ts';

export interface Commands {
  /** Sent by this process a moment ago: asking again would be refused. */
  isSent(commandId: string): boolean;
  /** Throws StoreUnavailable. A refusal by the store means that it is there already, which is as good as sent. */
  send(command: GatewayCommand): Promise<void>;
  /** The store came back, perhaps without its data: nothing is sure to be there. */
  forget(): void;
}

/** A command may be lost without a word, with a stream that was purged or its age; then it is asked again. */
const REMEMBER_MS = 300_000;
const MAX_REMEMBERED = 10_000;

export const makeCommands = (link: Pick<JetStreamLink, 'publish'>, nowMs: () => number): Commands => {
  const sentAtMs = new LRUCache<string, number>({ max: MAX_REMEMBERED });
  return {
    isSent: (commandId) => nowMs() - (sentAtMs.peek(commandId) ?? -Infinity) < REMEMBER_MS,
    send: async (command) => {
      await link.publish({ subject: commandSubject(command.id), data: JSON.stringify(command) });
      sentAtMs.set(command.id, nowMs());
    },
    forget: () => sentAtMs.clear(),
  };
};
