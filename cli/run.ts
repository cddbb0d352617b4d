// One command line, from its words to the exit code: 0 done, 1 failed, 2 not understood.

import { CommanderError } from 'commander';
import { ApiError } from '../kube/error.ts';
import { complete, completionText, type NamesOf } from './completion.ts';
import { Failure } from './failure.ts';
import { createProgram, type Handlers } from './program.ts';
import type { Terminal } from './terminal.ts';

/** Asked by the shells: what may the last of these words become? */
const COMPLETE = '__complete';

/** @throws what is neither refused nor expected: a bug, whose stack is wanted */
const exitCodeOf = async (error: unknown, terminal: Terminal): Promise<number> => {
  // commander has printed its own
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  const told = error instanceof ApiError ? (await import('./api-failure.ts')).failureOf(error) : error;
  if (!(told instanceof Failure)) throw error;
  terminal.complain(`kubectl fleet: ${told.message}`);
  if (told.hint !== undefined) terminal.complain(told.hint);
  return told.exitCode;
};

export const runCommandLine = async (
  argv: readonly string[],
  does: Handlers & { readonly namesOf: NamesOf },
  terminal: Terminal,
): Promise<number> => {
  const program = createProgram(does, terminal);
  const [first = '--help', ...rest] = argv;
  try {
    if (first === COMPLETE) terminal.write(completionText(await complete(program, rest, does.namesOf)));
    else await program.parseAsync([first, ...rest], { from: 'user' });
    return 0;
  } catch (error) {
    return await exitCodeOf(error, terminal);
  }
};
