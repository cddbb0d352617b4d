// The routes of artifacts. A step reads and writes those of its own Story; the reader of a namespace reads those of the namespace's roots.

import { bodyOf, readLimited, requestLimit } from '../http/body.ts';
import type { Call, Route } from '../http/door.ts';
import { Refusal } from '../http/refusal.ts';
import { stepOf } from '../identity/rights.ts';
import type { ClusterView } from '../cluster/cluster-view.ts';
import type { Artifacts } from './artifacts.ts';

const PATH = /^\/v1\/artifacts\/([^/]{1,100})$/;

/** Without `?root=<uid>` the reader's newest Stories are searched, so many at most. */
const MAX_SEARCHED = 200;

const digestOf = ({ url }: Call): string => {
  try {
    return decodeURIComponent(PATH.exec(url.pathname)?.[1] ?? '');
  } catch {
    return '';
  }
};

export class ArtifactRoutes {
  readonly #artifacts: Artifacts;
  readonly #view: ClusterView;

  constructor(artifacts: Artifacts, view: ClusterView) {
    this.#artifacts = artifacts;
    this.#view = view;
  }

  routes(): readonly Route[] {
    const shared = { path: PATH, errors: 'fleet', timeoutMs: 60_000 } as const;
    return [
      { ...shared, name: 'artifact-put', method: 'PUT', right: 'artifact-put', handle: (call) => this.#put(call) },
      { ...shared, name: 'artifact-get', method: 'GET', right: 'artifact-get', handle: (call) => this.#get(call) },
    ];
  }

  async #put(call: Call): Promise<void> {
    const { story } = stepOf(call.caller);
    const bytes = await readLimited(bodyOf(call.request), requestLimit(this.#artifacts.limit()));
    const result = await this.#artifacts.put(story.metadata.uid, digestOf(call), bytes);
    call.response.writeHead(result === 'stored' ? 201 : 200, { 'content-type': 'application/json' });
    call.response.end(JSON.stringify({ digest: digestOf(call), stored: result === 'stored' }));
  }

  async #get(call: Call): Promise<void> {
    const bytes = await this.#find(call);
    // a patch is a stranger's text: no browser is to make anything else of it
    call.response.writeHead(200, { 'content-type': 'application/octet-stream', 'x-content-type-options': 'nosniff' }).end(bytes);
  }

  async #find(call: Call): Promise<Buffer> {
    const digest = digestOf(call);
    for (const root of this.#rootsOf(call)) {
      const bytes = await this.#artifacts.get(root, digest).catch((error: unknown) => {
        if (error instanceof Refusal && error.code === 'ArtifactLost') return undefined;
        throw error;
      });
      if (bytes !== undefined) return bytes;
    }
    throw new Refusal(404, 'ArtifactLost', 'no artifact of that digest is stored');
  }

  #rootsOf({ caller, url }: Call): readonly string[] {
    if (caller.kind === 'step') return [caller.story.metadata.uid];
    const asked = url.searchParams.get('root');
    if (asked !== null) {
      if (this.#view.namespaceOfRoot(asked) !== caller.namespace)
        throw new Refusal(404, 'RootUnknown', 'this namespace has no Story or Deliberation of that uid');
      return [asked];
    }
    return this.#view
      .storiesIn(caller.namespace)
      .toSorted((a, b) => (a.metadata.creationTimestamp < b.metadata.creationTimestamp ? 1 : -1))
      .slice(0, MAX_SEARCHED)
      .map(({ metadata }) => metadata.uid);
  }
}
