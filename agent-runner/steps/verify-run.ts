// Runs the verify commands in the fresh tree and says what they gave; used by `verify` of both Jobs. May: run commands, write the verify volume.
import { z } from 'zod';
import type { Brief } from '../../crds/contracts/brief.ts';
import type { Findings } from '../../crds/contracts/findings.ts';
import { readHostile } from '../hostile-file.ts';
import { writeOwnFile } from '../own-file.ts';
import type { FleetPaths } from '../paths.ts';
import type { StepContext } from '../step.ts';
import { failureSentence, runCommands } from './commands.ts';

const MAX_TAIL_BYTES = 16 * 1024;
const MAX_RECORD_BYTES = 1024 * 1024;
/** JSON makes up to six bytes of one, and the commands themselves want room. */
const MAX_OUTPUTS_BYTES = MAX_RECORD_BYTES / 8;
const MAX_COMMANDS = 32;

const record = z
  .array(
    z.object({
      command: z.string().max(4_096),
      exitCode: z.int(),
      durationMs: z.int().min(0),
      output: z.string().max(2 * MAX_TAIL_BYTES),
    }),
  )
  .max(MAX_COMMANDS);
export type VerifyRecord = z.infer<typeof record>;

const recordFile = (paths: FleetPaths): string => `${paths.verifyOut}/commands.json`;

export const runVerification = async (context: StepContext, brief: Brief): Promise<Findings['verify']> => {
  const { config, paths } = context;
  const { commands } = brief.verify;
  const outcomes = await runCommands(context, {
    cwd: paths.freshRepository,
    commands,
    timeoutMs: brief.verify.timeoutSeconds * 1_000,
    outputBytes: Math.min(MAX_TAIL_BYTES, brief.limits.outputBytes, Math.floor(MAX_OUTPUTS_BYTES / Math.max(1, commands.length))),
    stopAtFailure: false,
    env: config.childEnvironment,
  });
  await writeOwnFile(recordFile(paths), JSON.stringify(outcomes));
  const firstFailure = outcomes.find((outcome) => outcome.exitCode !== 0);
  const failures = outcomes.filter((outcome) => outcome.exitCode !== 0).length;
  const told = {
    passed: outcomes.length - failures,
    failed: failures,
    commands: outcomes
      .slice(0, 8)
      .map(({ command, exitCode, durationMs }) => ({ command: command.slice(0, 120), exitCode, durationMs })),
  };
  if (firstFailure === undefined) return { step: 'verify', outcome: 'ok', ...told };
  return {
    step: 'verify',
    outcome: 'failed',
    reason: 'VerifyFailed',
    message: failureSentence(firstFailure).slice(0, 400),
    ...told,
  };
};

/** What `verify` wrote down of its commands; `undefined` when that is not usable. */
export const readVerifyRecord = async (paths: FleetPaths): Promise<VerifyRecord | undefined> => {
  const read = await readHostile(recordFile(paths), MAX_RECORD_BYTES);
  if (read.kind !== 'read') return undefined;
  try {
    return record.parse(JSON.parse(read.bytes.toString('utf8')));
  } catch {
    return undefined; // hostile or cut: as good as none
  }
};
