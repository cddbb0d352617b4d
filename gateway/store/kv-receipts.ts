// Receipts in a JetStream key-value bucket: one key a Job, by its uid.

import { KV_BUCKETS } from '../../crds/contracts/commands.ts';
import type { Receipt } from '../../crds/contracts/receipts.ts';
import type { JetStreamLink } from '../../runtime/bus/link.ts';
import type { ReceiptStore } from '../receipts/receipt-routes.ts';

export class KvReceipts implements ReceiptStore {
  readonly #link: JetStreamLink;

  constructor(link: JetStreamLink) {
    this.#link = link;
  }

  async put(jobUid: string, receipt: Receipt): Promise<void> {
    const session = await this.#link.session();
    const bucket = await session.bucket(KV_BUCKETS.receipts);
    await bucket.put(jobUid, JSON.stringify(receipt));
  }
}
