// Artifacts: texts and patches by their sha256, in a stream with one message per subject, so that the store itself refuses a second
// writing. The digest is computed here on the way in and again on the way out.

import { sha256 } from '../../crds/canonical.ts';
import { Refusal } from '../http/refusal.ts';

/** `sha256:<64 hex>` */
export type Digest = string;

export interface ArtifactStore {
  /** The largest message that the server takes, in bytes; undefined before the first connection. */
  readonly maxBytes: number | undefined;
  /** `exists` when that subject already holds a message. Throws when the store cannot be reached. */
  put(rootUid: string, digest: Digest, bytes: Buffer): Promise<'stored' | 'exists'>;
  get(rootUid: string, digest: Digest): Promise<Buffer | undefined>;
}

/** The most that one artifact may have, whatever the server would take. */
export const MAX_ARTIFACT_BYTES = 4 * 1024 * 1024;

/** Room that a message needs besides its payload. */
const MESSAGE_OVERHEAD = 1_024;

const checkDigest = (digest: Digest): void => {
  if (!/^sha256:[0-9a-f]{64}$/.test(digest))
    throw new Refusal(400, 'DigestInvalid', 'a digest is sha256: and 64 hexadecimal digits');
};

const unavailable = (error: unknown): Refusal =>
  new Refusal(503, 'StoreUnavailable', 'the artifact store cannot be reached', { cause: error, retryAfterSeconds: 1 });

export class Artifacts {
  readonly #store: ArtifactStore;

  constructor(store: ArtifactStore) {
    this.#store = store;
  }

  /** How many bytes one may have now. Throws Refusal 503 while the store is away. */
  limit(): number {
    const { maxBytes } = this.#store;
    if (maxBytes === undefined) throw unavailable(new Error('not connected'));
    return Math.min(MAX_ARTIFACT_BYTES, maxBytes - MESSAGE_OVERHEAD);
  }

  /** Stores it once; a second writing of the same bytes is no error. Throws Refusal (400, 409, 413, 503). */
  async put(rootUid: string, digest: Digest, bytes: Buffer): Promise<'stored' | 'exists'> {
    checkDigest(digest);
    if (bytes.length > this.limit()) throw new Refusal(413, 'ArtifactTooLarge', `an artifact has at most ${this.limit()} bytes`);
    if (sha256(bytes) !== digest) throw new Refusal(400, 'DigestMismatch', 'the body does not have that digest');
    const result = await this.#store.put(rootUid, digest, bytes).catch((error: unknown) => {
      throw unavailable(error);
    });
    // what is there must be readable and whole, or the put would promise what a get cannot keep
    if (result === 'exists') await this.get(rootUid, digest);
    return result;
  }

  /** Throws Refusal 404 `ArtifactLost` when it is absent or damaged: either way it must be made again. */
  async get(rootUid: string, digest: Digest): Promise<Buffer> {
    checkDigest(digest);
    const bytes = await this.#store.get(rootUid, digest).catch((error: unknown) => {
      throw unavailable(error);
    });
    if (bytes === undefined) throw new Refusal(404, 'ArtifactLost', 'no artifact of that digest is stored');
    if (sha256(bytes) !== digest)
      throw new Refusal(404, 'ArtifactLost', 'the stored artifact is damaged', {
        detail: `damaged artifact ${rootUid} ${digest}`,
      });
    return bytes;
  }
}
