// What the API server says to new objects: given -> want.
import type { Kind } from '../../crds/kinds/registry.ts';
import { COMMIT } from '../builders/objects.ts';
import { DIGEST, OTHER_DIGEST, task, type Fields } from '../builders/smallest.ts';

export interface CreateCase {
  readonly given: string;
  readonly kind: Kind;
  readonly spec?: Fields;
  readonly name?: string;
  /** `accepted`, or a part of the refusal. */
  readonly want: string;
}

const url = (text: string): Fields => ({ repository: { url: text } });
const ref = (text: string): Fields => ({ repository: { url: 'https://git.example.com/team/app.git', ref: text } });
const tasks = (...list: readonly Fields[]): Fields => ({ tasks: list });
const approval = (more: Fields = {}): Fields => ({ gate: 'scope', verdict: 'Approved', by: 'bob', digest: DIGEST, ...more });

export const accepted: readonly CreateCase[] = [
  { given: 'the least Story', kind: 'Story', want: 'accepted' },
  {
    given: 'a Story with everything said',
    kind: 'Story',
    spec: {
      externalId: 'JIRA:AB-12',
      title: 'T'.repeat(200),
      description: 'd'.repeat(32_768),
      acceptanceCriteria: ['Given a, when b, then c'],
      repository: { url: 'https://git.example.com:8443/team/.github/app.git', ref: 'refs/heads/release/1.x' },
      rigor: 'L3',
      priority: -5,
      councils: [{ role: 'DEV', name: 'careful.developers' }],
      plan: { mode: 'Council', maxRevisions: 16 },
      gates: { scope: 'Auto', design: 'Human' },
      approvals: [approval()],
      decisions: [{ id: 'D1', title: 'Use what is there' }],
      milestones: [{ id: 'M1', type: 'propose_plan', at: '2026-11-21T10:00:00Z' }],
      budget: { tokens: 9_007_199_254_740_991, gpuSeconds: 1, wallClockSeconds: 60 },
      baseline: true,
      suspend: true,
      cancel: false,
    },
    want: 'accepted',
  },
  { given: 'a Story from a commit', kind: 'Story', spec: ref(COMMIT), want: 'accepted' },
  { given: 'a Story on a host with a port', kind: 'Story', spec: url('https://127.0.0.1:10443/a.git'), want: 'accepted' },
  {
    given: 'approvals of one digest at two gates',
    kind: 'Story',
    spec: { approvals: [approval({ digest: COMMIT, gate: 'test' }), approval({ digest: COMMIT, gate: 'docs' })] },
    want: 'accepted',
  },
  {
    given: 'a Story with 256 decisions of a usual size, and the longest description',
    kind: 'Story',
    spec: {
      description: 'd'.repeat(32_768),
      decisions: Array.from({ length: 256 }, (_, n) => ({ id: `D${n}`, title: 'Use what is there', rationale: 'r'.repeat(400) })),
      milestones: [{ id: 'M1', type: 'propose_plan' }],
      approvals: [approval()],
    },
    want: 'accepted',
  },
  { given: 'a Story that adopts a branch', kind: 'Story', spec: { adoptBranch: COMMIT }, want: 'accepted' },
  { given: 'a Plan with tasks', kind: 'Plan', want: 'accepted' },
  { given: 'a Plan from markdown', kind: 'Plan', spec: { tasks: undefined, source: '- [ ] a: Do it' }, want: 'accepted' },
  { given: 'a Plan of 128 KiB of text', kind: 'Plan', spec: { tasks: undefined, source: 's'.repeat(131_072) }, want: 'accepted' },
  {
    given: 'a Plan of 500 tasks',
    kind: 'Plan',
    spec: { tasks: Array.from({ length: 500 }, (_, n) => task(`t${n}`)) },
    want: 'accepted',
  },
  {
    given: 'nine candidates, which the controller refuses with a reason',
    kind: 'Plan',
    spec: tasks(task('a', { candidates: 9 })),
    want: 'accepted',
  },
  {
    given: 'globs of every sort',
    kind: 'Plan',
    spec: tasks(task('a', { fileScope: ['**', 'src/**/*.{ts,tsx}', '.github/[a-z]?.yml', 'docs/ä b'] })),
    want: 'accepted',
  },
  {
    given: 'dependencies that only code can judge',
    kind: 'Plan',
    spec: tasks(task('a', { dependsOn: ['nobody'] })),
    want: 'accepted',
  },
  { given: 'a Plan of a service account', kind: 'Plan', spec: { author: 'system:serviceaccount:ci:planner' }, want: 'accepted' },
  {
    given: 'a Plan that comes with its approval',
    kind: 'Plan',
    spec: { approval: { verdict: 'Approved', by: 'bob', digest: DIGEST } },
    want: 'accepted',
  },
  { given: 'the least Task', kind: 'Task', want: 'accepted' },
  {
    given: 'a Task with five extra attempts',
    kind: 'Task',
    spec: { extraAttempts: 5, suspend: true, priority: 9 },
    want: 'accepted',
  },
  { given: 'the least Council', kind: 'Council', want: 'accepted' },
  {
    given: 'a Council with agents, GPUs and a sandbox',
    kind: 'Council',
    spec: {
      default: true,
      agents: [{ name: 'one', persona: 'You are brief.', model: { temperature: '0' }, capabilities: ['go'] }, { name: 'two' }],
      model: { endpoint: 'vllm', name: 'Qwen/Qwen3-Coder-30B:awq', temperature: '1.25', concurrency: 4 },
      deliberation: { rounds: 0, quorum: 2, rubric: [{ criterion: 'correct', weight: 3 }] },
      workspace: {
        imageProfile: 'python-312',
        resources: { requests: { cpu: '500m', memory: '1.5Gi' }, limits: { ephemeralStorage: '8Gi' } },
        gpu: {
          count: 1,
          nodeSelector: [{ key: 'nvidia.com/gpu.product', value: 'H200' }],
          tolerations: [{ key: 'nvidia.com/gpu', operator: 'Exists' }],
        },
        runtimeClassName: 'gvisor',
        deadlineSeconds: 600,
      },
    },
    want: 'accepted',
  },
  { given: 'a role of your own', kind: 'Council', spec: { role: 'DEV-2' }, want: 'accepted' },
  { given: 'the least Deliberation', kind: 'Deliberation', spec: { subject: undefined }, want: 'accepted' },
  {
    given: 'a Deliberation on a Task',
    kind: 'Deliberation',
    spec: { taskRef: { name: 'a' }, storyRef: { name: 'hello' }, kind: 'Candidates', rounds: 5 },
    want: 'accepted',
  },
];

