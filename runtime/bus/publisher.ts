// Publishes a numbered sequence in order and at least once, then moves its cursor: the last message of a subject, which says how far it
// came and is written only over the revision that was read.

import { StoreUnavailable } from './errors.ts';
import type { Publication, Published } from './link.ts';

export interface Numbered {
  readonly seq: number;
  /** undefined: it can never be published and is passed over, so that those after it are. */
  readonly publication: Publication | undefined;
}

export interface Cursor {
  readonly subject: string;
  /** Of the cursor's last message, as it was read. */
  readonly expectedSeq: number;
}

export interface PublisherPorts<Item extends Numbered> {
  publish(publication: Publication): Promise<Published>;
  onPublished(item: Item): void;
  onPassedOver(item: Item): void;
}

const unlessUnavailable = (error: unknown): undefined => {
  if (error instanceof StoreUnavailable) return undefined;
  throw error;
};

/** Whether all of them are published and the cursor says so; else it is to be tried again, from the cursor on. */
export const publishInOrder = async <Item extends Numbered>(
  items: readonly Item[],
  cursor: Cursor,
  ports: PublisherPorts<Item>,
): Promise<boolean> => {
  let reached: number | undefined;
  try {
    for (const item of items) {
      if (item.publication !== undefined) await ports.publish(item.publication);
      reached = item.seq;
      if (item.publication === undefined) ports.onPassedOver(item);
      else ports.onPublished(item);
    }
  } catch (error) {
    unlessUnavailable(error);
  }
  if (reached === undefined) return false;
  const moved = await ports.publish({ ...cursor, data: String(reached) }).catch(unlessUnavailable);
  return moved === 'published' && reached === items.at(-1)?.seq;
};
