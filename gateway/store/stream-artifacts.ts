// Artifacts in a JetStream stream: subject `fleet.artifact.<root uid>.<hex>`, one message each.

import { artifactSubject, STREAMS } from '../../crds/contracts/commands.ts';
import type { JetStreamLink } from '../../runtime/bus/link.ts';
import type { ArtifactStore } from '../artifacts/artifacts.ts';

const STREAM = STREAMS.artifacts.name;

export class StreamArtifacts implements ArtifactStore {
  readonly #link: JetStreamLink;

  constructor(link: JetStreamLink) {
    this.#link = link;
  }

  get maxBytes(): number | undefined {
    return this.#link.available ? this.#link.session.maxPayloadBytes : undefined;
  }

  async put(rootUid: string, digest: string, bytes: Buffer): Promise<'stored' | 'exists'> {
    const published = await this.#link.publish({ subject: artifactSubject(rootUid, digest), data: bytes, stream: STREAM });
    return published === 'published' ? 'stored' : 'exists';
  }

  async get(rootUid: string, digest: string): Promise<Buffer | undefined> {
    const bytes = await this.#link.lastMessage(STREAM, artifactSubject(rootUid, digest));
    return bytes === undefined ? undefined : Buffer.from(bytes);
  }
}
