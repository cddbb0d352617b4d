// The specification of a Council: whether it can work. Its endpoint is in the platform's table for this namespace, answers with its
// model, calls tools and gives structured output. Read `rules`, at the end, from top to bottom: the first that applies decides.
// May: judge tables and answers. May not: call anybody; a probe is a command, its answer comes through the cache.

import type { GatewayCommand, ProbeAnswer } from '../../crds/contracts/commands.ts';
import type { CouncilStatus } from '../../crds/kinds/council.ts';
import { imageProfileOf, modelUpstream, offersModel } from '../../crds/rules/platform-rows.ts';
import { leave } from '../compose.ts';
import type { Effect } from '../contract.ts';
import type { RuleOf, Rules } from '../rules.ts';
import { reasonOr } from '../text.ts';
import { excess } from '../workspace/resources.ts';
import { nextProbe, standingAnswer } from './probe.ts';
import type { CouncilSeen } from './seen.ts';
import { unready, written, type Readiness } from './status.ts';

type Given = [seen: CouncilSeen, now: number];
type Rule = RuleOf<Given, CouncilStatus>;

const upstreamOf = ({ council, platform }: CouncilSeen) =>
  modelUpstream(council.spec.model.endpoint, council.metadata.namespace, platform.upstreams);

/** What the platform's table has instead. */
const listOf = (known: readonly { readonly name: string }[]): string =>
  known.length === 0 ? 'the platform has none' : `the platform has ${known.map(({ name }) => name).join(', ')}`;

const endpointUnknown: Rule = (seen, now) => {
  if (upstreamOf(seen).kind !== 'unknown') return undefined;
  const known = seen.platform.upstreams.filter(({ kind }) => kind === 'model');
  const message = `no model upstream is called ${seen.council.spec.model.endpoint}: change spec.model.endpoint (${listOf(known)})`;
  return unready(seen, now, 'EndpointUnknown', message);
};

const namespaceNotAllowed: Rule = (seen, now) => {
  const upstream = upstreamOf(seen);
  const { namespace } = seen.council.metadata;
  if (upstream.kind !== 'notForNamespace') return undefined;
  const message = `model upstream ${upstream.row.name} does not serve namespace ${namespace}: the platform's table of upstreams says which it serves`;
  return unready(seen, now, 'NamespaceNotAllowed', message);
};

const modelNotListed: Rule = (seen, now) => {
  const upstream = upstreamOf(seen);
  const { name } = seen.council.spec.model;
  if (upstream.kind !== 'found' || offersModel(upstream.row, name)) return undefined;
  const message = `the platform does not list model ${name} for that upstream: change spec.model.name (it lists ${(upstream.row.models ?? []).join(', ')})`;
  return unready(seen, now, 'ModelMissing', message);
};

const imageProfileUnknown: Rule = (seen, now) => {
  const { imageProfile } = seen.council.spec.workspace;
  const { namespace } = seen.council.metadata;
  const { kind } = imageProfileOf(seen.council, seen.platform);
  if (kind === 'found') return undefined;
  if (kind === 'unknown') {
    const list = listOf(seen.platform.imageProfiles);
    const message = `no image profile is called ${imageProfile}: change spec.workspace.imageProfile (${list})`;
    return unready(seen, now, 'ImageProfileUnknown', message);
  }
  const message = `image profile ${imageProfile} does not serve namespace ${namespace}: the platform's table of image profiles says which it serves`;
  return unready(seen, now, 'NamespaceNotAllowed', message);
};

const resourcesTooLarge: Rule = (seen, now) => {
  const found = excess(seen.council, seen.platform);
  return found === undefined ? undefined : unready(seen, now, 'ResourcesTooLarge', `${found} (workspace.toolchain.maxima)`);
};

const storeUnavailable: Rule = ({ council, storeAvailable }) =>
  !storeAvailable && council.status?.ready !== undefined
    ? leave('JetStream is down: the readiness stays as it is', { kind: 'waiting' })
    : undefined;

const readinessOf = ({ council }: CouncilSeen, answer: ProbeAnswer | undefined): Readiness => {
  const { name, endpoint } = council.spec.model;
  if (answer === undefined)
    return { ready: 'Unknown', reason: 'Probing', message: `waits for an answer of endpoint ${endpoint}` };
  const no = (reason: string, message: string): Readiness => ({ ready: 'False', reason, message, answeredAt: answer.at });
  if (!answer.ok) return no(reasonOr(answer.reason, 'ProbeFailed'), answer.message);
  if (!answer.models.includes(name))
    return no('ModelMissing', `endpoint ${endpoint} does not serve model ${name}: serve it, or change spec.model`);
  if (!answer.toolCalls)
    return no(
      'ToolCallsUnsupported',
      `model ${name} did not call a tool that it was told to call: serve it with tool calls switched on, or change spec.model`,
    );
  if (!answer.structuredOutput)
    return no(
      'StructuredOutputUnsupported',
      `model ${name} did not keep to a JSON schema: serve it with structured output switched on, or change spec.model`,
    );
  return { ready: 'True', reason: 'Ready', message: `endpoint ${endpoint} serves model ${name}`, answeredAt: answer.at };
};

const probed: Rule = (seen, now) => {
  const { council, storeAvailable } = seen;
  const readiness = readinessOf(seen, standingAnswer(seen, now));
  const { id, afterMs } = nextProbe(seen, readiness.ready === 'True', now);
  const { endpoint, name } = council.spec.model;
  const { namespace } = council.metadata;
  const commands: readonly GatewayCommand[] = id === undefined ? [] : [{ id, kind: 'probe', namespace, endpoint, model: name }];
  const effects: readonly Effect[] = storeAvailable ? commands.map((command) => ({ verb: 'command', command })) : [];
  return written(seen, now, readiness, { outcome: { kind: 'waiting', afterMs }, effects });
};

/** The specification: what holds first decides. */
export const rules: Rules<Given, CouncilStatus> = [
  ['its endpoint is a model upstream of the platform', endpointUnknown],
  ['that upstream serves its namespace', namespaceNotAllowed],
  ['that upstream has its model', modelNotListed],
  ['its image profile is there for its namespace', imageProfileUnknown],
  ['its workspaces want no more than the platform allows', resourcesTooLarge],
  ['without JetStream the readiness stays as it is', storeUnavailable],
  ['it is ready when the endpoint proves it', probed],
];
