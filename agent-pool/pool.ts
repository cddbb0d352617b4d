// Assembles the pool from its ports and runs it. It makes no port itself: main.ts brings the real ones, tests bring theirs.

import type { JetStreamLink } from '../runtime/bus/link.ts';
import { systemClock, type Clock } from '../runtime/clock.ts';
import { serveHealth } from '../runtime/health.ts';
import type { Log } from '../runtime/log.ts';
import type { Metrics } from '../runtime/metrics.ts';
import { endsWithin } from '../runtime/shutdown.ts';
import { makePoolMetrics } from './metrics.ts';
import { Serving, type Endpoint } from './serving.ts';
import type { TakeTurn } from './take-turn.ts';
import { makeTexts } from './texts.ts';
import { TurnAnswers } from './turn-answers.ts';
import type { TurnGateway } from './turn-gateway.ts';
import { TurnWorker } from './turn-worker.ts';

export interface PoolPorts {
  readonly link: Pick<JetStreamLink, 'available' | 'connected' | 'session' | 'publish'>;
  readonly gateway: TurnGateway;
  readonly takeTurn: TakeTurn;
  /** Version of the templates that `takeTurn` makes prompts from. */
  readonly prompts: string;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly clock?: Clock;
}

export interface PoolSettings {
  readonly host: string;
  /** 0: any free port. */
  readonly healthPort: number;
  readonly endpoints: readonly Endpoint[];
  /** A turn whose worker says nothing for so long goes to another one; default 15 s. */
  readonly ackWaitMs?: number;
  /** How often a turn is begun before it is answered as failed; default 5. */
  readonly deliveries?: number;
}

export interface Pool {
  readonly healthPort: number;
  /** From now on these endpoints, and no others. */
  serve(endpoints: readonly Endpoint[]): void;
  /** Pulls nothing more, gives what is at work that long, then gives it back to the store. */
  stop(drainMs: number): Promise<void>;
}

const ACK_WAIT_MS = 15_000;
const DELIVERIES = 5;

/** Starts pulling. Throws when the port of its health cannot be had. */
export const startPool = async (ports: PoolPorts, settings: PoolSettings): Promise<Pool> => {
  const { clock = systemClock, link, gateway, takeTurn, prompts, log, metrics } = ports;
  const { host, ackWaitMs = ACK_WAIT_MS, deliveries = DELIVERIES } = settings;
  const stopping = new AbortController();
  const cut = new AbortController();
  const worker = new TurnWorker({
    ...{ gateway, takeTurn, prompts, log, clock, deliveries, texts: makeTexts(), answers: new TurnAnswers(link) },
    ...{ metrics: makePoolMetrics(metrics), stopping: stopping.signal, cut: cut.signal },
  });
  const serving = new Serving({ link, log, clock, ackWaitMs, work: worker.work, maxDeliveries: deliveries + 1 });
  const missing = (): readonly string[] => [
    ...(stopping.signal.aborted ? ['stopping'] : []),
    ...(link.available ? [] : ['JetStream is not connected']),
    ...serving.closed().map((name) => `consumer ${name} is not open`),
  ];
  metrics.gauge('bus_available', '1 while JetStream can be used.', () => (link.available ? 1 : 0));
  metrics.gauge('turns_at_work', 'Turns that have a slot.', () => serving.atWork);
  metrics.gauge('turns_waiting', 'Turns in hand that wait for a slot.', () => serving.waiting);
  const health = await serveHealth({
    ...{ host, port: settings.healthPort, sick: () => [], missing, metrics: () => metrics.render() },
  });
  serving.serve(settings.endpoints);
  log.info('listening', { healthPort: health.port });
  return {
    healthPort: health.port,
    serve: (endpoints) => (stopping.signal.aborted ? undefined : serving.serve(endpoints)),
    stop: async (drainMs) => {
      stopping.abort(new Error('stopping'));
      const ended = serving.end();
      if (!(await endsWithin(drainMs, ended, clock))) {
        log.warn('giving back what is still at work', { turns: serving.atWork });
        cut.abort(new Error('this process ends'));
      }
      await ended;
      await health.close();
    },
  };
};
