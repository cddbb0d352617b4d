// What JetStream keeps under the uid of an object, so that it goes when the object is gone. Whoever keeps more by uid adds a row.

import { ARTIFACT_SUBJECTS, KV_BUCKETS, STREAMS } from './commands.ts';

export interface Leavings {
  readonly stream: string;
  /** The subjects to look through. */
  readonly filter: string;
  /** The uid of the object that a subject belongs to; undefined: to none. */
  readonly uidOf: (subject: string) => string | undefined;
  /** All that is kept here for one uid. */
  readonly subjectsOf: (uid: string) => readonly string[];
}

/** Anything else in a uid could be a wildcard. */
const UID = /^[A-Za-z0-9-]{1,64}$/;

const capture =
  (...patterns: readonly RegExp[]): Leavings['uidOf'] =>
  (subject) => {
    const uid = patterns.map((pattern) => pattern.exec(subject)?.[1]).find((found) => found !== undefined);
    return uid !== undefined && UID.test(uid) ? uid : undefined;
  };

const LEDGER = `$KV.${KV_BUCKETS.ledger}`;
const CURSOR = `$KV.${KV_BUCKETS.cursor}`;

export const LEAVINGS: readonly Leavings[] = [
  {
    // of a root
    ...{ stream: STREAMS.artifacts.name, filter: ARTIFACT_SUBJECTS },
    uidOf: capture(/^fleet\.artifact\.([^.]+)\.[^.]+$/),
    subjectsOf: (uid) => [`fleet.artifact.${uid}.*`],
  },
  {
    // of a Story, a Task, and a Council with slots of its own
    ...{ stream: `KV_${KV_BUCKETS.ledger}`, filter: `${LEDGER}.>` },
    uidOf: capture(
      /^\$KV\.[^.]+\.story\.([^.]+)$/,
      /^\$KV\.[^.]+\.attempt\.([^.]+)\.[^.]+$/,
      /^\$KV\.[^.]+\.endpoint\.[^.]+\.([^.]+)$/,
    ),
    subjectsOf: (uid) => [`${LEDGER}.story.${uid}`, `${LEDGER}.attempt.${uid}.*`, `${LEDGER}.endpoint.*.${uid}`],
  },
  {
    // of each object that publishes
    ...{ stream: `KV_${KV_BUCKETS.cursor}`, filter: `${CURSOR}.*` },
    uidOf: capture(/^\$KV\.[^.]+\.([^.]+)$/),
    subjectsOf: (uid) => [`${CURSOR}.${uid}`],
  },
];
