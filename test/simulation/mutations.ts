// Faults seeded on purpose: each changes one line of a controller as it is loaded, and breaks a guarantee that the simulation has to notice.
// `node --import ./test/simulation/mutations.ts test/simulation/main.ts …` with SIMULATION_MUTATION=<name> loads that one.
// A line that is not there any more is an error, so that a mutation cannot silently become none.

import { readFileSync } from 'node:fs';
import { registerHooks } from 'node:module';

export interface Mutation {
  /** What may be said to have broken. */
  readonly breaks: readonly string[];
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

export const mutations = {
  'an approval counts whatever digest it names': {
    breaks: ['G5'],
    file: 'controllers/plan/approval.ts',
    from: 'if (approval.digest !== digest)',
    to: 'if (approval.digest === undefined)',
  },
  'a Task starts without its dependencies': {
    breaks: ['G4'],
    file: 'controllers/task/blockers.ts',
    from: 'if (ids.length === 0) return undefined;',
    to: 'return undefined;',
  },
  'one workspace too many': {
    breaks: ['capacity'],
    file: 'controllers/task/capacity.ts',
    from: 'if (taken.cluster >= capacity.workspaces)',
    to: 'if (taken.cluster > capacity.workspaces)',
  },
  'an attempt that ended is forgotten': {
    breaks: ['G2', 'G1'],
    file: 'controllers/task/records.ts',
    from: 'byNumber(status?.attempts ?? [])',
    to: 'byNumber((status?.attempts ?? []).filter((entry) => entry.finishedAt === undefined))',
  },
  'a second courier while the first is at work': {
    breaks: ['G3'],
    file: 'controllers/task/run-reading.ts',
    from: "if (found.kind === 'running') return { record, stage: { kind: 'carrying', progress: found.progress } };",
    to: "if (found.kind === 'running') return { record, stage: { kind: 'delivered', nextTry: record.courierTries + 1, notBeforeMs: 0 } };",
  },
  'an event takes the number of the one before it': {
    breaks: ['G6'],
    file: 'controllers/outbox.ts',
    from: 'eventSeq: seq + events.length,',
    to: 'eventSeq: seq + events.length - 1,',
  },
  'a change of phase is not told': {
    breaks: ['G6'],
    file: 'controllers/task/events.ts',
    from: 'return before === change.phase ? [] : [changed];',
    to: 'return [];',
  },
  'a finished Task is taken up again': {
    breaks: ['G9', 'G2', 'G1'],
    file: 'controllers/task/rules.ts',
    from: 'if (!isFinished(seen.task)) return undefined;',
    to: 'return undefined;',
  },
  'a policy that nobody owns is rewritten, which the shell refuses': {
    breaks: ['thrown'],
    file: 'controllers/task/prerequisites.ts',
    from: "return { kind: 'altered', name: policy.metadata.name };",
    to: "return { kind: 'absent', effects: [{ verb: 'apply', object: networkPolicy(platform, namespace) }] };",
  },
  'a lost Job is waited for without a date': {
    breaks: ['G1'],
    file: 'controllers/task/run-reading.ts',
    from: 'if (sinceMs === undefined || now - sinceMs < UNREAD_MS) return undefined;',
    to: 'if (now >= 0) return undefined;',
  },
  'the Story ends before its Tasks': {
    breaks: ['G1', 'G9'],
    file: 'controllers/story/rules.ts',
    from: 'if (open === undefined) return undefined;',
    to: 'return undefined;',
  },
} as const satisfies Readonly<Record<string, Mutation>>;

export type MutationName = keyof typeof mutations;

/** The text with its one line changed. */
export const mutated = (text: string, { file, from, to }: Mutation): string => {
  const parts = text.split(from);
  if (parts.length !== 2) throw new Error(`${file} does not hold once: ${from}`);
  return parts.join(to);
};

const chosen = process.env['SIMULATION_MUTATION'];
if (chosen !== undefined) {
  const mutation: Mutation | undefined = (mutations as Readonly<Record<string, Mutation>>)[chosen];
  if (mutation === undefined) throw new Error(`there is no mutation ${chosen}`);
  const url = new URL(`../../${mutation.file}`, import.meta.url);
  const source = mutated(readFileSync(url, 'utf8'), mutation);
  registerHooks({
    load: (loaded, context, next) =>
      loaded === url.href ? { format: 'module-typescript', source, shortCircuit: true } : next(loaded, context),
  });
}
