// One turn from its message to its answer: brief → texts → model → text stored → answer stored → acknowledged. What cannot be had now is
// waited for with the message in hand. May: use its ports. May not: know a prompt, or which turn is next.

import { sha256 } from '../crds/canonical.ts';
import type { TurnBrief } from '../crds/contracts/turn-brief.ts';
import { turnPlaceOf } from '../crds/contracts/turns.ts';
import type { Clock } from '../runtime/clock.ts';
import { errorFields, type Fields, type Log } from '../runtime/log.ts';
import type { Delivery } from './delivery.ts';
import type { Outcome, PoolMetrics } from './metrics.ts';
import { Patience, type Whom } from './patience.ts';
import { type TakeTurn, type TurnAsked, type TurnGiven, type TurnSpoilt } from './take-turn.ts';
import type { Texts } from './texts.ts';
import type { TurnAnswers } from './turn-answers.ts';
import type { TurnGateway } from './turn-gateway.ts';
import { resultOf } from './turn-result.ts';

export interface TurnWorkerOptions {
  readonly answers: Pick<TurnAnswers, 'look' | 'store'>;
  readonly gateway: TurnGateway;
  readonly texts: Texts;
  readonly takeTurn: TakeTurn;
  /** Version of the templates that prompts are made from. */
  readonly prompts: string;
  readonly metrics: PoolMetrics;
  readonly log: Log;
  readonly clock: Clock;
  /** A turn that was delivered more often is answered as failed. */
  readonly deliveries: number;
  /** This process is ending: nothing is waited for any more. */
  readonly stopping: AbortSignal;
  /** This process ends: what is under way goes back to the store. */
  readonly cut: AbortSignal;
}

interface Turn {
  readonly delivery: Delivery;
  readonly patience: Patience;
  readonly startedMs: number;
  brief?: TurnBrief;
  modelMs: number;
  tokens: number;
}

type Labelled = TurnAsked['texts'][number];

interface End {
  readonly outcome: Outcome;
  readonly reason?: string;
}

const BROKEN_AGAIN_MS = 1_000;

const spoilt = (reason: string, message: string, tokens = 0): TurnSpoilt => ({ ok: false, reason, message, tokens });

/** Nothing more can be done here: it is too late, or this process ends. */
const outOfTime = ({ patience }: Turn): End => ({ outcome: patience.isLate ? 'late' : 'returned' });

export class TurnWorker {
  readonly #options: TurnWorkerOptions;

  constructor(options: TurnWorkerOptions) {
    this.#options = options;
  }

  /** Resolves when the turn is out of hand; never rejects. */
  readonly work = async (delivery: Delivery): Promise<void> => {
    const { clock, metrics, stopping, cut } = this.#options;
    const { endpoint, deadlineMs } = delivery.command;
    const onWait = (whom: Whom, why: string): void => this.#waited(delivery, whom, why);
    const patience = new Patience({ deadlineMs, stopping, cut, clock, onWait });
    const turn: Turn = { delivery, patience, startedMs: clock.nowMs(), modelMs: 0, tokens: 0 };
    if (delivery.count > 1) metrics.redelivered(endpoint);
    let end: End;
    try {
      end = await this.#run(turn);
    } catch (error) {
      this.#options.log.error('a turn broke', { id: delivery.command.id, ...errorFields(error, true) });
      end = { outcome: 'broken' };
    }
    patience.end();
    await this.#tell(turn, end);
    this.#record(turn, end);
  };

