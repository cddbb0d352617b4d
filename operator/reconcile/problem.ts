// Every problem of a pass, sorted once. What the sorting means for the key is decided here too; nobody else looks into errors.

import { ApiError } from '../../kube/error.ts';
import { StoreUnavailable } from '../../runtime/bus/errors.ts';
import type { Next } from '../../runtime/queue.ts';

/** A decision asked for what the operator may never do, or what makes no sense: a bug of ours. Nothing was written. */
export class EffectRefused extends Error {
  override readonly name = 'EffectRefused';
}

/** An object that is not ours has the name of one that we need. */
export class NameTaken extends Error {
  override readonly name = 'NameTaken';
}

/**
 * conflict   the cluster is not as the snapshot said: look again soon
 * transient  a server is ill: the same again, later
 * terminal   a server refuses (quota, validation, rights, a taken name): a person may change that, so ask again, but rarely
 * bug        anything else that was thrown
 */
export type ProblemSort = 'conflict' | 'transient' | 'terminal' | 'bug';

export interface Problem {
  readonly sort: ProblemSort;
  readonly error: unknown;
}

const TERMINAL_RETRY_MS = 30_000;
/** However long a server was ill: nothing says that it is well again. */
const TRANSIENT_RETRY_MS = 30_000;

export const sortProblem = (error: unknown): Problem => {
  if (error instanceof ApiError) return { sort: error.sort === 'gone' ? 'conflict' : error.sort, error };
  if (error instanceof StoreUnavailable) return { sort: 'transient', error };
  if (error instanceof NameTaken) return { sort: 'terminal', error };
  return { sort: 'bug', error };
};

export const nextAfter = ({ sort, error }: Problem): Next => {
  switch (sort) {
    case 'conflict':
    case 'bug':
      return { kind: 'retry' };
    case 'transient':
      return {
        ...{ kind: 'retry', maxMs: TRANSIENT_RETRY_MS },
        minMs: error instanceof ApiError ? error.retryAfterMs : undefined,
      };
    case 'terminal':
      return { kind: 'retry', minMs: TERMINAL_RETRY_MS };
  }
};
