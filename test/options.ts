// The options of our own programs: `--help` prints the help and ends with 0; what cannot be understood is said in a line, and ends with 2.

import { parseArgs, type ParseArgsOptionsConfig } from 'node:util';

const HELP = { help: { type: 'boolean', default: false } } as const;

const parse = <const T extends ParseArgsOptionsConfig>(options: T) => parseArgs({ options: { ...options, ...HELP } }).values;

/** Ends the process unless there is something to do. `options` as `parseArgs` of Node takes them. */
export const optionsOf = <const T extends ParseArgsOptionsConfig>(help: string, options: T): ReturnType<typeof parse<T>> => {
  try {
    const values = parse(options);
    if (!(values as { readonly help: boolean }).help) return values;
    console.log(help);
    process.exit(0);
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${help}`);
    process.exit(2);
  }
};
