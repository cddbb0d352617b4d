// What can go wrong with one request, sorted once, here. Callers act on `sort` and never parse messages.

import { isRecord, recordAt } from './json.ts';

/**
 * conflict   the object is not as the caller thought (409: conflict, already exists, precondition failed): look again, then retry
 * transient  the server or the way to it is ill (5xx, 408, 429, network, time-out, broken answer): the same request may succeed later
 * gone       the resourceVersion or continue token is too old (410): list again
 * terminal   the server understood and refuses (other 4xx): the same request will be refused again
 */
export type ApiErrorSort = 'conflict' | 'transient' | 'gone' | 'terminal';

export interface ApiFailure {
  readonly sort: ApiErrorSort;
  /** What was tried, e.g. `PATCH /api/v1/…`. */
  readonly request: string;
  /** HTTP status; undefined when there was no answer. */
  readonly code?: number | undefined;
  /** The API's own `reason`, e.g. `AlreadyExists`, `Invalid`. */
  readonly reason?: string | undefined;
  readonly message: string;
  readonly retryAfterMs?: number | undefined;
  readonly cause?: unknown;
}

export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly sort: ApiErrorSort;
  readonly request: string;
  readonly code: number | undefined;
  readonly reason: string | undefined;
  readonly retryAfterMs: number | undefined;

  constructor(failure: ApiFailure) {
    super(`${failure.request}: ${failure.message}`, failure.cause === undefined ? undefined : { cause: failure.cause });
    this.sort = failure.sort;
    this.request = failure.request;
    this.code = failure.code;
    this.reason = failure.reason;
    this.retryAfterMs = failure.retryAfterMs;
  }
}

export const isNotFound = (error: unknown): boolean => error instanceof ApiError && error.code === 404;

export const isAlreadyExists = (error: unknown): boolean =>
  error instanceof ApiError && error.code === 409 && error.reason === 'AlreadyExists';

const sortOfCode = (code: number): ApiErrorSort => {
  if (code === 409) return 'conflict';
  if (code === 410) return 'gone';
  if (code >= 500 || code === 408 || code === 429) return 'transient';
  return 'terminal';
};

interface StatusBody {
  readonly reason?: string;
  readonly message?: string;
  readonly retryAfterSeconds: number | undefined;
}

const MAX_MESSAGE = 2_000;

const statusBody = (body: unknown): StatusBody => {
  const { reason, message } = isRecord(body) ? body : {};
  const { retryAfterSeconds: seconds } = recordAt(body, 'details');
  return {
    ...(typeof reason === 'string' && { reason }),
    ...(typeof message === 'string' && { message: message.slice(0, MAX_MESSAGE) }),
    retryAfterSeconds: typeof seconds === 'number' ? seconds : undefined,
  };
};

/** Sorts an answer that is no success. `body` is its parsed Status, or anything else that came instead. */
export const answerError = (request: string, code: number, body: unknown, retryAfterHeader?: string): ApiError => {
  const status = statusBody(body);
  const header = retryAfterHeader === undefined ? NaN : Number(retryAfterHeader);
  const seconds = Number.isFinite(header) && header >= 0 ? header : status.retryAfterSeconds;
  return new ApiError({
    sort: sortOfCode(code),
    request,
    code,
    reason: status.reason,
    message: `${code} ${status.reason ?? ''} ${status.message ?? ''}`.trim(),
    retryAfterMs: seconds === undefined ? undefined : seconds * 1_000,
  });
};

/** Sorts a request that got no answer, or one that broke off or cannot be read. */
export const networkError = (request: string, cause: unknown): ApiError =>
  new ApiError({ sort: 'transient', request, message: cause instanceof Error ? cause.message : String(cause), cause });
