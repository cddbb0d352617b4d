// A gateway on loopback with everything real behind it: TLS, git server with credentials, scripted model, JetStream. Two ports are the
// test's: the token reviewer (a table of tokens) and the cluster view (objects in memory).

import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Agent, request } from 'undici';
import { KV_BUCKETS } from '../../../crds/contracts/commands.ts';
import type { Council } from '../../../crds/kinds/council.ts';
import type { Deliberation } from '../../../crds/kinds/deliberation.ts';
import type { PlatformConfig, Upstream } from '../../../crds/contracts/platform.ts';
import { audienceOf, type Step } from '../../../crds/contracts/steps.ts';
import type { Story } from '../../../crds/kinds/story.ts';
import type { Attempt, Task } from '../../../crds/kinds/task.ts';
import { startGateway, STORE_PATIENCE_MS, type Gateway, type GatewaySettings } from '../../../gateway/gateway.ts';
import type { Reviewed, TokenReviewer } from '../../../gateway/identity/token-review.ts';
import { HttpOutside } from '../../../gateway/upstream/http-upstream.ts';
import { MountedSecrets } from '../../../gateway/upstream/secrets.ts';
import type { Job, Pod } from '../../../gateway/cluster/objects.ts';
import { WatchedCluster } from '../../../gateway/cluster/watched-cluster.ts';
import { ingest, type KubeObject, type Stored } from '../../../kube/object.ts';
import { newAuthority, newServerCertificate } from '../../../install/certificates.ts';
import { startGitServer, type GitRequestLine, type GitServer } from '../../git-server/server.ts';
import { jetStreamDefinitions } from '../../../operator/state/feeds.ts';
import type { JetStreamLink } from '../../../runtime/bus/link.ts';
import { makeMetrics } from '../../../runtime/metrics.ts';
import { recordedLog, type RecordedLog } from '../../unit/runtime/recorded-log.ts';
import { startNats, type NatsServer, type NatsServerOptions } from '../nats.ts';
import { attempt, council, platform, story, storyStatus, task, work } from '../../builders/objects.ts';
import { job, runningPod } from '../../builders/workspaces.ts';
import { scriptedModelName } from '../../model/script.ts';

export const GIT_CREDENTIALS = { username: 'gateway', password: 'only-the-gateway-knows' };
export const WORKSPACE_ACCOUNT = 'system:serviceaccount:shop:fleet-workspace';
export const MODEL_KEY = 'sk-only-the-gateway-knows-this-key';

const WORK = work('api');
export const ATTEMPT_JOB = job(task(WORK));
export const COURIER_JOB = job(task(WORK), { kind: 'courier' });
export const ATTEMPT_POD = runningPod(ATTEMPT_JOB);
export const COURIER_POD = runningPod(COURIER_JOB);

/** The Story `login` of namespace `shop`, in Build. */
export const storyAt = (url: string): Story => story({ repository: { url } }, storyStatus());
/** Its Task, whose one attempt and its courier have pods. */
export const taskWith = (change: Partial<Attempt> = {}): Task =>
  task(WORK, { phase: 'Running', attempts: [attempt(1, { courierUid: COURIER_JOB.metadata.uid, ...change })] });
/** A Council that speaks through the scripted model. */
export const councilOf = (model: Partial<Council['spec']['model']> = {}): Council =>
  council({ model: { endpoint: 'model', name: scriptedModelName, temperature: '0.7', maxTokens: 512, ...model } });

