// What the gateway adds: to the first token of a model's answer while 50 streams are open, and to a clone. The callers hold real tokens of real
// pods (which kwok plays and does not end), so that identity, ledger and table of rights are all passed.

import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Agent, request } from 'undici';
import { audienceOf, WORKSPACE_ACCOUNT, type Step } from '../crds/contracts/steps.ts';
import type { Task } from '../crds/kinds/task.ts';
import { LABEL_WORKSPACE } from '../crds/labels.ts';
import type { KubeObject, Stored } from '../kube/object.ts';
import { pods } from '../kube/resources.ts';
import { run as runProgram } from '../test/cluster/command.ts';
import { plainEnvironment } from '../test/cluster/config.ts';
import { scriptedModelName } from '../test/model/script.ts';
import { GIT_ACCOUNT, MODEL_KEY, openBed, type Bed } from './bed.ts';
import type { Benchmark, Run } from './benchmark.ts';
import { HELD_NAMESPACE } from './kwok.ts';
import { median, quantile } from './statistics.ts';
import { applyStory, independent, makeTeam } from './stories.ts';
import { resourceOf, watchFromNow } from './watch.ts';

const STREAMS = 50;
const PODS = 10;
/** So long a model thinks: streams are open together, and do not all begin at once. */
const MODEL_MS = 1_000;
const WARM_UP_MS = 3_000;
const PHASE_MS = 15_000;
const CLONES = 7;
const FILES = 300;
const FILE_BYTES = 100_000;

const ROWS = {
  direct: `time to the first token without the gateway, ${STREAMS} streams, p50`,
  p50: `latency to the first token that the gateway adds, ${STREAMS} streams, p50`,
  p99: `latency to the first token that the gateway adds, ${STREAMS} streams, p99`,
  cloneDirect: `clone of ${(FILES * FILE_BYTES) / 1_000_000} MB without the gateway`,
  clone: 'clone through the gateway ÷ without it',
} as const;

