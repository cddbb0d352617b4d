// What goes wrong in a run, from its seed: requests that fail with and without effect, clocks that differ, and strikes, each of which befalls
// the cluster once and may be healed later. Which kinds there are is a list, so that each can be left out when a failing run is shrunk.

import { ApiError } from '../../kube/error.ts';
import { StoreUnavailable } from '../../runtime/bus/errors.ts';
import type { Failure } from './gateway.ts';
import { Random } from './random.ts';
import { refusal } from './refusals.ts';
import type { Simulation } from './simulation.ts';
import { strikes, STRIKE_KINDS, type StrikeKind } from './strikes.ts';

const REQUEST_KINDS = ['serverErrors', 'lostAnswers', 'conflicts', 'throttling', 'lostAcks', 'failedAnswers'] as const;
type RequestKind = (typeof REQUEST_KINDS)[number];

export const FAULT_KINDS = [...REQUEST_KINDS, 'clockSkew', ...STRIKE_KINDS] as const;
export type FaultKind = RequestKind | 'clockSkew' | StrikeKind;

export interface FaultPlan {
  readonly seed: number;
  readonly kinds: readonly FaultKind[];
  /** How many strikes there are, and how many requests fail of each kind. */
  readonly count: number;
}

export interface RequestFault {
  readonly when: 'before' | 'after';
  readonly error: Error;
}

/** Of requests that may fail. */
const CHANCE = 0.05;
/** Moves between two strikes, on average. */
const MOVES_BETWEEN = 120;
const MOST_SKEW_MS = 90_000;

const isStrike = (kind: FaultKind): kind is StrikeKind => (STRIKE_KINDS as readonly string[]).includes(kind);

export class Faults {
  readonly #plan: FaultPlan;
  readonly #simulation: Simulation;
  readonly #random: Random;
  readonly #strikeKinds: readonly StrikeKind[];
  readonly #left = new Map<FaultKind, number>();
  readonly #skews = new Map<string, number>();
  #dates: { readonly atMs: number; readonly then: () => void }[] = [];
  #countdowns: { moves: number; readonly then: () => void }[] = [];
  #strikesLeft: number;
  #movesToNext: number;

  constructor(plan: FaultPlan, simulation: Simulation) {
    this.#plan = plan;
    this.#simulation = simulation;
    this.#random = new Random(plan.seed ^ 0x5eed);
    this.#strikeKinds = plan.kinds.filter(isStrike);
    for (const kind of plan.kinds) this.#left.set(kind, plan.count);
    this.#strikesLeft = plan.count;
    this.#movesToNext = this.#pause();
  }

  /** Everything that was struck and is to be healed was healed. */
  get isHealed(): boolean {
    return this.#dates.length === 0 && this.#countdowns.length === 0;
  }

  get mayBeMalformed(): boolean {
    return this.#plan.kinds.includes('malformedObject');
  }

  get random(): Random {
    return this.#random;
  }

  /** From now on nothing more goes wrong. */
  end(): void {
    this.#strikesLeft = 0;
    this.#left.clear();
  }

  /** Called once before each move. */
  strike(): void {
    this.#heal();
    if (this.#strikesLeft === 0 || this.#strikeKinds.length === 0) return;
    this.#movesToNext -= 1;
    if (this.#movesToNext > 0) return;
    this.#movesToNext = this.#pause();
    const kind = this.#random.pick(this.#strikeKinds);
    const what = strikes[kind]({
      ...{ simulation: this.#simulation, random: this.#random },
      later: (...at) => this.#later(...at),
    });
    if (what === undefined) return;
    this.#strikesLeft -= 1;
    this.#simulation.tell(`${kind}: ${what}`);
  }

  /** The next heal by the clock. */
  nextDateMs(): number | undefined {
    // where nothing moves, what waits for moves is due
    for (const countdown of this.#countdowns) countdown.moves = 0;
    if (this.#countdowns.length > 0) return this.#simulation.nowMs;
    return this.#dates.length === 0 ? undefined : Math.min(...this.#dates.map(({ atMs }) => atMs));
  }

  ofRequest(label: string): RequestFault | undefined {
    if (['publish', 'purge', 'read'].includes(label))
      return this.#happens('lostAcks') ? { when: this.#when(), error: new StoreUnavailable('not acknowledged') } : undefined;
    const transient = (code: number | undefined, message: string, retryAfterMs?: number): ApiError =>
      new ApiError({ sort: 'transient', request: `SIM ${label}`, code, message, retryAfterMs });
    if (this.#happens('serverErrors')) return { when: 'before', error: transient(500, 'InternalError') };
    if (this.#happens('throttling')) return { when: 'before', error: transient(429, 'TooManyRequests', 1_000) };
    if (this.#happens('lostAnswers')) return { when: 'after', error: transient(undefined, 'timeout') };
    const mayConflict = label === 'status' || label.startsWith('apply');
    if (mayConflict && this.#happens('conflicts'))
      return { when: 'before', error: refusal(409, 'Conflict', 'the object has been modified') };
    return undefined;
  }

  answerFailure(): Failure | undefined {
    if (!this.#happens('failedAnswers', 0.3)) return undefined;
    const retryable = this.#random.chance(0.7);
    return { reason: retryable ? 'Unreachable' : 'Refused', message: 'it did not answer well', retryable };
  }

  /** How far that clock is off, the same for the whole run but for operators, each of which has its own. */
  skewMs(of: 'server' | 'node' | 'operator'): number {
    if (!this.#plan.kinds.includes('clockSkew')) return 0;
    const known = this.#skews.get(of);
    if (known !== undefined && of !== 'operator') return known;
    const skewMs = Math.floor((this.#random.next() * 2 - 1) * MOST_SKEW_MS);
    this.#skews.set(of, skewMs);
    return skewMs;
  }

  #happens(kind: FaultKind, chance = CHANCE): boolean {
    const left = this.#left.get(kind) ?? 0;
    if (left === 0 || !this.#random.chance(chance)) return false;
    this.#left.set(kind, left - 1);
    return true;
  }

  #when(): RequestFault['when'] {
    return this.#random.chance(0.5) ? 'before' : 'after';
  }

  #pause(): number {
    return 1 + this.#random.below(2 * MOVES_BETWEEN);
  }

  #later(after: { readonly ms: number } | { readonly moves: number }, then: () => void): void {
    if ('ms' in after) this.#dates.push({ atMs: this.#simulation.nowMs + after.ms, then });
    else this.#countdowns.push({ moves: after.moves, then });
  }

  #heal(): void {
    if (this.isHealed) return;
    const { nowMs } = this.#simulation;
    for (const countdown of this.#countdowns) countdown.moves -= 1;
    const due = [...this.#dates.filter(({ atMs }) => atMs <= nowMs), ...this.#countdowns.filter(({ moves }) => moves <= 0)];
    if (due.length === 0) return;
    this.#dates = this.#dates.filter((date) => !due.includes(date));
    this.#countdowns = this.#countdowns.filter((countdown) => !due.includes(countdown));
    for (const { then } of due) then();
  }
}
