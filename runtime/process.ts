// The life of a process around its own part: configuration, log, first and last line, exit code.
//
// Exit codes of all processes: 0 did what it was for, or was asked to end and ended in order · 1 something failed that nobody expected ·
// 2 the configuration is invalid. A process may have more of its own.

import { ConfigInvalid } from './config.ts';
import { errorFields, makeProcessLog, type Level, type Log } from './log.ts';

export const EXIT = { ended: 0, failed: 1, misconfigured: 2 } as const;

export interface Program<Config> {
  /** As it is called in logs. */
  readonly name: string;
  /** Throws ConfigInvalid. */
  readonly load: () => Config;
  readonly levelOf: (config: Config) => Level;
  /** Resolves with the exit code; may throw ConfigInvalid for what it reads later. */
  readonly run: (config: Config, log: Log) => Promise<number>;
}

const failed = (error: unknown, log: Log): number => {
  if (error instanceof ConfigInvalid) {
    log.error('the configuration is invalid', { issues: error.issues });
    return EXIT.misconfigured;
  }
  log.error('failed', errorFields(error, true));
  return EXIT.failed;
};

/** Runs it to its end; the process ends with its exit code. */
export const runProgram = async <Config>({ name, load, levelOf, run }: Program<Config>): Promise<void> => {
  let log = makeProcessLog(name, 'info');
  try {
    const config = load();
    log = makeProcessLog(name, levelOf(config));
    log.info('starting', { config });
    process.exitCode = await run(config, log);
    log.info('ended', { code: process.exitCode });
  } catch (error) {
    // at once: what was begun may keep the process alive for ever
    process.exit(failed(error, log));
  }
};
