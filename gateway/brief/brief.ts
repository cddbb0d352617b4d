// The brief of an attempt or courier, built from what is cached and the platform's configuration. Pure: same objects, same brief.

import { brief as briefSchema, type Brief } from '../../crds/contracts/brief.ts';
import { branchOf } from '../../crds/names.ts';
import type { PlatformConfig } from '../../crds/contracts/platform.ts';
import { agentOf, councilFor } from '../../crds/rules/councils.ts';
import { runLimits } from '../../crds/rules/limits.ts';
import { courierProfileName, foundRow, imageProfileNamed, imageProfileOf } from '../../crds/rules/platform-rows.ts';
import type { Story } from '../../crds/kinds/story.ts';
import type { Attempt, Task } from '../../crds/kinds/task.ts';
import type { Council } from '../../crds/kinds/council.ts';
import { contextOf } from '../../agent/context.ts';

export interface BriefInput {
  readonly story: Story;
  readonly task: Task;
  readonly attempt: Attempt;
  readonly siblings: readonly Task[];
  readonly councils: readonly Council[];
  readonly platform: PlatformConfig;
  readonly courier: boolean;
}

/** `later`: something that the objects do not say yet. `broken`: what a person has to change. */
export type BriefResult =
  | { readonly kind: 'brief'; readonly brief: Brief }
  | { readonly kind: 'later'; readonly message: string }
  | { readonly kind: 'broken'; readonly code: string; readonly message: string };

const broken = (code: string, message: string): BriefResult => ({ kind: 'broken', code, message });

/** The attempt before this one that failed, if any; one that was stopped has not. */
const lastFailureOf = (task: Task, attempt: Attempt): Attempt | undefined =>
  (task.status?.attempts ?? [])
    .filter(
      ({ n, finishedAt, reason, outcome }) =>
        n < attempt.n && finishedAt !== undefined && reason !== undefined && outcome !== 'Cancelled',
    )
    .toSorted((a, b) => b.n - a.n)[0];

const taskPart = (task: Task): Brief['task'] => {
  const { id, title, description, role, phase, fileScope, constraints } = task.spec.task;
  return {
    ...{ uid: task.metadata.uid, name: task.metadata.name, id, title, role, phase },
    description: description ?? '',
    fileScope: [...(fileScope ?? [])],
    requirements: [...(constraints?.requirements ?? [])],
    rubric: (constraints?.rubric ?? []).map(({ criterion, weight, text }) => ({ criterion, weight, text: text ?? '' })),
  };
};

const storyPart = ({ metadata, spec }: Story): Brief['story'] => ({
  ...{ uid: metadata.uid, name: metadata.name, namespace: metadata.namespace, title: spec.title },
  description: spec.description ?? '',
  acceptanceCriteria: [...(spec.acceptanceCriteria ?? [])],
});

const repositoryPart = ({ metadata, spec }: Story, baseCommit: string): Brief['repository'] => ({
  baseCommit,
  ref: spec.repository.ref,
  branch: branchOf(metadata.namespace, metadata.name),
  ...(spec.adoptBranch !== undefined && { adopt: spec.adoptBranch }),
});

const failurePart = (failure: Attempt | undefined): Pick<Brief, 'lastFailure'> => {
  if (failure === undefined) return {};
  const { n, reason = 'Unknown', message = '', verify } = failure;
  const counts = verify === undefined ? '' : `(${verify.passed} of ${verify.passed + verify.failed} verify commands passed)`;
  return { lastFailure: { attempt: n, reason, message: `${message} ${counts}`.trim() } };
};

const courierPart = (attempt: Attempt): Pick<Brief, 'courier'> | undefined => {
  const { patch, evidence, base } = attempt;
  return patch === undefined || evidence === undefined || base === undefined ? undefined : { courier: { patch, evidence, base } };
};

/** Builds the brief of one attempt, or of its courier. */
export const buildBrief = (input: BriefInput): BriefResult => {
  const { story, task, attempt, councils, platform } = input;
  const baseCommit = story.status?.baseCommit;
  if (baseCommit === undefined) return { kind: 'later', message: 'the base commit of the Story is not known yet' };
  const council = councilFor(task.spec.task.role, story, councils);
  if (input.courier) return courierBrief(input, { council, baseCommit });
  if (council === undefined) return broken('CouncilMissing', `no Council serves role ${task.spec.task.role} of this Story`);
  const agent = agentOf(council, attempt.agent);
  if (agent === undefined) return broken('AgentMissing', `Council ${council.metadata.name} has no agent ${attempt.agent}`);
  const profile = foundRow(imageProfileOf(council, platform));
  if (profile === undefined) return profileMissing(council.spec.workspace.imageProfile);
  return checked(assembled(input, { council, agent, setup: profile.setup, baseCommit }));
};

const profileMissing = (name: string | undefined): BriefResult =>
  broken('ImageProfileMissing', `no image profile ${name ?? 'of its attempt'} serves this namespace`);

/** A courier needs no agent: the Council may have lost its own, or be gone. */
const courierBrief = (input: BriefInput, known: Pick<Found, 'council' | 'baseCommit'>): BriefResult => {
  const { story, attempt, platform } = input;
  const name = courierProfileName(attempt, known.council);
  const profile = name === undefined ? undefined : foundRow(imageProfileNamed(name, story.metadata.namespace, platform));
  if (profile === undefined) return profileMissing(name);
  const courier = courierPart(attempt);
  if (courier === undefined) return { kind: 'later', message: 'the patch of the attempt is not in its status yet' };
  return checked({ ...assembled(input, { ...known, agent: { name: attempt.agent }, setup: profile.setup }), ...courier });
};

interface Found {
  readonly council: Council | undefined;
  readonly agent: Brief['agent'];
  readonly setup: readonly string[];
  readonly baseCommit: string;
}

const assembled = (input: BriefInput, found: Found): Brief => {
  const { story, task, attempt, siblings } = input;
  const lastFailure = lastFailureOf(task, attempt);
  const limits = runLimits({ ...input, council: found.council }, input.courier ? 'courier' : 'attempt');
  return {
    story: storyPart(story),
    task: taskPart(task),
    attempt: attempt.n,
    startedAt: attempt.startedAt,
    agent: { ...found.agent },
    repository: repositoryPart(story, found.baseCommit),
    setup: { commands: [...found.setup] },
    verify: { commands: [...(task.spec.task.verify?.commands ?? [])], timeoutSeconds: limits.wallClockSeconds },
    limits,
    planDigest: task.spec.planRef.digest,
    context: contextOf({ story, task, siblings }),
    ...failurePart(lastFailure),
  };
};

/** A brief that its own schema refuses would be refused by the runner, far from where it can be understood. */
const checked = (candidate: Brief): BriefResult => {
  const result = briefSchema.safeParse(candidate);
  if (result.success) return { kind: 'brief', brief: result.data };
  const [issue] = result.error.issues;
  return broken('BriefInvalid', `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'invalid'}`);
};
