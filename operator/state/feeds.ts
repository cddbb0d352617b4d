// What the operator reads from JetStream: answers and receipts of the gateway, the ledger, and how far events were published.

import { z } from 'zod';
import {
  answerSubject,
  commandAnswer,
  KV_BUCKETS,
  STREAMS,
  type CommandAnswer,
  type StreamDefinition,
} from '../../crds/contracts/commands.ts';
import { TURN_RESULTS, turnResult } from '../../crds/contracts/turns.ts';
import type { Answer } from '../../crds/deliberation/contributions.ts';
import { receipt, type Receipt } from '../../crds/contracts/receipts.ts';
import type { StreamDefinition as JetStreamDefinition } from '../../runtime/bus/link.ts';
import { LatestValues } from '../../runtime/bus/latest-values.ts';

const ledgerAccount = z.object({
  spent: z.number(),
  /** `until` is epoch milliseconds. */
  reservations: z.array(z.object({ id: z.string(), amount: z.number(), until: z.number() })).default([]),
});
export type LedgerAccount = Readonly<z.infer<typeof ledgerAccount>>;

interface FeedListeners {
  readonly onAnswer: (commandId: string) => void;
  readonly onUsage: (account: string) => void;
  readonly onCursor: (uid: string) => void;
  readonly onReceipt: (jobUid: string) => void;
  /** `key`: `<root uid>.<deliberation uid>.<n>`. */
  readonly onTurn: (key: string) => void;
  readonly nowMs: () => number;
  readonly onMalformed: (key: string, error: unknown) => void;
}

export interface Feeds {
  readonly answers: LatestValues<CommandAnswer>;
  readonly ledger: LatestValues<LedgerAccount>;
  readonly cursors: LatestValues<number>;
  readonly receipts: LatestValues<Receipt>;
  readonly turns: LatestValues<Answer>;
}

/** Under which an answer is found. */
export const turnKey = (rootUid: string, deliberationUid: string, n: number): string => `${rootUid}.${deliberationUid}.${n}`;

/** The stream that holds a bucket. */
export const bucketStream = (bucket: string): string => `KV_${bucket}`;
/** Subject of a key in a bucket. */
const bucketSubject = (bucket: string, key: string): string => `$KV.${bucket}.${key}`;
export const receiptSubject = (jobUid: string): string => bucketSubject(KV_BUCKETS.receipts, jobUid);
export const cursorSubject = (uid: string): string => bucketSubject(KV_BUCKETS.cursor, uid);

const MAX_ENTRIES = 200_000;
const NS_PER_MS = 1_000_000;

export const makeFeeds = ({ onAnswer, onUsage, onCursor, onReceipt, onTurn, onMalformed, nowMs }: FeedListeners): Feeds => {
  const bucket = (name: string) => ({
    stream: bucketStream(name),
    filter: bucketSubject(name, '>'),
    maxEntries: MAX_ENTRIES,
    onMalformed,
  });
  return {
    answers: new LatestValues<CommandAnswer>({
      ...{ stream: STREAMS.results.name, filter: answerSubject('*'), maxEntries: MAX_ENTRIES, onMalformed },
      parse: (json) => commandAnswer.parse(json),
      onChange: onAnswer,
    }),
    ledger: new LatestValues<LedgerAccount>({
      ...bucket(KV_BUCKETS.ledger),
      parse: (json) => ledgerAccount.parse(json),
      onChange: onUsage,
    }),
    cursors: new LatestValues<number>({
      ...bucket(KV_BUCKETS.cursor),
      parse: (json) => z.int().min(0).parse(json),
      onChange: onCursor,
    }),
    receipts: new LatestValues<Receipt>({
      ...bucket(KV_BUCKETS.receipts),
      parse: (json) => receipt.parse(json),
      onChange: onReceipt,
    }),
    turns: new LatestValues<Answer>({
      ...{ stream: STREAMS.results.name, filter: TURN_RESULTS, maxEntries: MAX_ENTRIES, onMalformed },
      parse: (json) => ({ result: turnResult.parse(json), seenMs: nowMs() }),
      onChange: onTurn,
    }),
  };
};

const jetStreamDefinition = (stream: StreamDefinition): JetStreamDefinition => ({
  name: stream.name,
  subjects: [...stream.subjects],
  max_age: stream.maxAgeMs * NS_PER_MS,
  ...(stream.maxMessages !== undefined && { max_msgs: stream.maxMessages }),
  // a direct get names the subject that it reads, so that NATS can hold a process to its own
  ...(stream.onePerSubject && { max_msgs_per_subject: 1, discard: 'new', discard_new_per_subject: true, allow_direct: true }),
});

export const jetStreamDefinitions = (): readonly JetStreamDefinition[] => Object.values(STREAMS).map(jetStreamDefinition);
