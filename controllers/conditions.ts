// The conditions that each kind may have, and how wanted conditions become a status list.
// May: build lists. May not: set `Stalled`; that one belongs to the shell, which derives it from the outcome.

import { MESSAGE_LENGTH, type Condition } from '../crds/kinds/meta.ts';
import { clipped } from './text.ts';
import { timestamp } from '../crds/time.ts';

/** What a condition says when True; the one place where a new one is declared. */
export const declaredConditions = {
  Story: {
    Ready: 'the text passes the readiness score of its rigor',
    ScopeApproved: 'the scope gate is open for the text as it is',
    BaseResolved: 'the base commit is pinned',
    PlanApproved: 'a plan is in force',
    EventsBehind: 'the outbox is full: the next transition waits for the publisher',
    StoreUnavailable: 'JetStream is down: no command is sent, nothing new starts',
    Succeeded: 'the Story is done (False: failed or cancelled)',
  },
  Plan: {
    Parsed: 'the tasks are in status and stay as they are',
    Approved: 'the design gate is open for the digest in status',
    EventsBehind: 'the outbox is full: the next transition waits for the publisher',
  },
  Task: {
    Verified: 'the Task is what the approved plan says, by digest',
    WorkspaceMissing: 'a Job that status lists is not seen: it was lost, or another cache is behind',
    ReceiptMissing: 'a workspace says that it ended well, and the gateway has no receipt that says the same',
    Deliberated: 'a council deliberated before work began',
    StoreUnavailable: 'JetStream is down: no attempt starts',
    EventsBehind: 'the outbox is full: the next transition waits for the publisher',
    Succeeded: 'the commit is on the story branch (False: failed or cancelled)',
  },
  Council: {
    Ready: 'the endpoint answers with that model, calls tools and gives structured output',
    EventsBehind: 'the outbox is full: the next transition waits for the publisher',
  },
  Deliberation: {
    StoreUnavailable: 'JetStream is down: no turn is sent',
    SelectedByScore: 'the scores decided, where an architect should have',
    EventsBehind: 'the outbox is full: the next transition waits for the publisher',
    Succeeded: 'there is a winner (False: it failed, took too long or was cancelled)',
  },
} as const;

type Declared = typeof declaredConditions;
export type DeclaringKind = keyof Declared;

/** A condition as a rule asks for it: without times, which `mergeConditions` keeps or sets. */
export interface WantedCondition<Type extends string = string> {
  readonly type: Type;
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason: string;
  readonly message: string;
}

/** One that is declared for the kind: another does not compile. */
export type ConditionOf<K extends DeclaringKind> = WantedCondition<keyof Declared[K] & string>;

/**
 * The whole list that the status should hold, sorted by type. `lastTransitionTime` moves only when a status flips; what is not
 * wanted any more leaves the list. `now` is epoch milliseconds, `generation` that of the spec the decision was made for.
 */
export const mergeConditions = (
  old: readonly Condition[] | undefined,
  want: readonly WantedCondition[],
  now: number,
  generation: number | undefined,
): Condition[] =>
  [...want]
    .sort((a, b) => (a.type < b.type ? -1 : 1))
    .map(({ type, status, reason, message }) => {
      const before = old?.find((condition) => condition.type === type);
      return {
        type,
        status,
        reason,
        message: clipped(message, MESSAGE_LENGTH),
        lastTransitionTime: before?.status === status ? before.lastTransitionTime : timestamp(now),
        ...(generation === undefined ? {} : { observedGeneration: generation }),
      };
    });

export const conditionOf = (conditions: readonly Condition[] | undefined, type: string): Condition | undefined =>
  conditions?.find((condition) => condition.type === type);
