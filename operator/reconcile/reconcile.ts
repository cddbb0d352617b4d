// The one interpreter of all kinds: observe and decide without an await, then act. See docs/contracts.md, section 7.
//
//   snapshot ─► observe ─► decide ─► check and assume all writes ─► effects, one call each ─► status, at most one call ─► next
//   └──────────────── one synchronous turn ────────────────────┘

import type { Controller, Decision } from '../../controllers/contract.ts';
import type { Snapshot } from '../../controllers/snapshot.ts';
import { FIELD_MANAGER } from '../../crds/labels.ts';
import { keyOf, type KubeObject, type Stored } from '../../kube/object.ts';
import { actionOf, type Action, type ActPorts } from './effects.ts';
import { nextAfter, sortProblem, type Problem } from './problem.ts';
import type { Next } from '../../runtime/queue.ts';
import { isAssumed } from '../../crds/kinds/meta.ts';
import type { Assumed } from '../state/overlay.ts';
import type { Refusals } from '../state/refusals.ts';
import { flips, statusToWrite, type CommonStatus } from './status.ts';

/** A pass that wrote, or tried to. */
export interface PassRecord {
  readonly kind: string;
  readonly key: string;
  /** The rule that decided. */
  readonly rule?: string;
  readonly why: string;
  readonly outcome: string;
  /** What was done, in order; the last one failed if there is a problem. */
  readonly effects: readonly string[];
  readonly flips: readonly string[];
  readonly problem?: Problem;
}

export interface ReconcilePorts extends ActPorts {
  readonly snapshot: Snapshot;
  readonly refusals: Pick<Refusals, 'note' | 'made' | 'forget' | 'heldUntilMs' | 'untilMs'>;
  nowMs(): number;
  /** The key asked for an object and had no answer: it may be there, unseen, until the key has asked again. */
  onUnsure(workKey: string): void;
  /** A pass of the key came to its end. */
  onSure(workKey: string): void;
  /** Called once for each pass that wrote or failed. */
  onPass(record: PassRecord): void;
  /** Called for each pass. */
  onDecided(kind: string): void;
}

const STATUS = 'status';

type AnyController = Controller<unknown, unknown>;

interface Pass {
  readonly decision: Decision<unknown>;
  readonly actions: readonly Action[];
  readonly flips: readonly string[];
  /** One of its writes was refused a while ago and its date has not come: nothing is done. */
  readonly heldUntilMs?: number;
}

const outcomeText = ({ outcome }: Decision<unknown>): string => {
  if (outcome.kind === 'stalled') return `stalled (${outcome.reason})`;
  return outcome.kind === 'waiting' && outcome.afterMs !== undefined ? `waiting ${outcome.afterMs} ms` : outcome.kind;
};

/**
 * Assumed when it is sent, and not when it is decided: until the effects before it are done it is not true, and whoever reads it meanwhile
 * would tell people of a change that a refusal takes back.
 */
const statusAction = (subject: Stored, status: CommonStatus, ports: ReconcilePorts): Action => {
  const { apiVersion, kind, metadata } = subject;
  const { name, namespace, uid, resourceVersion } = metadata;
  const overlay = ports.overlayOf(kind);
  // On /status the API server ignores a uid but keeps to a resourceVersion: that pins the write to the very object and state that the
  // decision was made for, so a leader that slept cannot overwrite its successor's status.
  const pinned = { name, uid, resourceVersion, ...(namespace !== undefined && { namespace }) };
  const body = { apiVersion, kind, metadata: pinned, status };
  let assumed: Assumed<KubeObject> | undefined;
  return {
    label: STATUS,
    makes: false,
    perform: async () => {
      const isUnchanged = overlay.get(keyOf(metadata))?.metadata.resourceVersion === resourceVersion;
      if (isUnchanged) assumed = overlay.assume({ ...subject, status } as KubeObject);
      const options = { fieldManager: FIELD_MANAGER, force: true, subresource: 'status' } as const;
      const answer = await ports.api.apply<KubeObject>(ports.resourceOf(apiVersion, kind), body, options);
      assumed?.confirm(answer);
    },
    abandon: () => assumed?.fail(),
  };
};

const checkedActions = (subject: Stored, decision: Decision<unknown>, ports: ReconcilePorts): readonly Action[] => {
  const actions: Action[] = [];
  try {
    for (const effect of decision.effects) {
      const action = actionOf(subject, effect, ports);
      if (action !== undefined) actions.push(action);
    }
    return actions;
  } catch (error) {
    for (const action of actions) action.abandon();
    throw error;
  }
};

/** The synchronous half. undefined: the object is gone or going, there is nothing to decide. */
const passOf = (controller: AnyController, key: string, ports: ReconcilePorts): Pass | undefined => {
  const subject = ports.overlayOf(controller.kind).get(key);
  // what is being deleted is left alone: its children go with it, and new ones would only be in the way; what is only asked for has no
  // version to pin a write to, and the watch will tell when it is there
  if (subject === undefined || subject.metadata.deletionTimestamp !== undefined || isAssumed(subject)) return undefined;
  const seen = controller.observe(key, ports.snapshot);
  if (seen === undefined) return undefined;
  const nowMs = ports.nowMs();
  const decision = controller.decide(seen, nowMs);
  ports.onDecided(controller.kind);
  const old = (subject as { readonly status?: CommonStatus }).status;
  const status = statusToWrite(decision.status as CommonStatus | undefined, decision.outcome, {
    ...{ old, nowMs, generation: subject.metadata.generation },
    cursor: ports.snapshot.eventCursor(subject.metadata.uid),
  });
  const actions = checkedActions(subject, decision, ports);
  const labels = actions.map(({ label }) => label);
  const heldUntilMs = ports.refusals.heldUntilMs(`${controller.kind} ${key}`, labels, nowMs);
  if (heldUntilMs !== undefined) {
    for (const action of actions) action.abandon();
    return { decision, actions: [], flips: [], heldUntilMs };
  }
  if (status === undefined) return { decision, actions, flips: [] };
  return { decision, actions: [...actions, statusAction(subject, status, ports)], flips: flips(old, status) };
};

