// Where things lie in a workspace pod: the Job builder mounts volumes there, the runner reads and writes there.

/** The bundle in the fleet image. */
export const FLEET_PROGRAM = '/opt/fleet/agent-runner.mjs';

/** Volumes: each is mounted into several steps and written by those that the table of steps names. */
export const VOLUME_PATHS = {
  runner: '/fleet/runner',
  git: '/fleet/git',
  tree: '/fleet/tree',
  workOut: '/fleet/out/work',
  fresh: '/fleet/fresh',
  verifyOut: '/fleet/out/verify',
} as const;

/** Files and folders, below a volume or in every container. */
export const PATHS = {
  runnerNode: `${VOLUME_PATHS.runner}/node`,
  runnerLibraries: `${VOLUME_PATHS.runner}/lib`,
  runnerProgram: `${VOLUME_PATHS.runner}/agent-runner.mjs`,
  bareRepository: `${VOLUME_PATHS.git}/repo.git`,
  brief: `${VOLUME_PATHS.git}/brief.json`,
  checkoutFinding: `${VOLUME_PATHS.git}/checkout.json`,
  mergeFinding: `${VOLUME_PATHS.git}/merge.json`,
  /** The agent's work tree, and beside it what `setup` found. */
  treeRepository: `${VOLUME_PATHS.tree}/repo`,
  treeFinding: `${VOLUME_PATHS.tree}/finding.json`,
  workFinding: `${VOLUME_PATHS.workOut}/finding.json`,
  patch: `${VOLUME_PATHS.workOut}/patch`,
  workLog: `${VOLUME_PATHS.workOut}/log.jsonl`,
  freshRepository: `${VOLUME_PATHS.fresh}/repo`,
  freshFinding: `${VOLUME_PATHS.fresh}/finding.json`,
  verifyFinding: `${VOLUME_PATHS.verifyOut}/finding.json`,
  tokenFolder: '/fleet/token',
  token: '/fleet/token/token',
  tmp: '/tmp',
  terminationLog: '/dev/termination-log',
} as const;