const role = 'spec.role in body should match';
const refusedUrl = 'spec.repository.url in body should match';
const refusedRef = 'spec.repository.ref in body should match';
const refusedGlob = 'fileScope[0] in body should match';

export const rejected: readonly CreateCase[] = [
  {
    given: 'a Story with 256 large decisions',
    kind: 'Story',
    spec: {
      decisions: Array.from({ length: 256 }, (_, n) => ({
        id: `D${n}`,
        title: 'Use what is there',
        rationale: 'r'.repeat(4_096),
      })),
    },
    want: 'all texts of a Story together may have at most 180000 characters',
  },
  {
    given: 'a Story that adopts a branch by its name',
    kind: 'Story',
    spec: { adoptBranch: 'fleet/shop/login' },
    want: 'spec.adoptBranch in body should match',
  },
  { given: 'a Story without a title', kind: 'Story', spec: { title: undefined }, want: 'spec.title: Required value' },
  { given: 'an empty title', kind: 'Story', spec: { title: '' }, want: 'spec.title in body should be at least 1 chars long' },
  { given: 'a title of 201 characters', kind: 'Story', spec: { title: 'T'.repeat(201) }, want: 'spec.title: Too long' },
  {
    given: 'a description beyond 32 KiB',
    kind: 'Story',
    spec: { description: 'd'.repeat(32_769) },
    want: 'spec.description: Too long',
  },
  {
    given: '65 acceptance criteria',
    kind: 'Story',
    spec: { acceptanceCriteria: Array.from({ length: 65 }, () => 'a') },
    want: 'spec.acceptanceCriteria: Too many',
  },
  {
    given: 'a Story without a repository',
    kind: 'Story',
    spec: { repository: undefined },
    want: 'spec.repository: Required value',
  },
  { given: 'http', kind: 'Story', spec: url('http://git.example.com/a.git'), want: refusedUrl },
  { given: 'a user name in the URL', kind: 'Story', spec: url('https://bob:secret@git.example.com/a.git'), want: refusedUrl },
  { given: 'a file URL', kind: 'Story', spec: url('file:///etc/passwd'), want: refusedUrl },
  { given: 'an ssh address', kind: 'Story', spec: url('git@git.example.com:a.git'), want: refusedUrl },
  { given: 'a URL with a way up', kind: 'Story', spec: url('https://git.example.com/team/../other/a.git'), want: refusedUrl },
  {
    given: 'a URL with an escaped slash',
    kind: 'Story',
    spec: url('https://git.example.com/team%2f..%2fa.git'),
    want: refusedUrl,
  },
  { given: 'a URL with a query', kind: 'Story', spec: url('https://git.example.com/a.git?ref=x'), want: refusedUrl },
  { given: 'a URL of two lines', kind: 'Story', spec: url('https://git.example.com/a.git\nx'), want: refusedUrl },
  { given: 'a ref that git takes for an option', kind: 'Story', spec: ref('--upload-pack=touch'), want: refusedRef },
  { given: 'a ref that is a range', kind: 'Story', spec: ref('main..dev'), want: refusedRef },
  { given: 'a ref with a colon', kind: 'Story', spec: ref('main:refs/heads/prod'), want: refusedRef },
  { given: 'a ref that is a lock file', kind: 'Story', spec: ref('main.lock'), want: 'ref must not end with .lock' },
  { given: 'an unknown rigor', kind: 'Story', spec: { rigor: 'L4' }, want: 'spec.rigor: Unsupported value: "L4"' },
  {
    given: 'a priority beyond its bounds',
    kind: 'Story',
    spec: { priority: 1_000_001 },
    want: 'spec.priority in body should be less than or equal to',
  },
  {
    given: 'a gate mode of nobody',
    kind: 'Story',
    spec: { gates: { scope: 'Sometimes' } },
    want: 'spec.gates.scope: Unsupported value',
  },
  {
    given: 'an approval of the design gate',
    kind: 'Story',
    spec: { approvals: [approval({ gate: 'design' })] },
    want: 'gate: Unsupported value: "design"',
  },
  {
    given: 'two approvals of one gate and digest',
    kind: 'Story',
    spec: { approvals: [approval(), approval({ by: 'eve' })] },
    want: 'spec.approvals[1]: Duplicate value',
  },
  {
    given: 'an approval of no digest',
    kind: 'Story',
    spec: { approvals: [approval({ digest: 'yes' })] },
    want: 'spec.approvals[0].digest in body should match',
  },
  {
    given: 'two councils for one role',
    kind: 'Story',
    spec: {
      councils: [
        { role: 'DEV', name: 'a' },
        { role: 'DEV', name: 'b' },
      ],
    },
    want: 'spec.councils[1]: Duplicate value',
  },
  {
    given: 'a budget that is a fraction',
    kind: 'Story',
    spec: { budget: { tokens: 1.5 } },
    want: 'spec.budget.tokens in body must be of type integer',
  },
  {
    given: 'a Story whose name has a dot, which is no part of a branch',
    kind: 'Story',
    name: 'say.hello',
    want: 'metadata.name in body should match',
  },
  {
    given: 'an external id with a space',
    kind: 'Story',
    spec: { externalId: 'a b' },
    want: 'spec.externalId in body should match',
  },
  {
    given: 'a Plan with neither tasks nor source',
    kind: 'Plan',
    spec: { tasks: undefined },
    want: 'give either tasks or source',
  },
  { given: 'a Plan with both', kind: 'Plan', spec: { source: '- [ ] a: b' }, want: 'give either tasks or source' },
  {
    given: 'a Plan without tasks in its list',
    kind: 'Plan',
    spec: { tasks: [] },
    want: 'spec.tasks in body should have at least 1 items',
  },
  {
    given: '501 tasks',
    kind: 'Plan',
    spec: { tasks: Array.from({ length: 501 }, (_, n) => task(`t${n}`)) },
    want: 'spec.tasks: Too many: 501',
  },
  { given: 'two tasks of one id', kind: 'Plan', spec: tasks(task('a'), task('a')), want: 'spec.tasks[1]: Duplicate value' },
  {
    given: 'a task that needs itself twice',
    kind: 'Plan',
    spec: tasks(task('a', { dependsOn: ['b', 'b'] })),
    want: 'dependsOn[1]: Duplicate value: "b"',
  },
  {
    given: 'ten candidates',
    kind: 'Plan',
    spec: tasks(task('a', { candidates: 10 })),
    want: 'candidates in body should be less than or equal to 9',
  },
  {
    given: 'a text of more than 128 KiB',
    kind: 'Plan',
    spec: { tasks: undefined, source: 's'.repeat(131_073) },
    want: 'spec.source: Too long',
  },
  { given: 'an absolute file scope', kind: 'Plan', spec: tasks(task('a', { fileScope: ['/etc/**'] })), want: refusedGlob },
  {
    given: 'a file scope with a way up',
    kind: 'Plan',
    spec: tasks(task('a', { fileScope: ['src/../../x'] })),
    want: refusedGlob,
  },
  { given: 'a file scope that negates', kind: 'Plan', spec: tasks(task('a', { fileScope: ['!src/**'] })), want: refusedGlob },
  {
    given: 'a glob that takes for ever to match',
    kind: 'Plan',
    spec: tasks(task('a', { fileScope: ['*a'.repeat(17)] })),
    want: 'a glob may hold at most 16 stars',
  },
  { given: 'a lower-case role', kind: 'Plan', spec: tasks(task('a', { role: 'developer' })), want: 'role in body should match' },
  {
    given: 'a Plan that its author approves',
    kind: 'Plan',
    spec: { approval: { verdict: 'Approved', by: 'alice', digest: DIGEST } },
    want: 'the author of a Plan cannot decide on it',
  },
  {
    given: 'an approval of a shortened digest',
    kind: 'Plan',
    spec: { approval: { verdict: 'Approved', by: 'bob', digest: 'sha256:abc' } },
    want: 'spec.approval.digest in body should match',
  },
  {
    given: 'a Task without the digest of its task',
    kind: 'Task',
    spec: { taskDigest: undefined },
    want: 'spec.taskDigest: Required value',
  },
  {
    given: 'six extra attempts',
    kind: 'Task',
    spec: { extraAttempts: 6 },
    want: 'spec.extraAttempts in body should be less than or equal to 5',
  },
  { given: 'a Council of a role in lower case', kind: 'Council', spec: { role: 'dev' }, want: role },
  {
    given: 'a temperature that is a number',
    kind: 'Council',
    spec: { model: { endpoint: 'v', name: 'm', temperature: 0.7 } },
    want: 'spec.model.temperature in body must be of type string',
  },
  {
    given: 'a temperature beyond 2',
    kind: 'Council',
    spec: { model: { endpoint: 'v', name: 'm', temperature: '2.1' } },
    want: 'spec.model.temperature in body should match',
  },
  {
    given: 'an endpoint that is a URL',
    kind: 'Council',
    spec: { model: { endpoint: 'https://evil.example.com', name: 'm' } },
    want: 'spec.model.endpoint in body should match',
  },
  { given: 'ten agents', kind: 'Council', spec: { size: 10 }, want: 'spec.size in body should be less than or equal to 9' },
  {
    given: 'two agents of one name',
    kind: 'Council',
    spec: { agents: [{ name: 'a' }, { name: 'a' }] },
    want: 'spec.agents[1]: Duplicate value',
  },
  {
    given: 'a quantity that is none',
    kind: 'Council',
    spec: { workspace: { imageProfile: 'node', resources: { limits: { memory: 'much' } } } },
    want: 'memory in body should match',
  },
  {
    given: 'a Deliberation of six rounds',
    kind: 'Deliberation',
    spec: { rounds: 6 },
    want: 'spec.rounds in body should be less than or equal to 5',
  },
  {
    given: 'a Deliberation of an unknown kind',
    kind: 'Deliberation',
    spec: { kind: 'Chat' },
    want: 'spec.kind: Unsupported value: "Chat"',
  },
  {
    given: 'an approval of another form of digest',
    kind: 'Plan',
    spec: { approval: { verdict: 'Maybe', by: 'bob', digest: OTHER_DIGEST } },
    want: 'verdict: Unsupported value: "Maybe"',
  },
];