/** `onUnsure` is told before what was assumed is taken back. */
const perform = async (
  actions: readonly Action[],
  onUnsure: () => void,
): Promise<{ readonly done: readonly string[]; readonly problem?: Problem }> => {
  const done: string[] = [];
  for (const [index, action] of actions.entries())
    try {
      done.push(action.label);
      await action.perform();
    } catch (error) {
      const problem = sortProblem(error);
      if (problem.sort === 'transient' && action.makes) onUnsure();
      for (const rest of actions.slice(index)) rest.abandon();
      return { done, problem };
    }
  return { done };
};

/**
 * A refusal is told to people where they look: as the condition Stalled, which stays until a pass succeeds. Best effort: it must not
 * hide the refusal itself. Returns what it changed of the conditions.
 */
const tellRefusal = async (
  { kind, key }: { readonly kind: string; readonly key: string },
  { sort, error }: Problem,
  ports: ReconcilePorts,
): Promise<readonly string[]> => {
  const subject = ports.overlayOf(kind).get(key);
  if (subject === undefined || isAssumed(subject) || sort !== 'terminal' || !(error instanceof Error)) return [];
  const outcome = { kind: 'stalled', reason: 'WriteRefused', message: error.message } as const;
  const old = (subject as { readonly status?: CommonStatus }).status;
  const status = statusToWrite(undefined, outcome, {
    ...{ old, nowMs: ports.nowMs(), generation: subject.metadata.generation, cursor: undefined },
  });
  if (status === undefined) return [];
  const action = statusAction(subject, status, ports);
  try {
    await action.perform();
    return flips(old, status);
  } catch {
    action.abandon();
    return [];
  }
};

const nextOf = ({ outcome }: Decision<unknown>): Next =>
  outcome.kind !== 'done' && outcome.afterMs !== undefined ? { kind: 'after', delayMs: outcome.afterMs } : { kind: 'done' };

/** An effect that is refused is remembered with its date. A status is not: the next one may say something else. */
const refusedUntil = (workKey: string, label: string, { sort }: Problem, ports: ReconcilePorts): Next | undefined => {
  const nowMs = ports.nowMs();
  if (sort !== 'terminal' || label === STATUS) return undefined;
  return { kind: 'retry', minMs: ports.refusals.note(workKey, label, nowMs) - nowMs };
};

/** A pass that waits for something else meanwhile keeps the date: until then the Task is in no line for a place, and nobody would wake it. */
const orWhenTriedAgain = (next: Next, untilMs: number | undefined, nowMs: number): Next => {
  if (untilMs === undefined || next.kind === 'retry') return next;
  const delayMs = untilMs - nowMs;
  return { kind: 'after', delayMs: next.kind === 'after' ? Math.min(delayMs, next.delayMs) : delayMs };
};

/** One pass over one key of the controller's kind. Never throws: a problem is recorded and becomes a retry. */
export const reconcile = async (controller: AnyController, key: string, ports: ReconcilePorts): Promise<Next> => {
  const { kind } = controller;
  let pass: Pass | undefined;
  try {
    pass = passOf(controller, key, ports);
  } catch (error) {
    const problem = sortProblem(error);
    const told = await tellRefusal({ kind, key }, problem, ports);
    ports.onPass({ kind, key, why: '', outcome: 'thrown', effects: [], flips: told, problem });
    return nextAfter(problem);
  }
  const workKey = `${kind} ${key}`;
  if (pass === undefined) {
    ports.refusals.forget(workKey);
    ports.onSure(workKey);
    return { kind: 'done' };
  }
  const { decision, actions, heldUntilMs } = pass;
  if (heldUntilMs !== undefined) return { kind: 'after', delayMs: heldUntilMs - ports.nowMs() };
  const { done, problem } = await perform(actions, () => ports.onUnsure(workKey));
  const { rule, why } = decision;
  const record = { kind, key, ...(rule !== undefined && { rule }), why, effects: done };
  if (problem === undefined) {
    ports.onSure(workKey);
    ports.refusals.made(workKey, done);
    if (done.length > 0) ports.onPass({ ...record, flips: pass.flips, outcome: outcomeText(decision) });
    return orWhenTriedAgain(nextOf(decision), ports.refusals.untilMs(workKey, ports.nowMs()), ports.nowMs());
  }
  if (problem.sort !== 'transient') ports.onSure(workKey);
  const next = refusedUntil(workKey, done.at(-1) ?? STATUS, problem, ports) ?? nextAfter(problem);
  // the status comes last, so that it was not written
  const told = await tellRefusal({ kind, key }, problem, ports);
  ports.onPass({ ...record, flips: told, outcome: 'thrown', problem });
  return next;
};
