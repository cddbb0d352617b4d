// Whether a Council can work: its endpoint is in the platform's table for this namespace, answers with its model, calls tools and
// gives structured output.
// May: judge tables and answers. May not: call anybody; a probe is a command, its answer comes through the cache.

import type { GatewayCommand, ProbeAnswer } from '../../crds/contracts/commands.ts';
import type { CouncilStatus } from '../../crds/kinds/council.ts';
import { agentsOf } from '../../crds/rules/councils.ts';
import { imageProfileOf, modelUpstream, offersModel } from '../../crds/rules/platform-rows.ts';
import type { Decision, Effect, Outcome } from '../contract.ts';
import { leave, settle } from '../settle.ts';
import { reasonOr } from '../text.ts';
import { wireId } from '../wire-names.ts';
import type { CouncilSeen } from './observe.ts';
import { nextProbe, standingAnswer } from './probe.ts';

type CouncilDecision = Decision<CouncilStatus>;
type Rule = (seen: CouncilSeen, now: number) => CouncilDecision | undefined;

interface Verdict {
  readonly ready: 'True' | 'False' | 'Unknown';
  readonly reason: string;
  readonly message: string;
  readonly answeredAt?: string;
}

const written = (
  seen: CouncilSeen,
  now: number,
  verdict: Verdict,
  next: { readonly outcome: Outcome; readonly effects?: readonly Effect[] },
) => {
  const { council } = seen;
  const { status, spec } = council;
  const names = agentsOf(council);
  const { ready, reason, message } = verdict;
  // the time moves with the verdict only, so that an answer which says what the last one said is no reason to write
  const isSame = status?.ready === ready && status.reason === reason;
  const data = { council_id: wireId(council), role: spec.role, num_agents: names.length };
  return settle<CouncilStatus, 'Council'>(
    council,
    {
      outcome: next.outcome,
      why: message,
      effects: next.effects ?? [],
      fields: {
        agents: names.length,
        agentNames: [...names],
        ready,
        reason,
        probedAt: isSame ? status.probedAt : verdict.answeredAt,
      },
      conditions: [{ type: 'Ready', status: ready, reason, message }],
      events: status?.eventSeq === undefined ? [{ type: 'orchestration.council.created', data }] : [],
    },
    { now, cursor: seen.cursor },
  );
};

const unready = (seen: CouncilSeen, now: number, reason: string, message: string): CouncilDecision =>
  written(seen, now, { ready: 'False', reason, message }, { outcome: { kind: 'waiting' } });

const upstreamOf = ({ council, platform }: CouncilSeen) =>
  modelUpstream(council.spec.model.endpoint, council.metadata.namespace, platform.upstreams);

const beingDeleted: Rule = ({ council }) =>
  council.metadata.deletionTimestamp === undefined ? undefined : leave('the Council is being deleted', { kind: 'done' });

const endpointUnknown: Rule = (seen, now) => {
  if (upstreamOf(seen).kind !== 'unknown') return undefined;
  const known = seen.platform.upstreams.filter(({ kind }) => kind === 'model').map(({ name }) => name);
  const list = known.length === 0 ? 'there is none' : `there are ${known.join(', ')}`;
  return unready(seen, now, 'EndpointUnknown', `no model upstream is called ${seen.council.spec.model.endpoint}: ${list}`);
};

const namespaceNotAllowed: Rule = (seen, now) => {
  const lookup = upstreamOf(seen);
  const { namespace } = seen.council.metadata;
  if (lookup.kind !== 'notForNamespace') return undefined;
  return unready(seen, now, 'NamespaceNotAllowed', `model upstream ${lookup.row.name} does not serve namespace ${namespace}`);
};

const modelNotListed: Rule = (seen, now) => {
  const lookup = upstreamOf(seen);
  if (lookup.kind !== 'found' || offersModel(lookup.row, seen.council.spec.model.name)) return undefined;
  const models = (lookup.row.models ?? []).join(', ');
  return unready(seen, now, 'ModelMissing', `the platform lists other models for that upstream: ${models}`);
};

const imageProfileUnknown: Rule = (seen, now) => {
  const { imageProfile } = seen.council.spec.workspace;
  const { namespace } = seen.council.metadata;
  const { kind } = imageProfileOf(seen.council, seen.platform);
  if (kind === 'found') return undefined;
  if (kind === 'unknown') return unready(seen, now, 'ImageProfileUnknown', `no image profile is called ${imageProfile}`);
  return unready(seen, now, 'NamespaceNotAllowed', `image profile ${imageProfile} does not serve namespace ${namespace}`);
};

const storeUnavailable: Rule = ({ council, storeAvailable }) =>
  !storeAvailable && council.status?.ready !== undefined
    ? leave('JetStream is down: the last verdict stands', { kind: 'waiting' })
    : undefined;

const judged = ({ council }: CouncilSeen, answer: ProbeAnswer | undefined): Verdict => {
  const { name, endpoint } = council.spec.model;
  if (answer === undefined) return { ready: 'Unknown', reason: 'Probing', message: `endpoint ${endpoint} has not answered yet` };
  const no = (reason: string, message: string): Verdict => ({ ready: 'False', reason, message, answeredAt: answer.at });
  if (!answer.ok) return no(reasonOr(answer.reason, 'ProbeFailed'), answer.message);
  if (!answer.models.includes(name)) return no('ModelMissing', `endpoint ${endpoint} does not serve model ${name}`);
  if (!answer.toolCalls) return no('ToolCallsUnsupported', `model ${name} did not call a tool that it was told to call`);
  if (!answer.structuredOutput) return no('StructuredOutputUnsupported', `model ${name} did not keep to a JSON schema`);
  return { ready: 'True', reason: 'Ready', message: `endpoint ${endpoint} serves model ${name}`, answeredAt: answer.at };
};

const probed: Rule = (seen, now) => {
  const { council, storeAvailable } = seen;
  const verdict = judged(seen, standingAnswer(seen, now));
  const { id, afterMs } = nextProbe(seen, verdict.ready === 'True', now);
  const { endpoint, name } = council.spec.model;
  const { namespace } = council.metadata;
  const commands: readonly GatewayCommand[] = id === undefined ? [] : [{ id, kind: 'probe', namespace, endpoint, model: name }];
  const effects: readonly Effect[] = storeAvailable ? commands.map((command) => ({ verb: 'command', command })) : [];
  return written(seen, now, verdict, { outcome: { kind: 'waiting', afterMs }, effects });
};

/** The specification: what holds first decides. */
export const rules: readonly (readonly [string, Rule])[] = [
  ['a Council that is being deleted is left alone', beingDeleted],
  ['its endpoint is a model upstream of the platform', endpointUnknown],
  ['that upstream serves its namespace', namespaceNotAllowed],
  ['that upstream has its model', modelNotListed],
  ['its image profile is there for its namespace', imageProfileUnknown],
  ['without JetStream the last verdict stands', storeUnavailable],
  ['it is ready when the endpoint proves it', probed],
];

export const decideCouncil = (seen: CouncilSeen, now: number): CouncilDecision => {
  for (const [, rule] of rules) {
    const decision = rule(seen, now);
    if (decision !== undefined) return decision;
  }
  return leave('nothing applies', { kind: 'done' });
};
