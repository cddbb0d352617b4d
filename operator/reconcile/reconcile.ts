// The one interpreter of all kinds: observe and decide without an await, then act. See docs/contracts.md, section 7.
//
//   snapshot ─► observe ─► decide ─► check and assume all writes ─► effects, one call each ─► status, at most one call ─► next
//   └──────────────── one synchronous turn ────────────────────┘

import type { Controller, Decision } from '../../controllers/contract.ts';
import type { Snapshot } from '../../controllers/snapshot.ts';
import { FIELD_MANAGER } from '../../crds/labels.ts';
import type { KubeObject, Stored } from '../../kube/object.ts';
import { eventStep, stepOf, type ActPorts, type Step } from './effects.ts';
import { nextAfter, sortProblem, type Problem } from './problem.ts';
import type { Next } from '../../runtime/queue.ts';
import { flips, statusToWrite, type CommonStatus } from './status.ts';

/** A pass that wrote, or tried to. */
export interface PassRecord {
  readonly kind: string;
  readonly key: string;
  readonly why: string;
  readonly outcome: string;
  /** What was done, in order; the last one failed if there is a problem. */
  readonly effects: readonly string[];
  readonly flips: readonly string[];
  readonly problem?: Problem;
}

export interface ReconcilePorts extends ActPorts {
  readonly snapshot: Snapshot;
  /** Called once for each pass that wrote or failed. */
  onPass(record: PassRecord): void;
  /** Called for each pass. */
  onDecided(kind: string): void;
}

type AnyController = Controller<unknown, unknown>;

interface Plan {
  readonly decision: Decision<unknown>;
  readonly steps: readonly Step[];
  readonly flips: readonly string[];
}

const outcomeText = ({ outcome }: Decision<unknown>): string => {
  if (outcome.kind === 'stalled') return `stalled (${outcome.reason})`;
  return outcome.kind === 'waiting' && outcome.afterMs !== undefined ? `waiting ${outcome.afterMs} ms` : outcome.kind;
};

const statusStep = (subject: Stored, status: CommonStatus, ports: ReconcilePorts): Step => {
  const { apiVersion, kind, metadata } = subject;
  const { name, namespace, uid, resourceVersion } = metadata;
  const assumed = ports.overlayOf(kind).assume({ ...subject, status } as KubeObject);
  // On /status the API server ignores a uid but keeps to a resourceVersion: that pins the write to the very object and state that the
  // decision was made for, so a leader that slept cannot overwrite its successor's status.
  const pinned = { name, uid, resourceVersion, ...(namespace !== undefined && { namespace }) };
  const body = { apiVersion, kind, metadata: pinned, status };
  return {
    label: 'status',
    perform: async () => {
      const options = { fieldManager: FIELD_MANAGER, force: true, subresource: 'status' } as const;
      assumed.confirm(await ports.api.apply<KubeObject>(ports.resourceOf(apiVersion, kind), body, options));
    },
    abandon: () => assumed.fail(),
  };
};

const plannedSteps = (subject: Stored, decision: Decision<unknown>, ports: ReconcilePorts): readonly Step[] => {
  const steps: Step[] = [];
  try {
    for (const effect of decision.effects) {
      const step = stepOf(subject, effect, ports);
      if (step !== undefined) steps.push(step);
    }
    return steps;
  } catch (error) {
    for (const step of steps) step.abandon();
    throw error;
  }
};

/** The synchronous half. undefined: the object is gone or going, there is nothing to decide. */
const planOf = (controller: AnyController, key: string, ports: ReconcilePorts): Plan | undefined => {
  const subject = ports.overlayOf(controller.kind).get(key);
  // what is being deleted is left alone: its children go with it, and new ones would only be in the way
  if (subject === undefined || subject.metadata.deletionTimestamp !== undefined) return undefined;
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
  const steps = plannedSteps(subject, decision, ports);
  if (status === undefined) return { decision, steps, flips: [] };
  return { decision, steps: [...steps, statusStep(subject, status, ports)], flips: flips(old, status) };
};

const perform = async (steps: readonly Step[]): Promise<{ readonly done: readonly string[]; readonly problem?: Problem }> => {
  const done: string[] = [];
  for (const [index, step] of steps.entries())
    try {
      done.push(step.label);
      await step.perform();
    } catch (error) {
      for (const rest of steps.slice(index)) rest.abandon();
      return { done, problem: sortProblem(error) };
    }
  return { done };
};

/**
 * A refusal is told to people where they look: as an event, and as the condition Stalled, which stays until a pass succeeds. Best
 * effort: it must not hide the refusal itself. Returns what it changed of the conditions.
 */
const tellRefusal = async (
  { kind, key }: { readonly kind: string; readonly key: string },
  { sort, error }: Problem,
  ports: ReconcilePorts,
): Promise<readonly string[]> => {
  const subject = ports.overlayOf(kind).get(key);
  if (subject === undefined || sort !== 'terminal' || !(error instanceof Error)) return [];
  const { message } = error;
  await eventStep(subject, { verb: 'event', type: 'Warning', reason: 'WriteRefused', message }, ports)
    .perform()
    .catch(() => undefined);
  const outcome = { kind: 'stalled', reason: 'WriteRefused', message } as const;
  const old = (subject as { readonly status?: CommonStatus }).status;
  const status = statusToWrite(undefined, outcome, {
    ...{ old, nowMs: ports.nowMs(), generation: subject.metadata.generation, cursor: undefined },
  });
  if (status === undefined) return [];
  const step = statusStep(subject, status, ports);
  try {
    await step.perform();
    return flips(old, status);
  } catch {
    step.abandon();
    return [];
  }
};

const nextOf = ({ outcome }: Decision<unknown>): Next =>
  outcome.kind === 'waiting' && outcome.afterMs !== undefined ? { kind: 'after', delayMs: outcome.afterMs } : { kind: 'settled' };

/** One pass over one key of the controller's kind. Never throws: a problem is recorded and becomes a retry. */
export const reconcile = async (controller: AnyController, key: string, ports: ReconcilePorts): Promise<Next> => {
  const { kind } = controller;
  let plan: Plan | undefined;
  try {
    plan = planOf(controller, key, ports);
  } catch (error) {
    const problem = sortProblem(error);
    const told = await tellRefusal({ kind, key }, problem, ports);
    ports.onPass({ kind, key, why: '', outcome: 'thrown', effects: [], flips: told, problem });
    return nextAfter(problem);
  }
  if (plan === undefined) return { kind: 'settled' };
  const { decision, steps } = plan;
  const { done, problem } = await perform(steps);
  const record = { kind, key, why: decision.why, effects: done };
  if (problem === undefined) {
    if (done.length > 0) ports.onPass({ ...record, flips: plan.flips, outcome: outcomeText(decision) });
    return nextOf(decision);
  }
  // the status comes last, so that it was not written
  const told = await tellRefusal({ kind, key }, problem, ports);
  ports.onPass({ ...record, flips: told, outcome: 'thrown', problem });
  return nextAfter(problem);
};
