// The steps of each kind of workspace: which image a container runs, which volumes it sees and how, and which token it holds.
// May: list. May not: decide anything. A volume has one trust level: whoever writes it here is the only one who does, elsewhere it is
// read-only or absent, and no step that runs the repository's or the agent's code holds a token for git or artifacts.

import { VOLUME_PATHS } from '../../crds/contracts/paths.ts';
import { STEP_RIGHTS, isFleetStep, type JobKind, type RunnerCommand, type Step } from '../../crds/contracts/steps.ts';

export type Volume = 'runner' | 'git' | 'tree' | 'work-out' | 'fresh' | 'verify-out';

export interface StepRow {
  /** The container's name, and the audience of its token. */
  readonly name: Step;
  /** What the runner is told on its command line. */
  readonly command: RunnerCommand;
  readonly writes: readonly Volume[];
  readonly reads: readonly Volume[];
}

export const volumePaths: Readonly<Record<Volume, string>> = {
  runner: VOLUME_PATHS.runner,
  git: VOLUME_PATHS.git,
  tree: VOLUME_PATHS.tree,
  'work-out': VOLUME_PATHS.workOut,
  fresh: VOLUME_PATHS.fresh,
  'verify-out': VOLUME_PATHS.verifyOut,
};

/** Every emptyDir is bounded; a pod that outgrows one is evicted, which counts against the infrastructure. */
export const volumeSizes: Readonly<Record<Volume | 'tmp', string>> = {
  runner: '512Mi',
  git: '4Gi',
  tree: '8Gi',
  'work-out': '64Mi',
  fresh: '8Gi',
  'verify-out': '64Mi',
  tmp: '2Gi',
};

const attempt: readonly StepRow[] = [
  { name: 'runner', command: 'runner', writes: ['runner'], reads: [] },
  { name: 'checkout', command: 'checkout', writes: ['git'], reads: [] },
  { name: 'setup', command: 'setup', writes: ['tree'], reads: ['git', 'runner'] },
  { name: 'work', command: 'work', writes: ['tree', 'work-out'], reads: ['git', 'runner'] },
  { name: 'verify-setup', command: 'verify-setup', writes: ['fresh'], reads: ['git', 'runner', 'work-out'] },
  { name: 'verify', command: 'verify', writes: ['fresh', 'verify-out'], reads: ['git', 'runner'] },
  { name: 'report', command: 'report', writes: [], reads: ['git', 'work-out', 'fresh', 'verify-out'] },
];

const courier: readonly StepRow[] = [
  { name: 'runner', command: 'runner', writes: ['runner'], reads: [] },
  { name: 'merge', command: 'merge', writes: ['git'], reads: [] },
  { name: 'setup', command: 'courier-setup', writes: ['fresh'], reads: ['git', 'runner'] },
  { name: 'verify', command: 'courier-verify', writes: ['fresh', 'verify-out'], reads: ['git', 'runner'] },
  { name: 'push', command: 'push', writes: [], reads: ['git', 'verify-out'] },
];

export const stepTable: Readonly<Record<JobKind, readonly StepRow[]>> = { attempt, courier };

export const holdsToken = (row: StepRow): boolean => STEP_RIGHTS[row.name].length > 0;
/** Our image; every other step runs in the platform engineer's image profile, with the Council's resources and GPUs. */
export const runsFleetImage = (row: StepRow): boolean => isFleetStep(row.name);
