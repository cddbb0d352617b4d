// Runs the profile's setup commands or the task's verify commands in a work tree. May: run them; with egress, lend them the proxy.
import { startEgressProxy } from '../gateway/egress-proxy.ts';
import { endLeftovers } from '../process/leftovers.ts';
import type { CommandResult } from '../process/children.ts';
import type { StepContext } from '../step.ts';

export interface CommandPlan {
  readonly cwd: string;
  readonly commands: readonly string[];
  readonly timeoutMs: number;
  readonly outputBytes: number;
  /** Setup ends at the first failure; verification wants to know them all. */
  readonly stopAtFailure: boolean;
  readonly env: Readonly<Record<string, string>>;
}

export interface CommandOutcome {
  readonly command: string;
  /** 124 for the time limit, 137 for a signal, as shells say it. */
  readonly exitCode: number;
  readonly durationMs: number;
  readonly output: string;
}

export const runCommands = async ({ children, say }: StepContext, plan: CommandPlan): Promise<readonly CommandOutcome[]> => {
  const outcomes: CommandOutcome[] = [];
  for (const command of plan.commands) {
    say(`$ ${command}`);
    const result = await children.run(['sh', '-c', command], plan);
    const outcome = { command, exitCode: exitCodeOf(result), durationMs: result.durationMs, output: result.output };
    outcomes.push(outcome);
    say(`${result.output.trimEnd()}\n  exit code ${outcome.exitCode} after ${(result.durationMs / 1000).toFixed(1)} s`);
    if (outcome.exitCode !== 0 && plan.stopAtFailure) break;
  }
  await endLeftovers();
  return outcomes;
};

const exitCodeOf = (result: CommandResult): number => result.exitCode ?? (result.timedOut ? 124 : 137);

/** The setup commands, with the gateway's egress as their only way out. `undefined` when all ended with 0. */
export const runSetup = async (
  context: StepContext,
  cwd: string,
  commands: readonly string[],
  outputBytes: number,
): Promise<string | undefined> => {
  if (commands.length === 0) return undefined;
  const { config, paths, gateway } = context;
  const proxy = await startEgressProxy({ url: config.gatewayUrl, ca: config.gatewayCa, tokenFile: paths.token }, () =>
    gateway.token(),
  );
  try {
    const env = {
      ...config.childEnvironment,
      HTTPS_PROXY: proxy.url,
      https_proxy: proxy.url,
      NO_PROXY: '127.0.0.1,localhost',
      no_proxy: '127.0.0.1,localhost',
    };
    const plan = { cwd, commands, timeoutMs: config.deadlineSeconds * 1_000, outputBytes, stopAtFailure: true, env };
    const last = (await runCommands(context, plan)).at(-1);
    return last === undefined || last.exitCode === 0 ? undefined : failureSentence(last);
  } finally {
    await proxy.close();
  }
};

/** What to tell the next attempt: command, exit code, the end of what it said. */
export const failureSentence = ({ command, exitCode, output }: CommandOutcome): string => {
  const end = output.replace(/\s+/g, ' ').trim().slice(-260);
  return `\`${command.slice(0, 80)}\` ended with ${exitCode}: ${end}`;
};
