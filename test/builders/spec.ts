// A decision in the words of a table: every write it asks for, in order, and how the pass ends. Silence is an empty list of writes.

import type { Decision, Effect } from '../../controllers/contract.ts';

const effectText = (effect: Effect): string => {
  switch (effect.verb) {
    case 'create':
    case 'apply':
      return `${effect.verb} ${effect.object.kind} ${effect.object.metadata.name}`;
    case 'delete':
      return `delete ${effect.ref.kind} ${effect.ref.name} (${effect.uid})`;
    case 'command':
      return `command ${effect.command.id}`;
  }
};

interface CommonStatus {
  readonly phase?: string;
  readonly waitingFor?: string;
  readonly conditions?: readonly { readonly type: string; readonly status: string; readonly reason: string }[];
  readonly outbox?: readonly { readonly seq: number; readonly type: string }[];
}

const statusText = ({ phase, conditions = [] }: CommonStatus): string =>
  [`status ${phase ?? ''}`.trim(), ...conditions.map(({ type, status, reason }) => `${type}=${status}/${reason}`)].join(' ');

const outcomeText = ({ outcome }: Decision<unknown>): string => {
  const date = outcome.kind !== 'done' && outcome.afterMs !== undefined ? `waits ${outcome.afterMs / 1000} s` : undefined;
  if (outcome.kind === 'stalled') return [`stalled: ${outcome.reason}`, ...(date === undefined ? [] : [date])].join(', ');
  return date ?? outcome.kind;
};

export interface Spec {
  /** Each effect, then the status if it is written at all. */
  readonly writes: readonly string[];
  readonly outcome: string;
  /** Subjects of the events that the status adds. */
  readonly events?: readonly string[];
}

/** `seqBefore` is the number of the last event before the decision. */
export const spec = (decision: Decision<unknown>, seqBefore = 0): Spec => {
  const status = decision.status as CommonStatus | undefined;
  const events = (status?.outbox ?? []).filter(({ seq }) => seq > seqBefore).map(({ type }) => type);
  return {
    writes: [...decision.effects.map(effectText), ...(status === undefined ? [] : [statusText(status)])],
    outcome: outcomeText(decision),
    ...(events.length > 0 && { events }),
  };
};
