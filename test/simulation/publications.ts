// G6, on the side of the store: events of one object are taken in the order of their numbers, none is left out and each is taken at least
// once. A store that lost what it held may be told again.

import type { Publication } from '../../runtime/bus/link.ts';
import { check } from './broken.ts';
import type { SimObject } from './api-server.ts';

interface Event {
  readonly seq: number;
  readonly type: string;
  readonly at: string;
}

interface Told {
  /** The highest number that was taken. */
  last: number;
  /** `type at` by number. */
  readonly events: Map<number, string>;
}

export class Publications {
  readonly #told = new Map<string, Told>();
  /** Written into a status, by uid and number. */
  readonly #written = new Map<string, Map<number, string>>();

  /** Each message that the store takes. */
  taken({ msgId, subject, data }: Publication): void {
    if (msgId === undefined) return;
    const [uid = '', text = ''] = msgId.split(':');
    const seq = Number(text);
    const told = this.#told.get(uid) ?? { last: 0, events: new Map<number, string>() };
    this.#told.set(uid, told);
    check(seq <= told.last + 1, 'G6', () => `event ${seq} of ${uid} was published when ${told.last + 1} was due`);
    told.last = Math.max(told.last, seq);
    const { occurred_at: at } = JSON.parse(String(data)) as { readonly occurred_at: string };
    told.events.set(seq, `${subject} ${at}`);
  }

  /** The highest number that was taken of that object. */
  toldUpTo(uid: string): number {
    return this.#told.get(uid)?.last ?? 0;
  }

  /** Each status that was written. */
  written({ metadata, status }: SimObject): void {
    const outbox = (status as { readonly outbox?: readonly Event[] } | undefined)?.outbox ?? [];
    if (outbox.length === 0) return;
    const known = this.#written.get(metadata.uid) ?? new Map<number, string>();
    this.#written.set(metadata.uid, known);
    for (const { seq, type, at } of outbox) known.set(seq, `${type} ${at}`);
  }

  /** Whether something that was written is still to be published. */
  get areBehind(): boolean {
    return [...this.#written].some(([uid, events]) => {
      const told = this.#told.get(uid)?.events;
      return [...events.keys()].some((seq) => told?.has(seq) !== true);
    });
  }

  /** An object that is gone tells nothing any more. */
  forget(uid: string): void {
    this.#written.delete(uid);
  }

  /** At the end: what was written was published, as it was written. */
  allTold(uid: string, name: string): void {
    for (const [seq, event] of this.#written.get(uid) ?? []) {
      const told = this.#told.get(uid)?.events.get(seq);
      check(told === event, 'G6', () => `event ${seq} of ${name} is ${event}; what was published is ${told ?? 'nothing'}`);
    }
  }
}
