// The least that every Kubernetes object has, and what is done to each one before it may enter a cache.
// May: describe, name, strip and freeze objects. May not: talk to a server or know any kind of ours.

import type { ObjectMeta } from '../crds/kinds/meta.ts';
import { isRecord, recordAt } from './json.ts';
import { shared } from './shared-strings.ts';

export interface KubeObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: ObjectMeta;
}

/** An object as the API server stores it: uid and resourceVersion are there. */
export type Stored<T extends KubeObject = KubeObject> = T & {
  readonly metadata: Required<Pick<ObjectMeta, 'uid' | 'resourceVersion'>>;
};

/** Names a resource of the API; `group` is empty for the core group. */
export interface Resource {
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly kind: string;
  readonly namespaced: boolean;
}

export interface ObjectRef {
  readonly namespace?: string | undefined;
  readonly name: string;
}

/** `namespace/name`, or `name` where there is no namespace: the key of an object within its kind. */
export const keyOf = (ref: ObjectRef): string => (ref.namespace === undefined ? ref.name : `${ref.namespace}/${ref.name}`);

export const refOf = (key: string): ObjectRef => {
  const slash = key.indexOf('/');
  return slash < 0 ? { name: key } : { namespace: key.slice(0, slash), name: key.slice(slash + 1) };
};

export const apiVersionOf = (resource: Resource): string =>
  resource.group === '' ? resource.version : `${resource.group}/${resource.version}`;

/** Orders two resourceVersions of one resource, which the API defines as unpadded decimals of any length. Negative: a is older. */
export const compareResourceVersions = (a: string, b: string): number => {
  if (a.length !== b.length) return a.length - b.length;
  if (a === b) return 0;
  return a < b ? -1 : 1;
};

export class MalformedObject extends Error {
  override readonly name = 'MalformedObject';
}

const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';
const MAX_NESTING = 200;

/** Every string of it is one that others may share. */
const freezeDeep = (root: object): void => {
  const stack: { readonly node: object; readonly depth: number }[] = [{ node: root, depth: 0 }];
  for (let top = stack.pop(); top !== undefined; top = stack.pop()) {
    if (top.depth > MAX_NESTING) throw new MalformedObject(`nested deeper than ${MAX_NESTING} levels`);
    const node = top.node as Record<string, unknown>;
    for (const name of Object.keys(node)) {
      const child = node[name];
      if (typeof child === 'string') node[name] = shared(child);
      // what is frozen came from a cache, whole
      else if (typeof child === 'object' && child !== null && !Object.isFrozen(child))
        stack.push({ node: child, depth: top.depth + 1 });
    }
    Object.freeze(node);
  }
};

const stripMeta = (meta: Record<string, unknown>): void => {
  delete meta['managedFields'];
  const annotations = meta['annotations'];
  if (isRecord(annotations)) delete annotations[LAST_APPLIED];
};

/** How an object is called in a report even when it is malformed. */
export const describe = (raw: unknown): string => {
  const { namespace, name } = recordAt(raw, 'metadata');
  return typeof name !== 'string'
    ? '(unnamed)'
    : keyOf({ namespace: typeof namespace === 'string' ? namespace : undefined, name });
};

/** The version of an object or of a list; undefined where there is none. */
export const resourceVersionOf = (raw: unknown): string | undefined => {
  const { resourceVersion } = recordAt(raw, 'metadata');
  return typeof resourceVersion === 'string' && resourceVersion !== '' ? resourceVersion : undefined;
};

type AssertStored = <T extends KubeObject>(raw: unknown, resource: Resource) => asserts raw is Stored<T>;

/**
 * That far an object's shape is looked at: it has the metadata of what is stored. What T says beyond that is for the server's schema, and
 * for the `check` of a reflector, to hold.
 */
const assertStored: AssertStored = (raw, resource) => {
  if (!isRecord(raw)) throw new MalformedObject('not an object');
  const meta = raw['metadata'];
  if (!isRecord(meta)) throw new MalformedObject('no metadata');
  for (const field of ['name', 'uid', 'resourceVersion'])
    if (typeof meta[field] !== 'string' || meta[field] === '') throw new MalformedObject(`metadata.${field} is missing`);
  if (resource.namespaced && typeof meta['namespace'] !== 'string') throw new MalformedObject('metadata.namespace is missing');
  raw['apiVersion'] = apiVersionOf(resource);
  raw['kind'] = resource.kind;
  stripMeta(meta);
};

/**
 * Takes a freshly parsed object (and changes it): fills kind and apiVersion, which list items lack, drops what no reader needs and
 * what doubles its size (managedFields, kubectl's last-applied copy), and freezes it whole.
 * Throws MalformedObject when it has no name, uid or resourceVersion or is nested without measure.
 */
export const ingest = <T extends KubeObject>(raw: unknown, resource: Resource): Stored<T> => {
  assertStored<T>(raw, resource);
  freezeDeep(raw);
  return raw;
};
