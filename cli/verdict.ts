// approve and reject: shows what is decided on, asks, and writes the decision on exactly that, in the person's own name.

import { planDigest, scopeDigest } from '../crds/digests.ts';
import type { Approval } from '../crds/kinds/story.ts';
import { ApiError } from '../kube/error.ts';
import { find, ownName, RESOURCES, type Cluster, type Objects } from './cluster.ts';
import type { Gate, VerdictRequest } from './requests.ts';
import { planText, scopeText, workText } from './decision-text.ts';
import type { Terminal } from './terminal.ts';
import { harmless, shortDigest } from './text.ts';
import { Failure } from './failure.ts';

type Where = Pick<Cluster, 'client' | 'namespace'>;

const word = (verb: VerdictRequest['verb']): 'Approved' | 'Rejected' => (verb === 'approve' ? 'Approved' : 'Rejected');

/** @throws {Failure} when the person says no, or cannot be asked */
const confirm = async (request: VerdictRequest, terminal: Terminal, question: string): Promise<void> => {
  if (request.yes) return;
  if (terminal.ask === undefined)
    throw new Failure('there is no terminal to ask on', 'Add --yes if you have read what is above.');
  const answer = (await terminal.ask(`${question} [y/N] `)).trim().toLowerCase();
  if (answer !== 'y' && answer !== 'yes') throw new Failure('nothing was decided');
};

/** The digest to decide on, checked against the very tasks that are shown. */
const digestOfPlan = (plan: Objects['plan']): string => {
  const { metadata, spec, status } = plan;
  if (spec.approval !== undefined)
    throw new Failure(
      `Plan ${metadata.name} was ${spec.approval.verdict.toLowerCase()} already, by ${harmless(spec.approval.by)}`,
    );
  if (status?.problems !== undefined && status.problems.length > 0)
    throw new Failure(
      `Plan ${metadata.name} cannot be used: ${harmless(status.problems.map((one) => `${one.where}: ${one.message}`).join('; '))}`,
      'Write another revision.',
    );
  const { digest, tasks, storyUid, scopeDigest: scope } = status ?? {};
  if (digest === undefined || tasks === undefined || storyUid === undefined || scope === undefined)
    throw new Failure(
      `the operator has not read Plan ${metadata.name} yet${status?.message === undefined ? '' : `: ${harmless(status.message)}`}`,
      `See: kubectl get plan ${metadata.name}`,
    );
  if (planDigest({ storyUid, scopeDigest: scope, revision: spec.revision, tasks }) !== digest)
    throw new Failure(
      `the digest in the status of Plan ${metadata.name} is not that of its tasks`,
      'Do not approve it; someone changed its status. Ask the platform engineer.',
    );
  return digest;
};

const decidePlan = async (request: VerdictRequest, name: string, where: Where, terminal: Terminal): Promise<void> => {
  const plan = await find(where, 'plan', name);
  const digest = digestOfPlan(plan);
  const by = await ownName(where);
  terminal.write(planText(plan, digest, terminal.paint));
  if (plan.spec.author === by)
    throw new Failure(
      `you (${by}) wrote this Plan: another person must decide on it`,
      `They run: kubectl fleet ${request.verb} plan ${name} -n ${where.namespace}`,
    );
  await confirm(request, terminal, `${request.verb === 'approve' ? 'Approve' : 'Reject'} this Plan as ${by}?`);
  const approval = { verdict: word(request.verb), by, digest, ...(request.reason !== undefined && { reason: request.reason }) };
  await where.client.patch(RESOURCES.plan, { namespace: where.namespace, name }, { spec: { approval } });
  terminal.write(`Plan ${name} ${word(request.verb).toLowerCase()}, ${shortDigest(digest)}, as ${by}\n`);
};

const PHASE_OF_GATE = { scope: 'Draft', test: 'Test', docs: 'Docs' } as const;

/** What the gate decides on: the scope as shown, or the head commit. */
const digestOfGate = (story: Objects['story'], gate: Gate): string => {
  const { metadata, spec, status } = story;
  const phase = status?.phase;
  if (phase === undefined)
    throw new Failure(`the operator has not looked at Story ${metadata.name} yet`, 'Is it running?  kubectl get stories');
  if (phase !== PHASE_OF_GATE[gate])
    throw new Failure(
      `Story ${metadata.name} is in phase ${phase}: its gate ${gate} is decided in ${PHASE_OF_GATE[gate]}`,
      `See: kubectl fleet tree story ${metadata.name}`,
    );
  if (gate === 'scope') {
    const digest = scopeDigest(spec);
    if (status?.scopeDigest !== digest)
      throw new Failure('the operator has not seen the latest change of this Story yet', 'Try again in a moment.');
    return digest;
  }
  if (status?.headCommit === undefined) throw new Failure(`Story ${metadata.name} has no commit yet`);
  return status.headCommit;
};

const withApproval = (story: Objects['story'], approval: Approval): object => ({
  metadata: { resourceVersion: story.metadata.resourceVersion },
  spec: { approvals: [...(story.spec.approvals ?? []), approval] },
});

const WRITE_TRIES = 5;

/** Appends; when the Story changed meanwhile, looks again whether the decision is still on the same thing. */
const append = async (where: Where, story: Objects['story'], approval: Approval): Promise<void> => {
  const { name } = story.metadata;
  let current = story;
  for (let tries = 1; ; tries += 1)
    try {
      await where.client.patch(RESOURCES.story, { namespace: where.namespace, name }, withApproval(current, approval));
      return;
    } catch (error) {
      if (!(error instanceof ApiError) || error.sort !== 'conflict' || tries >= WRITE_TRIES) throw error;
      current = await find(where, 'story', name);
      if (digestOfGate(current, approval.gate) !== approval.digest)
        throw new Failure('the Story changed while you looked at it: nothing was decided', 'Look again.');
    }
};

const decideStory = async (
  request: VerdictRequest,
  target: { readonly name: string; readonly gate: Gate },
  where: Where,
  terminal: Terminal,
): Promise<void> => {
  const { name, gate } = target;
  const story = await find(where, 'story', name);
  const digest = digestOfGate(story, gate);
  const decided = story.spec.approvals?.find((one) => one.gate === gate && one.digest === digest);
  if (decided !== undefined)
    throw new Failure(`gate ${gate} was ${decided.verdict.toLowerCase()} already, by ${harmless(decided.by)}`);
  const by = await ownName(where);
  terminal.write((gate === 'scope' ? scopeText : workText)(story, digest, terminal.paint));
  await confirm(request, terminal, `${request.verb === 'approve' ? 'Approve' : 'Reject'} at gate ${gate} as ${by}?`);
  await append(where, story, {
    gate,
    digest,
    verdict: word(request.verb),
    by,
    ...(request.reason !== undefined && { reason: request.reason }),
  });
  terminal.write(`Story ${name}: gate ${gate} ${word(request.verb).toLowerCase()}, ${shortDigest(digest)}, as ${by}\n`);
};

export const decide = (request: VerdictRequest, where: Where, terminal: Terminal): Promise<void> =>
  request.target.kind === 'plan'
    ? decidePlan(request, request.target.name, where, terminal)
    : decideStory(request, request.target, where, terminal);
