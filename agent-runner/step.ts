// What a step is, what it is given, and how it is run: its finding goes to its file and to the termination log.
// May: write these two, when nothing else of the step runs any more. A gateway that cannot be reached is a finding; any other exception
// ends the process, with its message in the log.
import { readFile, writeFile } from 'node:fs/promises';
import { brief, type Brief } from '../crds/contracts/brief.ts';
import { findings, type Finding, type FindingReason, type Findings, type FindingStep } from '../crds/contracts/findings.ts';
import type { RunnerCommand } from '../crds/contracts/steps.ts';
import type { StepConfig } from './config.ts';
import { findingText } from './finding-file.ts';
import { GatewayUnreachable, type GatewayClient } from './gateway/client.ts';
import type { Git, GitRemote } from './git/driver.ts';
import { writeOwnFile } from './own-file.ts';
import type { FleetPaths } from './paths.ts';
import type { Children } from './process/children.ts';
import { endLeftovers } from './process/leftovers.ts';
import { ownLimits } from './process/own-limits.ts';

export interface StepContext {
  readonly config: StepConfig;
  readonly paths: FleetPaths;
  readonly git: Git;
  readonly children: Children;
  readonly gateway: GatewayClient;
  /** The program that runs now, for `runner` to copy. */
  readonly program: string;
  /** One line for people. */
  readonly say: (line: string) => void;
}

export interface Step<S extends FindingStep = FindingStep> {
  readonly command: RunnerCommand;
  readonly finding: S;
  /** Where the finding goes besides the termination log. */
  readonly file: (paths: FleetPaths) => string | undefined;
  run(context: StepContext): Promise<Findings[S]>;
}

export const runStep = async (step: Step, context: StepContext): Promise<Finding> => {
  const limits = await ownLimits();
  const found = await step.run(context).catch(async (error: unknown) => {
    if (error instanceof GatewayUnreachable) return failed(step.finding, 'GatewayUnavailable', error.message);
    await writeFile(context.paths.terminationLog, findingText(failed(step.finding, 'StepFailed', String(error))));
    throw error;
  });
  await endLeftovers();
  // a process that is short of files or memory meets faults that are nobody's but who took them away
  const finding =
    limits === (await ownLimits()) ? found : failed(step.finding, 'StepBroken', 'a process of the step changed its limits');
  const text = findingText(finding);
  const file = step.file(context.paths);
  if (file !== undefined) await writeOwnFile(file, text);
  await writeFile(context.paths.terminationLog, text);
  context.say(sentence(step.command, finding));
  return finding;
};

const sentence = (command: RunnerCommand, { outcome, reason, message }: Finding): string => {
  const why = reason === undefined ? '' : ` with ${reason}`;
  return `${command}: ${outcome}${why}${message === undefined ? '' : `: ${message}`}`;
};

export const failed = <S extends FindingStep>(step: S, reason: FindingReason, message: string): Findings[S] =>
  findings[step].parse({ step, outcome: 'failed', reason, message: shortMessage(message) });

/** Nothing was done, because the step before did not end ok; its reason is handed on to whoever cannot see that step's file. */
export const skipped = <S extends FindingStep>(step: S, before?: Finding): Findings[S] => {
  const because = before === undefined || before.outcome === 'ok' ? {} : reasonOf(before);
  return findings[step].parse({ step, outcome: 'skipped', ...because });
};

const reasonOf = ({ reason, message }: Finding): Pick<Finding, 'reason' | 'message'> => ({
  ...(reason === undefined ? {} : { reason }),
  ...(message === undefined ? {} : { message }),
});

/** One line of at most 400 characters. */
export const shortMessage = (text: string): string => {
  const line = text.replace(/\s+/g, ' ').trim();
  return line.length > 400 ? `${line.slice(0, 399)}…` : line;
};

/** The brief that `checkout` or `merge` left in the git volume. */
export const readBrief = async (paths: FleetPaths): Promise<Brief> =>
  brief.parse(JSON.parse(await readFile(paths.brief, 'utf8')));

const gatewayCaFile = (paths: FleetPaths): string => `${paths.tmp}/fleet-gateway-ca.crt`;

/** The Story's repository, by way of the gateway. Writes the CA for git. */
export const storyRemote = async ({ config, paths, gateway }: StepContext): Promise<GitRemote> => {
  const caFile = gatewayCaFile(paths);
  await writeFile(caFile, config.gatewayCa);
  return { url: `${config.gatewayUrl}/git`, token: () => gateway.token(), caFile };
};
