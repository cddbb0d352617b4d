// Story: what a person wants changed, where, and who must agree.
import { z } from 'zod';
import {
  baseStatus,
  commitId,
  count,
  digest,
  externalId,
  message,
  objectName,
  reason,
  role,
  validated,
  time,
  uid,
  type Resource,
  type Immutable,
} from './meta.ts';

export const RIGORS = ['L0', 'L1', 'L2', 'L3'] as const;
export type Rigor = (typeof RIGORS)[number];
export const GATES = ['scope', 'design', 'test', 'docs'] as const;
export type Gate = (typeof GATES)[number];
export const APPROVAL_GATES = ['scope', 'test', 'docs'] as const;
export const STORY_PHASES = ['Draft', 'Design', 'Build', 'Test', 'Docs', 'Done', 'Failed', 'Cancelled'] as const;
export type StoryPhase = (typeof STORY_PHASES)[number];

const gateMode = z.enum(['Human', 'Auto']);
export type GateMode = z.infer<typeof gateMode>;

/** User name as the API server knows it. */
export const userName = (description: string) => z.string().min(1).max(256).describe(description);
export const verdict = z.enum(['Approved', 'Rejected']).describe('Approved or Rejected.');

export const approval = z
  .object({
    gate: z.enum(APPROVAL_GATES).describe('Gate that is decided on.'),
    digest: z
      .string()
      .max(71)
      .regex(/^sha256:[0-9a-f]{64}$|^[0-9a-f]{40}([0-9a-f]{24})?$/)
      .describe('What was looked at: the scope digest for gate scope, the head commit for test and docs.'),
    verdict,
    by: userName('User name of the person, which admission compares with the requester.'),
    reason: z.string().max(1024).optional().describe('Why; expected with a rejection.'),
  })
  .describe('A decision on a gate. Entries are never changed or removed.');
export type Approval = Immutable<z.infer<typeof approval>>;

const decision = z.object({
  id: z.string().min(1).max(128).describe('Id, unique in the Story.'),
  title: z.string().min(1).max(256).describe('What was decided.'),
  rationale: z.string().max(4096).default('').describe('Why.'),
  status: z.string().max(32).default('ACTIVE').describe('State in the words of the client that added it.'),
  by: z.string().max(256).default('').describe('Who decided.'),
});
const milestone = z.object({
  id: z.string().min(1).max(128).describe('Id, unique in the Story.'),
  type: z.string().max(64).describe('What kind of milestone.'),
  description: z.string().max(1024).default('').describe('What was reached.'),
  at: time('When it was reached.').optional(),
});

const REF_PART = '[A-Za-z0-9_][A-Za-z0-9_+-]*(?:\\.[A-Za-z0-9_+-]+)*';
const URL_PART = '(?:[A-Za-z0-9_~+-]|\\.[A-Za-z0-9_~+-])[A-Za-z0-9._~+-]*';
const HOST_PART = '[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?';

/** https, a host name in lower case, no user, query, fragment or dot segment. */
const REPOSITORY_URL_PATTERN = new RegExp(`^https://${HOST_PART}(?:\\.${HOST_PART})*(?::[1-9][0-9]{0,4})?(?:/${URL_PART})+$`);
/** A branch, a tag, a full ref or a commit: nothing that git could take for an option, a range or a way out. */
const GIT_REF_PATTERN = new RegExp(`^${REF_PART}(?:/${REF_PART})*$`);

const gitRef = validated(
  z
    .string()
    .max(200)
    .regex(GIT_REF_PATTERN)
    .describe('Branch, tag or commit to start from, or refs/heads/… in full. The commit is pinned when the Draft ends.'),
  { rule: "!self.endsWith('.lock')", message: 'ref must not end with .lock' },
  (ref) => !ref.endsWith('.lock'),
);

const repository = z
  .object({
    url: z
      .string()
      .max(512)
      .regex(REPOSITORY_URL_PATTERN)
      .describe(
        "https address of the git repository, without credentials. It only selects a row of the platform engineer's table.",
      ),
    ref: gitRef.default('main'),
  })
  .describe('Where the change is to be made.');