  async #run(turn: Turn): Promise<End> {
    const { answers, deliveries } = this.#options;
    const { patience, delivery } = turn;
    const found = await patience.have('store', () => answers.look(delivery.command));
    if (found === undefined) return outOfTime(turn);
    if (found.isAnswered) return { outcome: 'repeated' };
    if (delivery.count > deliveries)
      return this.#answer(turn, spoilt('GaveUp', `the turn was begun ${deliveries} times and never ended`));
    return this.#ask(turn);
  }

  async #ask(turn: Turn): Promise<End> {
    const { gateway } = this.#options;
    const { patience, delivery } = turn;
    const given = await patience.have('gateway', () => gateway.brief(delivery.command.id, patience.signal));
    if (given === undefined) return outOfTime(turn);
    if (given.kind === 'over') return { outcome: 'dropped', reason: given.code };
    turn.brief = given.brief;
    const texts = await this.#texts(turn);
    if (texts === undefined) return outOfTime(turn);
    if ('reason' in texts) return this.#answer(turn, texts);
    const taken = await this.#take(turn, given.brief, texts);
    if (taken === undefined) return outOfTime(turn);
    turn.tokens = taken.tokens;
    return taken.ok ? this.#keep(turn, taken) : this.#answer(turn, taken);
  }

  /** What the turn is about, in the order of its command. */
  async #texts(turn: Turn): Promise<readonly Labelled[] | TurnSpoilt | undefined> {
    const read = await Promise.all(turn.delivery.command.inputs.map(({ digest }) => this.#text(turn, digest)));
    const texts: Labelled[] = [];
    for (const [index, { label }] of turn.delivery.command.inputs.entries()) {
      const one = read[index];
      if (one === undefined) return undefined;
      if (one.kind === 'lost') return spoilt('ArtifactLost', one.message);
      texts.push({ label, text: one.text });
    }
    return texts;
  }

  async #text({ delivery, patience }: Turn, digest: string) {
    const { gateway, texts } = this.#options;
    const { id, rootUid } = delivery.command;
    const kept = texts.get(rootUid, digest);
    if (kept !== undefined) return { kind: 'text', text: kept } as const;
    const given = await patience.have('gateway', () => gateway.text(id, digest, patience.signal));
    if (given === undefined) return undefined;
    if (given.kind === 'text') texts.keep(rootUid, digest, given.text);
    return given;
  }

  async #take(turn: Turn, brief: TurnBrief, texts: readonly Labelled[]): Promise<TurnGiven | TurnSpoilt | undefined> {
    const { takeTurn, gateway, clock } = this.#options;
    const { patience, delivery } = turn;
    const { id, deadlineMs } = delivery.command;
    const startedMs = clock.nowMs();
    const asked = { brief, texts, modelUrl: gateway.modelUrl(id), deadlineMs, signal: patience.signal };
    const taken = await patience.have('model', () => takeTurn(asked));
    turn.modelMs = clock.nowMs() - startedMs;
    return taken;
  }

  /** The text first, so that no answer names one that is not there. */
  async #keep(turn: Turn, taken: TurnGiven): Promise<End> {
    const { gateway, texts } = this.#options;
    const { patience, delivery } = turn;
    const { id, rootUid } = delivery.command;
    const bytes = Buffer.from(taken.text, 'utf8');
    const digest = sha256(bytes);
    const stored = await patience.have('gateway', () => gateway.put(id, { digest, bytes }, patience.signal));
    if (stored === undefined) return outOfTime(turn);
    if (stored.kind === 'over') return { outcome: 'dropped', reason: stored.code };
    if (stored.kind === 'refused') return this.#answer(turn, spoilt('TextRefused', stored.message, taken.tokens));
    texts.keep(rootUid, digest, taken.text);
    return this.#answer(turn, taken, digest);
  }

  async #answer(turn: Turn, said: TurnGiven | TurnSpoilt, digest = ''): Promise<End> {
    const { patience, delivery, brief, startedMs } = turn;
    const { prompts, clock } = this.#options;
    const about = { id: delivery.command.id, brief, prompts, startedMs, nowMs: clock.nowMs() };
    const result = resultOf(about, said, digest);
    const stored = await patience.have('store', () => this.#options.answers.store(delivery.command, result));
    if (stored === undefined) return outOfTime(turn);
    if (!stored.isOurs) return { outcome: 'repeated' };
    return result.ok ? { outcome: 'answered' } : { outcome: 'failed', reason: result.reason };
  }

  async #tell({ delivery }: Turn, { outcome, reason }: End): Promise<void> {
    switch (outcome) {
      case 'answered':
      case 'failed':
      case 'repeated':
      case 'late':
        return delivery.finish().catch((error: unknown) => {
          const { id } = delivery.command;
          this.#options.log.warn('a turn could not be acknowledged and comes again', { id, ...errorFields(error) });
        });
      case 'dropped':
        return delivery.drop(reason ?? outcome);
      case 'returned':
        return delivery.giveBack();
      case 'broken':
        return delivery.giveBack(BROKEN_AGAIN_MS);
    }
  }

  #record({ brief, delivery, startedMs, modelMs, tokens }: Turn, { outcome, reason }: End): void {
    const { metrics, log, clock } = this.#options;
    const { id, n, endpoint } = delivery.command;
    const kind = turnPlaceOf(n)?.kind;
    const workMs = clock.nowMs() - startedMs;
    const fields: Fields = {
      ...{ id, kind, agent: brief?.own.agent, endpoint, outcome, reason, tokens, ms: workMs, modelMs },
      deliveries: delivery.count,
    };
    log.info('turn ended', fields);
    if (kind !== undefined)
      metrics.turnEnded({ endpoint, kind, outcome }, { waitingMs: startedMs - delivery.receivedMs, workMs, modelMs });
  }

  #waited({ command: { id, endpoint } }: Delivery, whom: Whom, why: string): void {
    this.#options.metrics.waited(endpoint, whom);
    this.#options.log.debug('a turn waits', { id, whom, why });
  }
}
