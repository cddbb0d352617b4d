// The steps of each kind of workspace: which image a container runs, which volumes it sees and how, and which token it holds.
// May: list. May not: decide anything. A volume has one trust level: whoever writes it here is the only one who does, elsewhere it is
// read-only or absent, and no step that runs the repository's or the agent's code holds a token for git or artifacts.

export type Volume = 'runner' | 'git' | 'tree' | 'work-out' | 'fresh' | 'verify-out';
export type JobKind = 'attempt' | 'courier';

export interface StepRow {
  /** The container's name. */
  readonly name: string;
  /** What the runner is told on its command line. */
  readonly step: string;
  /** `fleet`: our image. `toolchain`: the platform engineer's image profile, which also gets the Council's resources and GPUs. */
  readonly image: 'fleet' | 'toolchain';
  readonly writes: readonly Volume[];
  readonly reads: readonly Volume[];
  /** The audience of its projected token is `swefleet.io/<this>`; absent: the step holds no token. */
  readonly audience?: string;
}

export const volumePaths: Readonly<Record<Volume, string>> = {
  runner: '/fleet/runner',
  git: '/fleet/git',
  tree: '/fleet/tree',
  'work-out': '/fleet/out/work',
  fresh: '/fleet/fresh',
  'verify-out': '/fleet/out/verify',
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
  { name: 'runner', step: 'runner', image: 'fleet', writes: ['runner'], reads: [] },
  { name: 'checkout', step: 'checkout', image: 'fleet', writes: ['git'], reads: [], audience: 'checkout' },
  { name: 'setup', step: 'setup', image: 'toolchain', writes: ['tree'], reads: ['git', 'runner'], audience: 'setup' },
  { name: 'work', step: 'work', image: 'toolchain', writes: ['tree', 'work-out'], reads: ['git', 'runner'], audience: 'work' },
  {
    name: 'verify-setup',
    step: 'verify-setup',
    image: 'toolchain',
    writes: ['fresh'],
    reads: ['git', 'runner', 'work-out'],
    audience: 'verify-setup',
  },
  { name: 'verify', step: 'verify', image: 'toolchain', writes: ['fresh', 'verify-out'], reads: ['git', 'runner'] },
  {
    name: 'report',
    step: 'report',
    image: 'fleet',
    writes: [],
    reads: ['git', 'work-out', 'fresh', 'verify-out'],
    audience: 'report',
  },
];

const courier: readonly StepRow[] = [
  { name: 'runner', step: 'runner', image: 'fleet', writes: ['runner'], reads: [] },
  { name: 'merge', step: 'merge', image: 'fleet', writes: ['git'], reads: [], audience: 'merge' },
  { name: 'setup', step: 'courier-setup', image: 'toolchain', writes: ['fresh'], reads: ['git', 'runner'], audience: 'setup' },
  { name: 'verify', step: 'courier-verify', image: 'toolchain', writes: ['fresh', 'verify-out'], reads: ['git', 'runner'] },
  { name: 'push', step: 'push', image: 'fleet', writes: [], reads: ['git', 'verify-out'], audience: 'push' },
];

export const stepTable: Readonly<Record<JobKind, readonly StepRow[]>> = { attempt, courier };
