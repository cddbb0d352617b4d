// Turns: one call of a model for one agent of a Deliberation. The operator asks for them, the agent pool answers, the gateway serves both from
// what the Deliberation pinned. A command and its result name uids and digests, never texts, URLs or models.
import { z } from 'zod';
import { digest, type Immutable } from '../kinds/meta.ts';

/** Seats of a Deliberation: nine agents that propose, two reviewers of other Councils, one architect who selects. */
export const MAX_SEATS = 12;
export const MAX_ROUNDS = 5;
export const MAX_CRITERIA = 16;
/** How often an architect is asked before the scores decide. */
export const MAX_SELECTIONS = 2;

export const TURN_KINDS = ['Proposal', 'Critique', 'Revision', 'Score', 'Selection'] as const;
export type TurnKind = (typeof TURN_KINDS)[number];

/** What tells one turn of a Deliberation from every other. Seats count from 0, in the order of the pinned roster. */
export interface TurnPlace {
  readonly kind: TurnKind;
  /** Critique and Revision: the round, from 1. Selection: the try, from 1. Proposal and Score: 0. */
  readonly round: number;
  /** Who is asked. */
  readonly seat: number;
  /** Critique: whose proposal it is about. */
  readonly target?: number;
}

const SEAT = 100;
const ROUND = SEAT * SEAT;
const KIND = ROUND * 10;

/** The number of a turn within its Deliberation: one digit for the kind, one for the round, two for the seat and two for the target, both from 1. */
export const turnNumber = ({ kind, round, seat, target }: TurnPlace): number =>
  (TURN_KINDS.indexOf(kind) + 1) * KIND + round * ROUND + (seat + 1) * SEAT + (target === undefined ? 0 : target + 1);

const isSeat = (seat: number): boolean => seat >= 0 && seat < MAX_SEATS;

/** The inverse of `turnNumber`; undefined for a number that names no turn. */
export const turnPlaceOf = (n: number): TurnPlace | undefined => {
  const kind = TURN_KINDS[Math.floor(n / KIND) - 1];
  const round = Math.floor((n % KIND) / ROUND);
  const seat = Math.floor((n % ROUND) / SEAT) - 1;
  const target = (n % SEAT) - 1;
  if (kind === undefined || round > MAX_ROUNDS || !isSeat(seat) || (kind === 'Critique') !== isSeat(target)) return undefined;
  const place: TurnPlace = { kind, round, seat, ...(target >= 0 && { target }) };
  return turnNumber(place) === n ? place : undefined;
};

const turnId = z.string().regex(/^[A-Za-z0-9-]{1,64}\.[1-9][0-9]{0,6}$/);
/** Two subject tokens. */
export const turnIdOf = (deliberationUid: string, n: number): string => `${deliberationUid}.${n}`;

export const TURN_PRIORITIES = ['high', 'normal', 'low'] as const;
export type TurnPriority = (typeof TURN_PRIORITIES)[number];

/** A text that the turn is about, under the name that the agent reads. */
const turnInput = z.object({
  /** Letters hide who wrote it: `A`, `B` …; `own` is the asked agent's; a critique has its critic's seat. */
  label: z.string().min(1).max(16),
  digest: digest(''),
});
export type TurnInput = Immutable<z.infer<typeof turnInput>>;

export const turnCommand = z.object({
  kind: z.literal('turn'),
  id: turnId,
  namespace: z.string().max(63),
  deliberationUid: z.string().max(64),
  rootUid: z.string().max(64),
  endpoint: z.string().max(63),
  priority: z.enum(TURN_PRIORITIES),
  n: z.int().min(1),
  inputs: z.array(turnInput).max(MAX_SEATS),
  /** From then on nobody waits for the answer; epoch milliseconds. */
  deadlineMs: z.int(),
});
export type TurnCommand = Immutable<z.infer<typeof turnCommand>>;

/** Points of one text, in the order of the pinned rubric; thousandths. */
const points = z.object({
  label: z.string().min(1).max(16),
  points: z.array(z.int().min(0).max(1000)).min(1).max(MAX_CRITERIA),
});

const checkCounts = z.object({
  passed: z.boolean(),
  errors: z.int().min(0).max(10_000),
  warnings: z.int().min(0).max(10_000),
});
export type CheckCounts = Immutable<z.infer<typeof checkCounts>>;

const SENTENCES = 1024;

const answered = z.object({
  ok: z.literal(true),
  /** Of the text, which lies among the artifacts of the root. */
  digest: digest(''),
  /** Proposal and Revision: what is judged of the text by itself. */
  checks: z.object({ policy: checkCounts.optional(), lint: checkCounts.optional() }).optional(),
  scores: z.array(points).max(MAX_SEATS).optional(),
  choice: z
    .object({ label: z.string().min(1).max(16), rationale: z.string().max(SENTENCES), dissent: z.string().max(SENTENCES) })
    .optional(),
});
const failed = z.object({
  ok: z.literal(false),
  reason: z
    .string()
    .regex(/^[A-Za-z][A-Za-z0-9]*$/)
    .max(64),
  message: z.string().max(SENTENCES),
});

export const turnResult = z.intersection(
  z.object({
    id: turnId,
    /** When the worker had it; RFC 3339. */
    at: z.string().max(40),
    agent: z.string().max(63),
    model: z.string().max(256),
    tokens: z.int().min(0),
    durationMs: z.int().min(0),
    /** Version of the templates that the prompt was made from. */
    prompts: z.string().max(64),
    /** Digest of what all agents of the Deliberation were told. */
    context: digest('').optional(),
  }),
  z.discriminatedUnion('ok', [answered, failed]),
);
export type TurnResult = Immutable<z.infer<typeof turnResult>>;

export const turnCommandSubject = ({ endpoint, priority, id }: Pick<TurnCommand, 'endpoint' | 'priority' | 'id'>): string =>
  `fleet.turn.cmd.${endpoint}.${priority}.${id}`;
/** What a worker of that endpoint pulls. */
export const turnCommandFilter = (endpoint: string, priority: TurnPriority): string => `fleet.turn.cmd.${endpoint}.${priority}.>`;
export const turnResultSubject = (rootUid: string, id: string): string => `fleet.turn.result.${rootUid}.${id}`;
export const TURN_RESULTS = 'fleet.turn.result.>';
/** The shortest that a turn may take before it counts as lost. */
const LEAST_TURN_MS = 30_000;
/** How long one turn may take: a third of the whole. */
export const turnTimeoutMs = (timeoutSeconds: number): number => Math.max(LEAST_TURN_MS, Math.floor((timeoutSeconds * 1000) / 3));
