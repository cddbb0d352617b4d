// Every process × API server and NATS × what can become of them: it recovers by itself, and says meanwhile what is wrong.
// What becomes of git and model servers is in upstreams.test.ts; an hour is in the tests of each back-off, by a clock that is moved by hand.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadConnection } from '../../../kube/connection.ts';
import type { ApiClient } from '../../../kube/client.ts';
import { ensureBox } from '../../cluster/cluster.ts';
import { TEST_BOX, TEST_GPUS } from '../../environment/test-cluster.ts';
import { installCrds } from '../admission.ts';
import { clientOf } from '../cluster.ts';
import { makePlace, until, type Place, type Program, type Running } from './processes.ts';

interface Row {
  readonly program: Program;
  readonly when: string;
  readonly breaks: (place: Place) => Promise<void>;
  /** Resolves when the process, or the one that the kubelet starts in its place, says what is wrong; returns the one that lives. */
  readonly says: (running: Running, place: Place) => Promise<Running>;
  readonly heals: (place: Place) => Promise<void>;
}

const TEN_SECONDS_MS = 10_000;
const lasts = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, TEN_SECONDS_MS));

/** It lives on, and the gauge says so. */
const gaugeSays =
  (name: string): Row['says'] =>
  async (running) => {
    await until(async () => (await running.metric(name)) === 0);
    return running;
  };

/** Slow is not wrong: it does its work all the same. */
const worksOn: Row['says'] = async (running, place) => {
  await place.works(running);
  return running;
};

/** A leader that cannot renew its Lease ends; the next process is not ready before it has seen the cluster. */
const endsAndIsNotReady: Row['says'] = async (running, place) => {
  expect(await running.ended).toBe(3);
  expect(running.said()).toContain('the Lease was lost: ending');
  const next = await place.start();
  await until(async () => (await next.readiness()).startsWith('503 '));
  expect(await next.readiness()).toMatch(/^503 .*was not listed yet/);
  expect(await next.metric('api_available')).toBe(0);
  return next;
};

const busWell = (place: Place): Promise<void> => place.bus.become('well');
const apiWell = (place: Place): Promise<void> => place.api.become('well');
const gone = (of: 'api' | 'bus') => async (place: Place) => {
  await place[of].become('gone');
  await lasts();
};

const rowsOf = (program: Program, withoutApi: Row['says']): readonly Row[] => [
  { program, when: 'NATS is gone for 10 s', breaks: gone('bus'), says: gaugeSays('bus_available'), heals: busWell },
  {
    ...{ program, when: 'NATS comes back empty', says: gaugeSays('bus_available') },
    breaks: ({ nats }) => nats.wipe(),
    heals: ({ nats }) => nats.start(),
  },
  { program, when: 'NATS is slow', breaks: ({ bus }) => bus.become('slow'), says: worksOn, heals: busWell },
  {
    ...{ program, when: 'NATS keeps its connections and says nothing', says: gaugeSays('bus_available') },
    ...{ breaks: ({ bus }) => bus.become('silent'), heals: busWell },
  },
  { program, when: 'the API server is gone for 10 s', breaks: gone('api'), says: withoutApi, heals: apiWell },
  { program, when: 'the API server is slow', breaks: ({ api }) => api.become('slow'), says: worksOn, heals: apiWell },
  {
    ...{ program, when: 'the API server keeps its connections and says nothing', says: withoutApi },
    ...{ breaks: ({ api }) => api.become('silent'), heals: apiWell },
  },
];

const ROWS = [...rowsOf('operator', endsAndIsNotReady), ...rowsOf('gateway', gaugeSays('api_available'))];

describe('a process', () => {
  let kubeconfig: string;
  let client: ApiClient;
  beforeAll(async () => {
    ({ kubeconfig } = await ensureBox({ name: TEST_BOX, gpus: TEST_GPUS, log: () => undefined }));
    client = clientOf(await loadConnection(kubeconfig));
    await installCrds(client);
  });
  afterAll(async () => client.close());

  for (const { program, when, breaks, says, heals } of ROWS)
    it.concurrent(`${program}: ${when}`, async () => {
      const place = await makePlace(program, kubeconfig, client);
      try {
        const first = await place.start();
        await until(async () => (await first.readiness()) === '200 ok\n');
        await place.works(first);
        await breaks(place);
        const running = await says(first, place);
        await heals(place);
        await until(async () => (await running.readiness()) === '200 ok\n');
        await place.works(running);
        await until(async () => (await running.metric('bus_available')) === 1 && (await running.metric('api_available')) === 1);
      } finally {
        await place.close();
      }
    });
});
