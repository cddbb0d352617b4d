// The route of receipts: the last step of a workspace says what it did, the gateway looks whether it is so, and keeps that under the Job's
// uid. The operator believes no finding without it.
//
//   report: patch and evidence are stored under the Story       push: the story branch holds the commit of this pod's merge step
//
// A receipt says what is, not what was sent: it can be asked for again, by a push whose answer was lost or a courier whose commit had
// landed before, and a gateway that died before it was written down has lost nothing.

import type { z } from 'zod';
import { pushClaim, reportClaim, type Receipt } from '../../crds/contracts/receipts.ts';
import type { Artifacts } from '../artifacts/artifacts.ts';
import type { ClusterView } from '../cluster/cluster-view.ts';
import type { RepositoryRefs } from '../git/repository-refs.ts';
import { mergedBy, repositoryOf, storyRef } from '../git/story-branch.ts';
import { bodyOf, readLimited, requestLimit } from '../http/body.ts';
import type { Call, Route } from '../http/door.ts';
import { Refusal } from '../http/refusal.ts';
import type { StepCaller } from '../identity/caller.ts';
import { stepOf } from '../identity/rights.ts';

export interface ReceiptStore {
  /** A later one of the same Job takes the place of the earlier. Throws when the store cannot be reached. */
  put(jobUid: string, receipt: Receipt): Promise<void>;
}

export interface ReceiptPorts {
  readonly store: ReceiptStore;
  readonly artifacts: Artifacts;
  readonly refs: RepositoryRefs;
  readonly view: ClusterView;
}

const MAX_CLAIM_BYTES = 4_096;
const TIMEOUT_MS = 60_000;

export class ReceiptRoutes {
  readonly #ports: ReceiptPorts;

  constructor(ports: ReceiptPorts) {
    this.#ports = ports;
  }

  routes(): readonly Route[] {
    const shared = { method: 'PUT', path: /^\/v1\/receipt$/, right: 'receipt', errors: 'fleet', timeoutMs: TIMEOUT_MS } as const;
    return [{ ...shared, name: 'receipt', handle: (call) => this.#put(call) }];
  }

  async #put(call: Call): Promise<void> {
    const caller = stepOf(call.caller);
    const body = await readLimited(bodyOf(call.request), requestLimit(MAX_CLAIM_BYTES));
    const receipt = await this.#receiptFor(caller, body, call.signal);
    await this.#ports.store.put(caller.jobUid, receipt).catch((cause: unknown) => {
      throw new Refusal(503, 'StoreUnavailable', 'the receipt cannot be stored', { cause, retryAfterSeconds: 1 });
    });
    call.response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(receipt));
  }

  async #receiptFor(caller: StepCaller, body: Buffer, signal: AbortSignal): Promise<Receipt> {
    return caller.step === 'report' ? this.#ofReport(caller, body) : this.#ofPush(caller, body, signal);
  }

  async #ofReport({ story }: StepCaller, body: Buffer): Promise<Receipt> {
    const claim = claimIn(reportClaim, body);
    for (const digest of [claim.patch, claim.evidence]) await this.#ports.artifacts.get(story.metadata.uid, digest);
    return { kind: 'report', ...claim };
  }

  async #ofPush(caller: StepCaller, body: Buffer, signal: AbortSignal): Promise<Receipt> {
    const { refs, view } = this.#ports;
    const { commit } = claimIn(pushClaim, body);
    const merged = await mergedBy(caller, view);
    if (commit !== merged.commit) throw new Refusal(403, 'PushNotAllowed', 'the commit is not the one of the merge step');
    const holds = await refs.holds(repositoryOf(caller, view), { ref: storyRef(caller), commit }, signal);
    if (!holds) throw new Refusal(409, 'NotOnBranch', 'the story branch does not have the commit');
    return { kind: 'push', commit };
  }
}

const claimIn = <Claim>(schema: z.ZodType<Claim>, body: Buffer): Claim => {
  try {
    return schema.parse(JSON.parse(body.toString('utf8')));
  } catch (cause) {
    throw new Refusal(400, 'ClaimInvalid', 'the body does not say what the receipt is for', { cause });
  }
};
