// The contract of every controller: two pure, synchronous functions and the data between them.
// May: describe decisions and effects. May not: perform any of them; the one interpreter is the operator's shell.
//
//   observe(key, snapshot) -> Seen | undefined     reads caches only; undefined: the object is gone, there is nothing to decide
//   decide(seen, now)      -> Decision             what to do, what the status says, and why in one sentence

import type { GatewayCommand } from '../crds/contracts/commands.ts';
import type { TurnCommand } from '../crds/contracts/turns.ts';
import type { Kind } from '../crds/kinds/registry.ts';
import type { ObjectMeta } from '../crds/kinds/meta.ts';
import type { Snapshot } from './snapshot.ts';

/** The least that an object has which an effect creates or applies. */
export interface KubeObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: ObjectMeta;
}

/** Names one object of the API. */
export interface ObjectRef {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

/**
 * How a pass ended. `done`: nothing is left to do until something changes. `waiting`: a watch (or, with `afterMs`, a date that no
 * watch announces) will wake this key. `stalled`: a person has to change something; there is no retry, and with `afterMs` there is a date at
 * which it is over whatever the person does.
 */
export type Outcome =
  | { readonly kind: 'done' }
  | { readonly kind: 'waiting'; readonly afterMs?: number }
  | { readonly kind: 'stalled'; readonly reason: string; readonly message: string; readonly afterMs?: number };

/** To the gateway, or to the agent pool. */
export type Command = GatewayCommand | TurnCommand;

/** Everything that a decision can ask for, besides its one status write. A new verb is a new power: it does not compile until it is handled. */
export type Effect =
  /** Asked for only when none of that name was seen; a 409 for an object of our own is as good as a success. */
  | { readonly verb: 'create'; readonly object: KubeObject }
  /** Server-side apply of the whole object, by force. */
  | { readonly verb: 'apply'; readonly object: KubeObject }
  /** With `uid` as a precondition; the shell refuses unless the object's controller is the deciding object. */
  | { readonly verb: 'delete'; readonly ref: ObjectRef; readonly uid: string }
  | { readonly verb: 'command'; readonly command: Command };

/** `status` undefined leaves the status as it is; otherwise it is the whole status that the controller wants. */
export interface Decision<Status> {
  readonly outcome: Outcome;
  readonly status: Status | undefined;
  readonly effects: readonly Effect[];
  readonly why: string;
  /** The sentence of the rule that decided, for the log. */
  readonly rule?: string;
}

/**
 * `now` is epoch milliseconds. An object that is being deleted is never decided: the shell leaves it alone, its children go with it, and
 * no rule has to ask for that. Neither function throws for an object that passed its schema; what is thrown is a bug.
 */
export interface Controller<Seen, Status> {
  readonly kind: Kind;
  observe(key: string, snapshot: Snapshot): Seen | undefined;
  decide(seen: Seen, now: number): Decision<Status>;
}
