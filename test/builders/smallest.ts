// The smallest valid object of each kind as a person writes it, before any default, and how a case changes it. Nothing checks the change:
// these are for tests of what the API server and the schemas take and refuse.

import { API_VERSION } from '../../crds/kinds/meta.ts';
import { kindDefinitions, type Kind } from '../../crds/kinds/registry.ts';
import type { KubeObject, Resource } from '../../kube/object.ts';

export const DIGEST = `sha256:${'a'.repeat(64)}`;
export const OTHER_DIGEST = `sha256:${'b'.repeat(64)}`;

export type Fields = Readonly<Record<string, unknown>>;

const repository = { url: 'https://git.example.com/team/app.git' };
export const task = (id: string, more: Fields = {}): Fields => ({ id, title: `Do ${id}`, ...more });

const specs: Readonly<Record<Kind, Fields>> = {
  Story: { title: 'Say hello', repository },
  Plan: { storyRef: { name: 'hello' }, author: 'alice', tasks: [task('a')] },
  Task: {
    storyRef: { name: 'hello', uid: 'u1' },
    planRef: { name: 'hello-1', uid: 'u2', revision: 1, digest: DIGEST },
    task: task('a'),
    taskDigest: DIGEST,
  },
  Council: { role: 'DEV', model: { endpoint: 'vllm', name: 'Qwen/Qwen3-Coder' }, workspace: { imageProfile: 'node' } },
  Deliberation: { councilRef: { name: 'dev' }, subject: 'How shall we do it?' },
};

export const resourceOf = (kind: Kind): Resource => {
  const { plural } = kindDefinitions[kind];
  return { group: 'swefleet.io', version: 'v1alpha1', plural, kind, namespaced: true };
};

/** `undefined` takes a field away. */
export const objectOf = (
  kind: Kind,
  name: string,
  namespace: string,
  spec: Fields = {},
): KubeObject & { readonly spec: Fields } => {
  const whole = Object.entries({ ...specs[kind], ...spec }).filter(([, value]) => value !== undefined);
  return { apiVersion: API_VERSION, kind, metadata: { name, namespace }, spec: Object.fromEntries(whole) };
};
