// What JetStream keeps by uid, in all of its streams: whose it is, and its end.

import { LEAVINGS } from '../../crds/contracts/leavings.ts';
import type { JetStreamLink } from '../../runtime/bus/link.ts';
import type { LeavingsStore } from './sweep.ts';

export class StreamLeavings implements LeavingsStore {
  readonly #link: Pick<JetStreamLink, 'subjects' | 'purge'>;

  constructor(link: Pick<JetStreamLink, 'subjects' | 'purge'>) {
    this.#link = link;
  }

  async uids(): Promise<ReadonlySet<string>> {
    const uids = new Set<string>();
    for (const { stream, filter, uidOf } of LEAVINGS)
      for (const subject of await this.#link.subjects(stream, filter)) {
        const uid = uidOf(subject);
        if (uid !== undefined) uids.add(uid);
      }
    return uids;
  }

  async purge(uid: string): Promise<void> {
    for (const { stream, subjectsOf } of LEAVINGS) for (const subject of subjectsOf(uid)) await this.#link.purge(stream, subject);
  }
}