/** Nothing of the user's, whose settings would decide. */
const GIT_ENVIRONMENT = plainEnvironment({ GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1', GIT_TERMINAL_PROMPT: '0' });

interface Model {
  readonly url: string;
  readonly token: (stream: number) => string;
}

interface Phase {
  readonly untilMs: number;
  readonly samples: number[];
}

const QUESTION = { model: scriptedModelName, stream: true, max_tokens: 64, messages: [{ role: 'user', content: 'Say hello.' }] };

/** From the request to the first byte of the answer's stream. */
const timeToFirstToken = async ({ url, token }: Model, stream: number, dispatcher: Agent): Promise<number> => {
  const headers = { authorization: `Bearer ${token(stream)}`, 'content-type': 'application/json' };
  const startedAt = performance.now();
  const answer = await request(`${url}/chat/completions`, {
    method: 'POST',
    headers,
    body: JSON.stringify(QUESTION),
    dispatcher,
  });
  if (answer.statusCode !== 200) throw new Error(`the model answers ${answer.statusCode}: ${await answer.body.text()}`);
  let firstAt: number | undefined;
  for await (const _ of answer.body) firstAt ??= performance.now();
  return (firstAt ?? NaN) - startedAt;
};

const stream = async (model: Model, n: number, dispatcher: Agent, phase: Phase): Promise<void> => {
  await sleep((n / STREAMS) * MODEL_MS);
  while (performance.now() < phase.untilMs) phase.samples.push(await timeToFirstToken(model, n, dispatcher));
};

const streams = async (model: Model, dispatcher: Agent, forMs: number): Promise<readonly number[]> => {
  const phase: Phase = { untilMs: performance.now() + forMs, samples: [] };
  await Promise.all(Array.from({ length: STREAMS }, (_, n) => stream(model, n, dispatcher, phase)));
  return phase.samples;
};

/** Names and uids of pods whose attempt is listed: only those are served. */
const heldPods = async (bed: Bed): Promise<readonly KubeObject[]> => {
  const listed = new Set<string>();
  const resource = resourceOf('Task');
  const watching = await watchFromNow(bed.client, { resource, namespace: HELD_NAMESPACE });
  const all = watching.until((object) => {
    const { status } = object as Task;
    for (const { jobUid } of status?.attempts ?? []) listed.add(jobUid);
    return listed.size === PODS ? true : undefined;
  });
  await applyStory(bed, { namespace: HELD_NAMESPACE, name: 'held', tasks: independent(PODS) });
  await bed.whileRunning(all);
  await watching.stop();
  const { items } = await bed.client.listPage(pods, { namespace: HELD_NAMESPACE, labelSelector: LABEL_WORKSPACE });
  return items as readonly Stored[];
};

/** What the kubelet would put into the pod for that step. */
const tokenFor = async ({ client }: Bed, { metadata }: KubeObject, step: Step): Promise<string> => {
  const boundObjectRef = { apiVersion: 'v1', kind: 'Pod', name: metadata.name, uid: metadata.uid };
  const answer = await client.raw({
    method: 'POST',
    path: `/api/v1/namespaces/${HELD_NAMESPACE}/serviceaccounts/${WORKSPACE_ACCOUNT}/token`,
    body: {
      ...{ apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest' },
      spec: { audiences: [audienceOf(step)], expirationSeconds: 3_600, boundObjectRef },
    },
  });
  return (answer as { readonly status: { readonly token: string } }).status.token;
};

const cloneMs = async (bed: Bed, url: string, authorization: string, n: number): Promise<number> => {
  const target = join(bed.folder, `clone-${n}-${performance.now()}`);
  const settings = ['-c', `http.sslCAInfo=${bed.caFile}`, '-c', `http.extraHeader=Authorization: ${authorization}`];
  const startedAt = performance.now();
  await runProgram(['git', ...settings, 'clone', '--quiet', '--no-checkout', url, target], { env: GIT_ENVIRONMENT });
  const took = performance.now() - startedAt;
  await rm(target, { recursive: true });
  return took;
};

/** Random bytes, which nothing makes smaller. */
const makeFolder = async ({ defer }: Run): Promise<string> => {
  const folder = await mkdtemp(join(tmpdir(), 'swe-fleet-bench-files-'));
  defer(() => rm(folder, { recursive: true }));
  for (let n = 0; n < FILES; n += 1) await writeFile(join(folder, `${n}.bin`), randomBytes(FILE_BYTES));
  return folder;
};

export const gateway: Benchmark = {
  name: 'gateway',
  what: 'what the gateway adds to a model call and to a clone',
  rows: [
    { name: ROWS.direct, unit: 'ms' },
    { name: ROWS.p50, unit: 'ms', goal: '≤ 3' },
    { name: ROWS.p99, unit: 'ms', goal: '≤ 15' },
    { name: ROWS.cloneDirect, unit: 'ms' },
    { name: ROWS.clone, unit: '×', goal: '≤ 1.15' },
  ],
  run: async (run) => {
    const repositoryFolder = await makeFolder(run);
    const bed = await openBed(run, { modelLatencyMs: MODEL_MS, repositoryFolder });
    const { url } = await bed.startGateway();
    await bed.startOperator();
    await makeTeam(bed, HELD_NAMESPACE);
    const held = await heldPods(bed);
    const tokens = await Promise.all(held.map((pod) => tokenFor(bed, pod, 'work')));
    const dispatcher = new Agent({ connect: { ca: await readFile(bed.caFile, 'utf8') } });
    run.defer(() => dispatcher.destroy());
    const direct: Model = { url: bed.model.url, token: () => MODEL_KEY };
    const through: Model = { url: `${url}/openai/v1`, token: (n) => tokens[n % tokens.length] ?? '' };
    for (const model of [direct, through]) await streams(model, dispatcher, WARM_UP_MS);
    const bare = await streams(direct, dispatcher, PHASE_MS);
    const added = await streams(through, dispatcher, PHASE_MS);
    const note = `${added.length} answers`;
    run.tell(ROWS.direct, { value: median(bare), note: `of which the model takes ${MODEL_MS} ms` });
    run.tell(ROWS.p50, { value: median(added) - median(bare), note });
    run.tell(ROWS.p99, { value: quantile(added, 0.99) - quantile(bare, 0.99), note });
    const [first] = held;
    if (first === undefined) throw new Error('there is no pod');
    const bearer = `Bearer ${await tokenFor(bed, first, 'checkout')}`;
    const basic = `Basic ${Buffer.from(`${GIT_ACCOUNT.username}:${GIT_ACCOUNT.password}`).toString('base64')}`;
    const took = { bare: [] as number[], through: [] as number[] };
    for (let n = 0; n < CLONES; n += 1) {
      took.bare.push(await cloneMs(bed, bed.repositoryUrl, basic, n));
      took.through.push(await cloneMs(bed, `${url}/git`, bearer, n));
    }
    run.tell(ROWS.cloneDirect, median(took.bare));
    run.tell(ROWS.clone, median(took.through) / median(took.bare));
  },
};
