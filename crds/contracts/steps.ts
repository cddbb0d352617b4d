// The steps of a workspace Job: what each may ask of the gateway, where it finds its files, what its environment holds.
// The table of rights is the gateway's only source; the Job builder and the runner read the same one.

export const ATTEMPT_STEPS = ['runner', 'checkout', 'setup', 'work', 'verify-setup', 'verify', 'report'] as const;
export const COURIER_STEPS = ['runner', 'merge', 'setup', 'verify', 'push'] as const;
export type AttemptStep = (typeof ATTEMPT_STEPS)[number];
export type CourierStep = (typeof COURIER_STEPS)[number];
export type Step = AttemptStep | CourierStep;

/** What the runner's command line calls a step. The courier's `setup` and `verify` work on other files than the attempt's. */
export type RunnerCommand = Step | 'courier-setup' | 'courier-verify';
export const RUNNER_COMMANDS = [
  'runner',
  'checkout',
  'setup',
  'work',
  'verify-setup',
  'verify',
  'report',
  'merge',
  'courier-setup',
  'courier-verify',
  'push',
] as const satisfies readonly RunnerCommand[];

/** What the gateway does for whoever holds a step's token. */
export type Right = 'brief' | 'context' | 'model' | 'git-fetch' | 'git-push' | 'artifact-put' | 'artifact-get' | 'egress';

/** No step that runs the repository's or the agent's code (setup, work, verify-setup, verify) may use git or artifacts. */
export const STEP_RIGHTS = {
  runner: [],
  checkout: ['brief', 'git-fetch'],
  setup: ['egress'],
  work: ['model', 'context'],
  'verify-setup': ['egress'],
  verify: [],
  report: ['artifact-put'],
  merge: ['brief', 'git-fetch', 'artifact-get'],
  push: ['git-push'],
} as const satisfies Record<Step, readonly Right[]>;

/** Steps that hold a token at all. */
export const TOKEN_STEPS = (Object.keys(STEP_RIGHTS) as Step[]).filter((step) => STEP_RIGHTS[step].length > 0);

export const AUDIENCE_PREFIX = 'swefleet.io/';
export const audienceOf = (step: Step): string => `${AUDIENCE_PREFIX}${step}`;
/** Held by account `fleet-reader` of a namespace: reads that namespace's artifacts. */
export const ARTIFACTS_READ_AUDIENCE = 'swefleet.io/artifacts-read';
export const READER_ACCOUNT = 'fleet-reader';
export const WORKSPACE_ACCOUNT = 'fleet-workspace';

/** Steps that run our image; their findings are believed. The others run the toolchain image. */
export const FLEET_STEPS = ['runner', 'checkout', 'report', 'merge', 'push'] as const satisfies readonly Step[];
export const isFleetStep = (step: Step): boolean => (FLEET_STEPS as readonly Step[]).includes(step);

/** Mount points and files inside a workspace pod. */
export const PATHS = {
  runner: '/fleet/runner',
  runnerNode: '/fleet/runner/node',
  runnerLibraries: '/fleet/runner/lib',
  runnerProgram: '/fleet/runner/agent-runner.mjs',
  git: '/fleet/git',
  tree: '/fleet/tree',
  workOut: '/fleet/out/work',
  verifyOut: '/fleet/out/verify',
  fresh: '/fleet/fresh',
  token: '/fleet/token/token',
  terminationLog: '/dev/termination-log',
} as const;

/** The bundle in the fleet image. */
export const FLEET_PROGRAM = '/opt/fleet/agent-runner.mjs';

export const GATEWAY_HOST = 'fleet-gateway';
export const GATEWAY_PORT = 8443;

/** Names of the environment variables of every step. */
export const STEP_ENVIRONMENT = {
  kind: 'FLEET_KIND',
  ownerUid: 'FLEET_OWNER_UID',
  attempt: 'FLEET_ATTEMPT',
  gatewayUrl: 'FLEET_GATEWAY_URL',
  gatewayCa: 'FLEET_GATEWAY_CA',
  gatewayAddress: 'FLEET_GATEWAY_ADDRESS',
  canaryPort: 'FLEET_CANARY_PORT',
  deadlineSeconds: 'FLEET_DEADLINE_SECONDS',
} as const;