/** A token as the API server would make it, as far as its text goes. */
export const tokenFor = (audience: string, subject: string): string => {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${part({ alg: 'none' })}.${part({ aud: [audience], sub: subject })}.${randomBytes(8).toString('base64url')}`;
};

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: Buffer;
  readonly json: unknown;
}

export interface Ask {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly token?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
}

export interface Stage {
  readonly folder: string;
  readonly gateway: Gateway;
  readonly url: string;
  readonly ca: string;
  readonly caFile: string;
  /** Trusts the gateway. */
  readonly dispatcher: Agent;
  readonly nats: NatsServer;
  readonly link: JetStreamLink;
  readonly view: WatchedCluster;
  readonly log: RecordedLog;
  readonly git: GitServer;
  readonly gitRoot: string;
  readonly gitRequests: readonly GitRequestLine[];
  platform: PlatformConfig;
  /** What the API server would say of each token. */
  readonly tokens: Map<string, Reviewed>;
  /** A token for that step of the attempt's pod, or of the courier's. */
  token(step: Step): string;
  /** A token with this standing, whatever it is. */
  tokenOf(reviewed: Reviewed): string;
  ask(path: string, options?: Ask): Promise<Answer>;
  /** Puts an object into its cache, as a watch would. */
  seen(object: Story | Task | Council | Deliberation | Pod | Job): void;
  seenAttempt(change: Partial<Attempt>): void;
  close(): Promise<void>;
}

const COURIER_STEPS = new Set<Step>(['merge', 'push']);

export interface StageOptions {
  /** More rows of the platform's table; a row of git named `git` is there already. */
  readonly upstreams?: readonly Upstream[];
  /** Files below the folder of upstreams' secrets. */
  readonly secrets?: Readonly<Record<string, string>>;
  readonly nats?: NatsServerOptions;
  /** Tokens are reviewed by the API server instead of by the test. */
  readonly reviewer?: TokenReviewer;
  /** Shorter than the product's. */
  readonly limits?: Pick<GatewaySettings, 'model' | 'git'> & { readonly connectTimeoutMs?: number };
}

interface Versions {
  resourceVersion: number;
}

const stored = <T extends KubeObject>(object: T, versions: Versions): Stored<T> => {
  versions.resourceVersion += 1;
  const metadata = { ...object.metadata, resourceVersion: String(versions.resourceVersion) };
  const [group = '', version = ''] = object.apiVersion.includes('/') ? object.apiVersion.split('/') : ['', object.apiVersion];
  return ingest<T>(structuredClone({ ...object, metadata }), { group, version, plural: '', kind: object.kind, namespaced: true });
};

export const openStage = async (options: StageOptions = {}): Promise<Stage> => {
  const folder = await mkdtemp(join(tmpdir(), 'swe-fleet-gateway-'));
  const now = Date.now();
  const authority = await newAuthority('gateway test', now, 1);
  const { certificate: cert, key } = await newServerCertificate(authority, { names: ['localhost'], now, days: 1 });
  const files: Record<string, string> = {
    'tls/tls.crt': cert,
    'tls/tls.key': key,
    'ca.crt': authority.certificate,
    'upstreams/git/credentials/username': GIT_CREDENTIALS.username,
    'upstreams/git/credentials/password': `${GIT_CREDENTIALS.password}\n`,
    'upstreams/git/ca/ca.crt': authority.certificate,
    'upstreams/model/credentials/apiKey': `${MODEL_KEY}\n`,
    ...options.secrets,
  };
  for (const [file, text] of Object.entries(files)) {
    await mkdir(join(folder, file, '..'), { recursive: true });
    await writeFile(join(folder, file), text);
  }
  const gitRoot = join(folder, 'served');
  await mkdir(gitRoot, { recursive: true });
  const gitRequests: GitRequestLine[] = [];
  const git = await startGitServer({
    ...{ root: gitRoot, host: '127.0.0.1', tls: { key, cert } },
    accounts: { [GIT_CREDENTIALS.username]: { password: GIT_CREDENTIALS.password, push: true } },
    onRequest: (line) => gitRequests.push(line),
  });
  const nats = await startNats(options.nats);
  await nats.connect('operator', {
    streams: jetStreamDefinitions(),
    buckets: [{ name: KV_BUCKETS.ledger }, { name: KV_BUCKETS.receipts }],
  });
  const { link } = await nats.connect('gateway', { patienceMs: STORE_PATIENCE_MS });
  const gitHost = `localhost:${git.port}`;
  let config = platform({ upstreams: [gitRow(gitHost), ...(options.upstreams ?? [])] });
  const view = new WatchedCluster(() => config);
  const log = recordedLog();
  const tokens = new Map<string, Reviewed>();
  const reviewer: TokenReviewer = options.reviewer ?? { review: async (token) => tokens.get(token) };
  const { connectTimeoutMs = 10_000, ...limits } = options.limits ?? {};
  const outside = new HttpOutside({ secrets: new MountedSecrets(join(folder, 'upstreams')), cluster: [], connectTimeoutMs });
  const gateway = await startGateway(
    { view, reviewer, outside, log, metrics: makeMetrics('gateway'), link, missing: () => [] },
    {
      ...{ host: '127.0.0.1', port: 0, canaryPort: 0, healthPort: 0, cluster: [], requestsPerPod: 16, ...limits },
      certificate: { certFile: join(folder, 'tls/tls.crt'), keyFile: join(folder, 'tls/tls.key') },
    },
  );
  const url = `https://localhost:${gateway.port}`;
  const agent = new Agent({ connect: { ca: authority.certificate } });
  const versions: Versions = { resourceVersion: 0 };
  const tokenOf = (reviewed: Reviewed): string => {
    const token = tokenFor(reviewed.audiences[0] ?? '', reviewed.podName ?? '');
    tokens.set(token, reviewed);
    return token;
  };
  const stage: Stage = {
    ...{
      folder,
      gateway,
      url,
      ca: authority.certificate,
      caFile: join(folder, 'ca.crt'),
      nats,
      link,
      view,
      log,
      dispatcher: agent,
    },
    ...{ git, gitRoot, gitRequests, tokens, tokenOf },
    get platform() {
      return config;
    },
    set platform(next) {
      config = next;
    },
    token: (step) => {
      const { name: podName, uid: podUid } = (COURIER_STEPS.has(step) ? COURIER_POD : ATTEMPT_POD).metadata;
      return tokenOf({ username: WORKSPACE_ACCOUNT, audiences: [audienceOf(step)], podName, podUid });
    },
    ask: async (path, { method = 'GET', token, headers = {}, body } = {}) => {
      const answer = await request(`${url}${path}`, {
        ...{ method, dispatcher: agent, body: body ?? null },
        headers: { ...(token !== undefined && { authorization: `Bearer ${token}` }), ...headers },
      });
      const bytes = Buffer.from(await answer.body.arrayBuffer());
      return { status: answer.statusCode, headers: answer.headers, body: bytes, json: parsed(bytes) };
    },
    seen: (object) => {
      switch (object.kind) {
        case 'Story':
          return view.stories.upsert(stored(object as Story, versions));
        case 'Task':
          return view.tasks.upsert(stored(object as Task, versions));
        case 'Council':
          return view.councils.upsert(stored(object as Council, versions));
        case 'Deliberation':
          return view.deliberations.upsert(stored(object as Deliberation, versions));
        case 'Pod':
          return view.pods.upsert(stored(object as Pod, versions));
        default:
          return view.jobs.upsert(stored(object, versions));
      }
    },
    seenAttempt: (change) => stage.seen(taskWith(change)),
    close: async () => {
      await gateway.stop(0);
      await Promise.all([agent.destroy(), outside.close(), git.close()]);
      await nats.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
  for (const object of [
    storyAt(`https://${gitHost}/team/app.git`),
    councilOf(),
    taskWith(),
    ...[ATTEMPT_JOB, COURIER_JOB, ATTEMPT_POD, COURIER_POD],
  ])
    stage.seen(object);
  return stage;
};

const parsed = (bytes: Buffer): unknown => {
  try {
    return JSON.parse(bytes.toString('utf8')) as unknown;
  } catch {
    return undefined;
  }
};

export const gitRow = (host: string): Upstream => ({
  ...{ name: 'git', kind: 'git', scheme: 'https', host, prefix: '/team', namespaces: ['shop'] },
  ...{ credentials: true, ca: true, allowPrivate: true },
});
