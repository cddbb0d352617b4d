// The steps of a workspace Job and what each may ask of the gateway.
// The table of rights is the gateway's only source; the Job builder and the runner read the same one.

/** What a workspace Job of a Task does: let an agent work, or carry the agent's patch to the story branch. */
export const JOB_KINDS = ['attempt', 'courier'] as const;
export type JobKind = (typeof JOB_KINDS)[number];

export const ATTEMPT_STEPS = ['runner', 'checkout', 'setup', 'work', 'verify-setup', 'verify', 'report'] as const;
export const COURIER_STEPS = ['runner', 'merge', 'setup', 'verify', 'push'] as const;
export type AttemptStep = (typeof ATTEMPT_STEPS)[number];
export type CourierStep = (typeof COURIER_STEPS)[number];
export type Step = AttemptStep | CourierStep;

/** What the runner's command line calls a courier's steps. Its `setup` and `verify` work on other files than the attempt's. */
export const COURIER_COMMANDS = ['runner', 'merge', 'courier-setup', 'courier-verify', 'push'] as const;
export const RUNNER_COMMANDS = [...ATTEMPT_STEPS, ...COURIER_COMMANDS] as const;
export type RunnerCommand = (typeof RUNNER_COMMANDS)[number];

/** What the gateway does for whoever holds a step's token. */
export type Right =
  'brief' | 'context' | 'model' | 'git-fetch' | 'git-push' | 'artifact-put' | 'artifact-get' | 'receipt' | 'egress' | 'turn';

/** No step that runs the repository's or the agent's code (setup, work, verify-setup, verify) may use git or artifacts. */
export const STEP_RIGHTS = {
  runner: [],
  checkout: ['brief', 'git-fetch'],
  setup: ['egress'],
  work: ['model', 'context'],
  'verify-setup': ['egress'],
  verify: [],
  report: ['artifact-put', 'receipt'],
  merge: ['brief', 'git-fetch', 'artifact-get'],
  push: ['git-push', 'receipt'],
} as const satisfies Record<Step, readonly Right[]>;

/** Steps that hold a token at all. */
export const TOKEN_STEPS = (Object.keys(STEP_RIGHTS) as Step[]).filter((step) => STEP_RIGHTS[step].length > 0);

export const AUDIENCE_PREFIX = 'swefleet.io/';
export const audienceOf = (step: Step): string => `${AUDIENCE_PREFIX}${step}`;
/** Held by account `fleet-reader` of a namespace: reads that namespace's artifacts. */
export const ARTIFACTS_READ_AUDIENCE = 'swefleet.io/artifacts-read';
export const READER_ACCOUNT = 'fleet-reader';
/** Held by the pods of the agent pool: takes the turns of living Deliberations. */
export const POOL_AUDIENCE = 'swefleet.io/agent-pool';
export const WORKSPACE_ACCOUNT = 'fleet-workspace';

/** Steps that run our image; their findings are believed. The others run the toolchain image. */
export const FLEET_STEPS = ['runner', 'checkout', 'report', 'merge', 'push'] as const satisfies readonly Step[];
export const isFleetStep = (step: Step): boolean => (FLEET_STEPS as readonly Step[]).includes(step);

export const GATEWAY_HOST = 'fleet-gateway';
export const GATEWAY_PORT = 8443;
