// What a call of the model that threw comes to: an end, or a reason to try again. Pure. What is no fault of model or network is thrown on.
import { APIConnectionError, APIError } from 'openai';
import type { ModelEnd } from './model.ts';

export interface TryAgain {
  readonly again: string;
  readonly afterMs: number | undefined;
}

export const failure = (error: unknown): ModelEnd | TryAgain => {
  if (error instanceof APIError && typeof error.status === 'number') return refused(error.status, error as APIError);
  const message = describe(error);
  const passing =
    error instanceof APIConnectionError || error instanceof TypeError || error instanceof SyntaxError || isNetwork(error);
  if (passing) return { again: message, afterMs: undefined };
  throw error;
};

const refused = (status: number, error: APIError): ModelEnd | TryAgain => {
  const message = `${status}: ${error.message}`.slice(0, 300);
  if (status === 413) return { kind: 'tooLong', message };
  if (status === 402) return { kind: 'budget', message };
  if (error.code === 'context_length_exceeded' || (status === 400 && /context length|maximum context|too long/i.test(message)))
    return { kind: 'tooLong', message };
  if (status !== 408 && status !== 409 && status !== 429 && status < 500) return { kind: 'unavailable', message, lasting: true };
  const seconds = Number(error.headers?.get('retry-after') ?? '');
  return { again: message, afterMs: seconds > 0 ? seconds * 1_000 : undefined };
};

const isNetwork = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && /^(UND_ERR|E[A-Z]+)/.test(String(error.code));

const describe = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause instanceof Error ? `: ${error.cause.message}` : '';
  return `${error.message}${cause}`.slice(0, 300);
};