export const storySpec = z
  .object({
    externalId: externalId.optional(),
    title: z.string().min(1).max(200).describe('What is wanted, in one line.'),
    description: z.string().max(32_768).default('').describe('Who wants what, and why.'),
    acceptanceCriteria: z
      .array(z.string().min(1).max(2048).describe('One thing that must be true in the end.'))
      .max(64)
      .default([])
      .describe('How one can tell that it is done; Given, when, then.'),
    repository,
    adoptBranch: commitId(
      'Head commit of the story branch, where it exists and is of another Story (this one was made anew): the work goes on upon exactly that commit. Needs the right to the scope gate.',
    ).optional(),
    rigor: z
      .enum(RIGORS)
      .default('L1')
      .describe('How strict to be: threshold of the readiness score 50, 75, 85, 90 for L0 to L3.'),
    priority: z.int().min(-1_000_000).max(1_000_000).default(0).describe('Order among Stories; higher first.'),
    councils: z
      .array(
        z
          .object({
            role,
            name: objectName('Council of this namespace.'),
          })
          .describe('One choice.'),
      )
      .max(32)
      .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['role'] })
      .default([])
      .describe('Councils by role; for a role that is absent the default Council of the namespace serves.'),
    plan: z
      .object({
        mode: z.enum(['Council', 'Provided']).default('Provided').describe('Who writes the Plan. This version serves Provided.'),
        maxRevisions: z.int().min(1).max(16).default(3).describe('How many revisions a Council may write.'),
      })
      .default({ mode: 'Provided', maxRevisions: 3 })
      .describe('Where the Plan comes from.'),
    gates: z
      .object({
        scope: gateMode.optional().describe('Whether a person approves the scope.'),
        design: gateMode.optional().describe('Whether a person approves the Plan.'),
        test: gateMode.optional().describe('Whether a person approves the end of Test.'),
        docs: gateMode.optional().describe('Whether a person approves the end of Docs.'),
      })
      .default({})
      .describe(
        'Who opens the gates: Human or Auto. Absent ones are taken from the platform and pinned in status. Auto needs the right to it; later only Auto may become Human.',
      ),
    approvals: z
      .array(approval)
      .max(64)
      .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['gate', 'digest'] })
      .optional()
      .describe('Decisions of people on the gates scope, test and docs.'),
    decisions: z
      .array(decision.describe('One decision.'))
      .max(256)
      .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['id'] })
      .optional()
      .describe('Decisions that clients record.'),
    milestones: z
      .array(milestone.describe('One milestone.'))
      .max(256)
      .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['id'] })
      .optional()
      .describe('Milestones that clients record.'),
    budget: z
      .object({
        tokens: z.int().min(1).optional().describe('Most model tokens for the whole Story.'),
        gpuSeconds: z
          .int()
          .min(1)
          .optional()
          .describe(
            'Most GPU seconds of workspaces (GPUs of the Council × seconds that a workspace ran): then they are stopped.',
          ),
        wallClockSeconds: z
          .int()
          .min(60)
          .max(31_536_000)
          .default(604_800)
          .describe("Time from the Plan's approval to the end, in seconds."),
      })
      .default({ wallClockSeconds: 604_800 })
      .describe('Limits for the whole Story.'),
    baseline: z
      .boolean()
      .default(false)
      .describe('Whether one agent with the same tokens does the work for comparison. This version does not.'),
    suspend: z.boolean().default(false).describe('Starts nothing new while true; running Jobs finish.'),
    cancel: z.boolean().default(false).describe('Ends the Story. Cannot be taken back.'),
  })
  .describe('What is wanted.');

const finding = z.object({
  code: z.string().max(32).describe('Code of the finding.'),
  weight: z.int().describe('Points that it costs.'),
  message: z.string().max(512).describe('What to change.'),
});

export const storyStatus = z
  .object({
    ...baseStatus,
    phase: z.enum(STORY_PHASES).optional().describe('Where the Story is; derived.'),
    waitingFor: z.string().max(256).optional().describe('What it waits for, in a sentence.'),
    readiness: z
      .object({
        score: z.int().min(0).max(100).describe('Points.'),
        threshold: z.int().min(0).max(100).describe('Points needed at this rigor.'),
        findings: z.array(finding.describe('One finding.')).max(32).describe('What lowers the score.'),
      })
      .optional()
      .describe('How ready the Story is to be planned.'),
    scopeDigest: digest('What gate scope approves: title, description, acceptance criteria, repository and rigor.').optional(),
    gates: z
      .object({
        scope: gateMode.describe('Gate scope.'),
        design: gateMode.describe('Gate design.'),
        test: gateMode.describe('Gate test.'),
        docs: gateMode.describe('Gate docs.'),
      })
      .optional()
      .describe('Gates as pinned at the first look.'),
    baseCommit: commitId('Commit of repository.ref that the work starts from.').optional(),
    branch: z.string().max(400).optional().describe('Branch that the work lands on.'),
    headCommit: commitId('Newest commit of that branch; the base commit while there is none.').optional(),
    plan: z
      .object({
        name: objectName('Name of the Plan.'),
        uid: uid('Its uid.'),
        revision: z.int().min(1).describe('Its revision.'),
        digest: digest('What was approved.'),
      })
      .optional()
      .describe('The approved Plan in force.'),
    tasks: z
      .object({
        total: count('Tasks of the Plan in force.'),
        succeeded: count('Tasks that succeeded.'),
        failed: count('Tasks that failed or were cancelled.'),
        summary: z.string().max(32).describe('Succeeded of all, for people.'),
      })
      .optional()
      .describe('How far the tasks are.'),
    usage: z
      .object({
        tokens: count('Model tokens spent.', Number.MAX_SAFE_INTEGER),
        gpuSeconds: count('GPU seconds spent.', Number.MAX_SAFE_INTEGER),
      })
      .optional()
      .describe('What was spent, as of the last change of phase or end of an attempt.'),
    startedAt: time('When the Plan was approved.').optional(),
    deadline: time('When the wall clock budget ends.').optional(),
    completedAt: time('When the Story ended.').optional(),
    reason: reason('Why it ended as it did.').optional(),
    message: message('The same for people.').optional(),
  })
  .describe('What was seen.');

export type StorySpec = Immutable<z.output<typeof storySpec>>;
export type StoryStatus = Immutable<z.output<typeof storyStatus>>;
export type Story = Resource<'Story', StorySpec, StoryStatus>;
