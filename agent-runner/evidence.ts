// The evidence of an attempt: what was run on what, with which end. Its digest stands in the commit. Made by `report`, read by `merge`.
import { z } from 'zod';
import { canonicalJson } from '../crds/canonical.ts';

const evidence = z.object({
  version: z.literal(1),
  story: z.string().max(64),
  task: z.object({ uid: z.string().max(64), id: z.string().max(128), title: z.string().max(512) }),
  attempt: z.int().min(1),
  agent: z.string().max(128),
  model: z.string().max(256),
  base: z.string().max(64),
  patch: z.string().max(71).optional(),
  summary: z.string().max(4_000),
  iterations: z.int().min(0),
  tokens: z.int().min(0),
  commands: z
    .array(
      z.object({ command: z.string().max(4_096), exitCode: z.int(), durationMs: z.int().min(0), output: z.string().max(65_536) }),
    )
    .max(64),
  /** JSON lines of the agent's loop, the last of them. */
  log: z.string().max(1024 * 1024),
});
export type Evidence = Readonly<z.infer<typeof evidence>>;

export const evidenceBytes = (value: Evidence): Buffer => Buffer.from(canonicalJson(evidence.parse(value)));

/** The agent's summary for the commit message; empty when the bytes are no evidence. */
export const summaryOf = (bytes: Buffer): string => {
  try {
    return evidence.parse(JSON.parse(bytes.toString('utf8'))).summary;
  } catch {
    return '';
  }
};
