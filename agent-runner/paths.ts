// Where things lie in a workspace pod, in one place. May: build strings. The root is `/` in a pod; only the tests choose another.
import { join } from 'node:path';

export interface FleetPaths {
  readonly runner: string;
  readonly token: string;
  readonly tmp: string;
  readonly terminationLog: string;
  readonly bareRepository: string;
  readonly brief: string;
  readonly checkoutFinding: string;
  readonly mergeFinding: string;
  /** The agent's work tree, and beside it what `setup` found. */
  readonly treeRepository: string;
  readonly treeFinding: string;
  readonly workOut: string;
  readonly workFinding: string;
  readonly patch: string;
  readonly workLog: string;
  readonly freshRepository: string;
  readonly freshFinding: string;
  readonly verifyOut: string;
  readonly verifyFinding: string;
}

export const fleetPaths = (root: string): FleetPaths => {
  const at = (...parts: readonly string[]): string => join(root, ...parts);
  return {
    runner: at('fleet/runner'),
    token: at('fleet/token/token'),
    tmp: at('tmp'),
    terminationLog: at('dev/termination-log'),
    bareRepository: at('fleet/git/repo.git'),
    brief: at('fleet/git/brief.json'),
    checkoutFinding: at('fleet/git/checkout.json'),
    mergeFinding: at('fleet/git/merge.json'),
    treeRepository: at('fleet/tree/repo'),
    treeFinding: at('fleet/tree/finding.json'),
    workOut: at('fleet/out/work'),
    workFinding: at('fleet/out/work/finding.json'),
    patch: at('fleet/out/work/patch'),
    workLog: at('fleet/out/work/log.jsonl'),
    freshRepository: at('fleet/fresh/repo'),
    freshFinding: at('fleet/fresh/finding.json'),
    verifyOut: at('fleet/out/verify'),
    verifyFinding: at('fleet/out/verify/finding.json'),
  };
};
