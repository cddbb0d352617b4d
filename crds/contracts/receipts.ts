// Receipts: what the gateway itself saw of a workspace's last step. A finding is a text in a pod's status; before anything succeeds by it,
// the receipt of the same Job has to say the same.
import { z } from 'zod';
import { commitId, digest, type Immutable } from '../kinds/meta.ts';

/** Patch and evidence are stored, and this Job's report asked for them to be believed. */
const report = z.object({ kind: z.literal('report'), patch: digest(''), evidence: digest(''), base: commitId('') });
/** The story branch holds the commit that this Job's merge made or found. */
const push = z.object({ kind: z.literal('push'), commit: commitId('') });

export const receipt = z.discriminatedUnion('kind', [report, push]);
export type Receipt = Immutable<z.infer<typeof receipt>>;

/** What step `report` asks a receipt for. */
export const reportClaim = report.omit({ kind: true });
export type ReportClaim = Immutable<z.infer<typeof reportClaim>>;
/** What step `push` asks a receipt for. */
export const pushClaim = push.omit({ kind: true });
export type PushClaim = Immutable<z.infer<typeof pushClaim>>;

/** There is one per Job, under its uid. Whoever has to read it does so while the Job is there, a day after its end at most. */
export const RECEIPTS_MAX_AGE_MS = 7 * 86_400_000;
