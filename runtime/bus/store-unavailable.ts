// The one error of whoever uses the bus: whatever went wrong, the message is not known to be stored.

/** JetStream cannot be reached, or does not answer. Commands and events wait; nothing else does. */
export class StoreUnavailable extends Error {
  override readonly name = 'StoreUnavailable';
}
