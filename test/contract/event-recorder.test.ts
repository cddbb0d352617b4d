// Kubernetes Events on a real API server: what it makes of them is what `kubectl events` shows.

import { expect, test } from 'vitest';
import type { ApiClient } from '../../kube/client.ts';
import type { KubeObject, Stored } from '../../kube/object.ts';
import { configMaps, events } from '../../kube/resources.ts';
import { EventRecorder } from '../../operator/publish/event-recorder.ts';
import { Queue } from '../../runtime/queue.ts';
import { handClock, type HandClock } from '../unit/runtime/hand-clock.ts';
import { clientOf, connectToCluster, makeNamespace } from './cluster.ts';

interface KubeEvent {
  readonly type: string;
  readonly reason: string;
  readonly note: string;
  readonly regarding: { readonly kind: string; readonly name: string; readonly uid: string };
  readonly series?: { readonly count: number };
}

interface Stage {
  readonly api: ApiClient;
  readonly clock: HandClock;
  readonly recorder: EventRecorder;
  readonly dropped: readonly unknown[];
  readonly subject: Stored<KubeObject>;
  readonly told: () => Promise<readonly KubeEvent[]>;
  readonly namespace: string;
}

const it = test.extend<{ readonly stage: Stage }>({
  stage: async ({}, use) => {
    const api = clientOf(await connectToCluster());
    const namespace = await makeNamespace(api);
    const subject = await api.create(configMaps, {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { namespace, name: 'subject' },
    });
    const clock = handClock(Date.now());
    const dropped: unknown[] = [];
    const recorder = new EventRecorder({
      ...{ api, clock, instance: 'contract-tests', onDropped: (error: unknown) => dropped.push(error) },
      makeQueue: (options) => new Queue({ ...options, clock }),
    });
    recorder.open();
    const told = async (): Promise<readonly KubeEvent[]> => {
      const { items } = await api.listPage(events, { namespace });
      return (items as readonly KubeEvent[]).filter(({ regarding }) => regarding.uid === subject.metadata.uid);
    };
    await use({ api, clock, recorder, dropped, subject, told, namespace });
    await recorder.drain();
    await api.close();
  },
});

const atWork = { type: 'Normal', reason: 'Running', note: 'Running: attempt 1 is at work' } as const;

it('an Event stands at its object, as it was told', async ({ stage: { recorder, subject, told, dropped } }) => {
  recorder.record(subject, atWork);
  await expect
    .poll(told)
    .toEqual([expect.objectContaining({ ...atWork, regarding: expect.objectContaining({ kind: 'ConfigMap' }) as unknown })]);
  expect(dropped).toEqual([]);
});

it('an Event that repeats is one object with a count', async ({ stage: { recorder, subject, told, clock, dropped } }) => {
  recorder.record(subject, atWork);
  await expect.poll(told).toHaveLength(1);
  recorder.record(subject, atWork);
  recorder.record(subject, atWork);
  await clock.advance(60_000);
  await expect.poll(async () => (await told()).map(({ series }) => series?.count)).toEqual([3]);
  expect(dropped).toEqual([]);
});

it('an Event of the greatest length in the widest characters is taken', async ({
  stage: { recorder, subject, told, dropped },
}) => {
  recorder.record(subject, { ...atWork, note: '𝛼'.repeat(125) });
  await expect.poll(told).toHaveLength(1);
  expect(dropped).toEqual([]);
});

it('what the API server refuses is dropped, and the next one is told', async ({
  stage: { recorder, subject, told, dropped },
}) => {
  recorder.record(subject, { ...atWork, note: 'x'.repeat(2_000) });
  recorder.record(subject, atWork);
  await expect.poll(told).toHaveLength(1);
  await expect.poll(() => dropped.length).toBe(1);
});
