// What can go wrong on the bus, and which answers of JetStream mean something to us.

import { JetStreamApiError } from '@nats-io/jetstream';

/** JetStream cannot be reached, or does not answer: a message is not known to be stored. Commands and events wait; nothing else does. */
export class StoreUnavailable extends Error {
  override readonly name = 'StoreUnavailable';
}

const CODES = {
  ...{ nameInUse: [10058], noMessage: [10037], storeFailed: [10077], wrongLastSequence: [10071, 10164] },
  /** As something else than what was asked for. */
  consumerExists: [10148],
} as const;

export const isApiError = (error: unknown, sort: keyof typeof CODES): error is JetStreamApiError =>
  error instanceof JetStreamApiError && CODES[sort].some((code) => code === error.code);

/** The stream keeps one message per subject, and that subject has its one. */
export const isSubjectTaken = (error: unknown): boolean =>
  isApiError(error, 'storeFailed') && error.message.includes('per subject');
