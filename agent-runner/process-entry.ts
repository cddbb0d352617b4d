// Builds a step's context and runs the step; the only place that builds things. `main.ts` calls it with the root of the pod.
import { realpath } from 'node:fs/promises';
import { PATHS } from '../crds/contracts/paths.ts';
import { ATTEMPT_STEPS, COURIER_COMMANDS, RUNNER_COMMANDS, type RunnerCommand } from '../crds/contracts/steps.ts';
import { readConfig, type StepConfig } from './config.ts';
import { GatewayClient } from './gateway/client.ts';
import { Git } from './git/driver.ts';
import { fleetPaths } from './paths.ts';
import { Children } from './process/children.ts';
import { runStep, type StepContext } from './step.ts';
import { steps } from './steps/registry.ts';

export interface EntryPorts {
  /** Under which `/fleet`, `/tmp` and `/dev/termination-log` lie: `/` in a pod. */
  readonly root: string;
  /** This very program, for `runner` to copy. */
  readonly program: string;
  readonly say: (line: string) => void;
}

export const USAGE = `usage: agent-runner <step>

Runs one step of a workspace pod and writes its finding to ${PATHS.terminationLog}.

Steps of an attempt: ${ATTEMPT_STEPS.join(', ')}
Steps of a courier:  ${COURIER_COMMANDS.join(', ')}

Exit code 0: the step has a finding, good or bad. Anything else: the infrastructure failed.`;

export const isCommand = (word: string | undefined): word is RunnerCommand => RUNNER_COMMANDS.some((command) => command === word);

export const contextOf = async (config: StepConfig, ports: EntryPorts): Promise<StepContext> => {
  const paths = fleetPaths(ports.root);
  return {
    config,
    paths,
    children: new Children(),
    gateway: new GatewayClient({ url: config.gatewayUrl, ca: config.gatewayCa, tokenFile: paths.token }),
    git: new Git(config.childEnvironment['PATH'] ?? ''),
    program: await realpath(ports.program),
    say: ports.say,
  };
};

/** Ends the process on SIGTERM, children first. */
export const runCommand = async (command: RunnerCommand, ports: EntryPorts): Promise<void> => {
  const context = await contextOf(readConfig(), ports);
  process.once('SIGTERM', () => {
    context.children.endAll();
    process.exit(143);
  });
  await runStep(await steps[command](), context);
  await context.gateway.close();
};
