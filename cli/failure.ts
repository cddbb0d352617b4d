// What ends a command: one line of what went wrong and, where there is one, the next step. Printed without a stack.

/** It was understood and could not be done: exit code 1. */
export class Failure extends Error {
  override readonly name: string = 'Failure';
  readonly exitCode: 1 | 2 = 1;
  /** The next step, e.g. a command to run. */
  readonly hint: string | undefined;

  constructor(message: string, hint?: string) {
    super(message);
    this.hint = hint;
  }
}

/** It was not understood: exit code 2. */
export class UsageError extends Failure {
  override readonly name = 'UsageError';
  override readonly exitCode = 2;
}
