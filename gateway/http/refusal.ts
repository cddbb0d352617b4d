// An answer that is no success, as a value that can be thrown from anywhere in a request. What it says goes to a hostile caller:
// it names no upstream, credential, file or stack.

export interface RefusalOptions {
  /** Seconds for `Retry-After`. */
  readonly retryAfterSeconds?: number;
  /** For the log only. */
  readonly cause?: unknown;
  /** For the log only: what an operator of the platform needs to know and the caller must not. */
  readonly detail?: string;
}

export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly status: number;
  readonly code: string;
  readonly retryAfterSeconds: number | undefined;
  readonly detail: string | undefined;

  constructor(status: number, code: string, message: string, options: RefusalOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.status = status;
    this.code = code;
    this.retryAfterSeconds = options.retryAfterSeconds;
    this.detail = options.detail;
  }
}

/** How a route tells its errors: ours, or the shape that OpenAI's clients read. */
export type ErrorShape = 'fleet' | 'openai';

export const refusalBody = (refusal: Refusal, shape: ErrorShape): string => {
  const { code, message, status } = refusal;
  if (shape === 'fleet') return JSON.stringify({ error: { code, message } });
  const type = status >= 500 ? 'server_error' : status === 402 ? 'insufficient_quota' : 'invalid_request_error';
  return JSON.stringify({ error: { message, type, code, param: null } });
};

/** Anything thrown, as a refusal: what is not one already is our own fault and says nothing about itself. */
export const asRefusal = (error: unknown): Refusal =>
  error instanceof Refusal ? error : new Refusal(500, 'InternalError', 'the gateway failed on this request', { cause: error });
