// An hour without an API server, by a clock that is moved by hand. What a reflector makes of a real one is in test/contract/reflector.test.ts.

import { describe, expect, it } from 'vitest';
import { Cache } from '../../../kube/cache.ts';
import { answerError, networkError } from '../../../kube/error.ts';
import type { KubeObject } from '../../../kube/object.ts';
import { Reflector } from '../../../kube/reflector.ts';
import { configMaps } from '../../../kube/resources.ts';
import { flush, handClock } from '../runtime/hand-clock.ts';

const HOUR_MS = 3_600_000;

const failures = {
  'is gone': () => networkError('GET /', new Error('connect ECONNREFUSED')),
  'asks to come again in a day': () => answerError('GET /', 503, {}, '86400'),
  'forgot its kinds': () => answerError('GET /', 404, {}),
};

describe('a reflector whose API server', () => {
  for (const [name, failure] of Object.entries(failures))
    it(`${name} for an hour never gives up, waits 30 s at the most, says so, and then goes on`, async () => {
      const clock = handClock();
      const triedAtMs: number[] = [];
      let isBack = false;
      const client = {
        listPage: async () => {
          triedAtMs.push(clock.nowMs());
          if (!isBack) throw failure();
          return { items: [], resourceVersion: '7', continueToken: undefined };
        },
        watch: async function* (_resource: unknown, { signal, onOpen }: { signal: AbortSignal; onOpen?: () => void }) {
          onOpen?.();
          await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
          yield* [];
        },
      };
      const reflector = new Reflector<KubeObject>({ client, resource: configMaps, cache: new Cache(), clock });
      const stop = new AbortController();
      const running = reflector.run(stop.signal);
      await clock.advance(HOUR_MS);
      const gaps = triedAtMs.slice(1).map((atMs, index) => atMs - (triedAtMs[index] ?? 0));
      expect(Math.max(...gaps)).toBeLessThanOrEqual(30_000);
      expect(HOUR_MS - (triedAtMs.at(-1) ?? 0)).toBeLessThanOrEqual(30_000);
      expect([reflector.isSynced, reflector.isBroken]).toEqual([false, true]);
      isBack = true;
      await clock.advance(30_000);
      await flush();
      expect([reflector.isSynced, reflector.isBroken]).toEqual([true, false]);
      stop.abort();
      await running;
    });
});
