// Where things lie in a workspace pod, below a root that is `/` in a pod; only the tests choose another. May: build strings.
import { join } from 'node:path';
import { PATHS, VOLUME_PATHS } from '../crds/contracts/paths.ts';

export type FleetPaths = Readonly<Record<'runner' | 'workOut' | 'verifyOut' | Exclude<keyof typeof PATHS, NodeOnly>, string>>;

/** Used by the Job builder alone. */
type NodeOnly = 'runnerNode' | 'runnerLibraries' | 'runnerProgram' | 'tokenFolder';

export const fleetPaths = (root: string): FleetPaths => ({
  runner: join(root, VOLUME_PATHS.runner),
  workOut: join(root, VOLUME_PATHS.workOut),
  verifyOut: join(root, VOLUME_PATHS.verifyOut),
  token: join(root, PATHS.token),
  tmp: join(root, PATHS.tmp),
  terminationLog: join(root, PATHS.terminationLog),
  bareRepository: join(root, PATHS.bareRepository),
  brief: join(root, PATHS.brief),
  checkoutFinding: join(root, PATHS.checkoutFinding),
  mergeFinding: join(root, PATHS.mergeFinding),
  treeRepository: join(root, PATHS.treeRepository),
  treeFinding: join(root, PATHS.treeFinding),
  workFinding: join(root, PATHS.workFinding),
  patch: join(root, PATHS.patch),
  workLog: join(root, PATHS.workLog),
  freshRepository: join(root, PATHS.freshRepository),
  freshFinding: join(root, PATHS.freshFinding),
  verifyFinding: join(root, PATHS.verifyFinding),
});
