/**
 * Waits until something serves. A wait ends with the truth, with a component's death, or with a deadline that names what was missing.
 */
import { request } from 'node:http';
import { connect } from 'node:net';
import { callApi, type ApiCredentials } from './api-client.ts';
import type { Probe } from './components.ts';
import { NODE_NAME } from './layout.ts';
import { describeDeath, type ComponentStatus } from './status.ts';

const POLL_MS = 40;
const DEADLINE_MS = 120_000;

const pause = (): Promise<undefined> => new Promise((resolve) => setTimeout(() => resolve(undefined), POLL_MS));

/** False when it fails, or as soon as somebody dies: an API server without etcd takes a question and answers late or never. */
const answerOf = async (check: Promise<boolean>, died: () => readonly ComponentStatus[]): Promise<boolean> => {
  const answer = check.catch(() => false);
  while (died().length === 0) {
    const begun = await Promise.race([answer, pause()]);
    if (begun !== undefined) return begun;
  }
  return false;
};

/** @throws when a component has died meanwhile, or when the deadline passes */
export const until = async (
  what: string,
  died: () => readonly ComponentStatus[],
  check: () => Promise<boolean>,
): Promise<void> => {
  const deadline = performance.now() + DEADLINE_MS;
  for (;;) {
    if (await answerOf(check(), died)) return;
    const [dead] = died();
    if (dead !== undefined) throw new Error(describeDeath(dead));
    if (performance.now() > deadline) throw new Error(`waited ${DEADLINE_MS / 1000} s for ${what}`);
    await pause();
  }
};

const accepts = (socket: string): Promise<boolean> =>
  new Promise((resolve) => {
    const connection = connect(socket);
    connection.once('connect', () => resolve(true));
    connection.once('error', () => resolve(false));
    connection.once('close', () => resolve(false));
    connection.on('connect', () => connection.destroy());
  });

const answers = (url: string): Promise<boolean> =>
  new Promise((resolve) => {
    const sent = request(url, { timeout: 2_000 }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    sent.on('timeout', () => sent.destroy());
    sent.on('error', () => resolve(false));
    sent.end();
  });

export const serves = async (probe: Probe, credentials: ApiCredentials): Promise<boolean> => {
  if ('socket' in probe) return accepts(probe.socket);
  const url = new URL(probe.url);
  return url.protocol === 'https:' ? (await callApi(credentials, { path: url.pathname })).status === 200 : answers(probe.url);
};

export const apiAnswers = async (credentials: ApiCredentials): Promise<boolean> =>
  (await callApi(credentials, { path: '/api/v1/namespaces?limit=1' })).status === 200;

interface ReadyNode {
  readonly metadata?: { readonly creationTimestamp?: string };
  readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
}

/** Times of the API have whole seconds. */
const since = (time: string | undefined, bootedAt: Date): boolean =>
  time !== undefined && Date.parse(time) >= bootedAt.getTime() - 999;

/** Ready by its conditions, which must not be those of before this boot: the node is new, or its lease was renewed since. */
export const nodeReady = async (credentials: ApiCredentials, bootedAt: Date): Promise<boolean> => {
  const node = (await callApi(credentials, { path: `/api/v1/nodes/${NODE_NAME}` })).body as ReadyNode;
  const ready = node.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false;
  if (!ready || since(node.metadata?.creationTimestamp, bootedAt)) return ready;
  const lease = await callApi(credentials, {
    path: `/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/${NODE_NAME}`,
  });
  return since((lease.body as { readonly spec?: { readonly renewTime?: string } }).spec?.renewTime, bootedAt);
};

/** Pods of a namespace can be made once the controller manager has given it its account. */
export const defaultAccountReady = async (credentials: ApiCredentials): Promise<boolean> =>
  (await callApi(credentials, { path: '/api/v1/namespaces/default/serviceaccounts/default' })).status === 200;
