// Artifacts in a JetStream stream: subject `fleet.artifact.<root uid>.<hex>`, one message each.

import { artifactSubject, STREAMS } from '../../crds/contracts/commands.ts';
import type { ArtifactStore } from '../artifacts/artifacts.ts';
import { isApiError, isSubjectTaken, type JetStream } from './jetstream.ts';

const STREAM = STREAMS.artifacts.name;
const TIMEOUT_MS = 10_000;

export class StreamArtifacts implements ArtifactStore {
  readonly #jetstream: () => JetStream | undefined;

  constructor(jetstream: () => JetStream | undefined) {
    this.#jetstream = jetstream;
  }

  get maxBytes(): number | undefined {
    return this.#jetstream()?.connection.info?.max_payload;
  }

  async put(rootUid: string, digest: string, bytes: Buffer): Promise<'stored' | 'exists'> {
    try {
      await this.#open().client.publish(artifactSubject(rootUid, digest), bytes, {
        timeout: TIMEOUT_MS,
        expect: { streamName: STREAM },
      });
      return 'stored';
    } catch (error) {
      if (isSubjectTaken(error)) return 'exists';
      throw error;
    }
  }

  async get(rootUid: string, digest: string): Promise<Buffer | undefined> {
    try {
      const message = await this.#open().manager.streams.getMessage(STREAM, { last_by_subj: artifactSubject(rootUid, digest) });
      return message === null ? undefined : Buffer.from(message.data);
    } catch (error) {
      if (isApiError(error, 'noMessage')) return undefined;
      throw error;
    }
  }

  #open(): JetStream {
    const jetstream = this.#jetstream();
    if (jetstream === undefined) throw new Error('not connected to NATS yet');
    return jetstream;
  }
}
