// What the API server sets: no controller is faster than a write and the event that tells of it. Taken on the bed of each benchmark that
// needs them, with a Council that nobody reconciles.

import type { Council } from '../crds/kinds/council.ts';
import type { ApiClient } from '../kube/client.ts';
import { jobs } from '../kube/resources.ts';
import { council, unstored } from '../test/builders/objects.ts';
import { Arrivals } from './arrivals.ts';
import type { Bed } from './bed.ts';
import { bareJob } from './jobs.ts';
import { median } from './statistics.ts';
import { nowMs, resourceOf, watchFromNow } from './watch.ts';

const SAMPLES = 200;
const WARM_UP = 20;
const COUNCILS = resourceOf('Council');
const NAME = 'measured';
const FLOOR_NAMESPACE = 'floor';

/** The samples after a warm-up, one after the other. */
export const sampled = async (sample: (n: number) => Promise<void>): Promise<void> => {
  for (let n = 0; n < SAMPLES + WARM_UP; n += 1) await sample(n);
};
export const counted = (samples: readonly number[]): readonly number[] => samples.slice(WARM_UP);

/** The spec of one Council, changed again and again; and when an event first showed what. */
export interface Subject {
  /** From the write of another spec to the event that shows it: as written, or as reconciled. */
  changed(n: number, shown: 'written' | 'reconciled'): Promise<number>;
  readonly client: ApiClient;
  readonly namespace: string;
  stop(): Promise<void>;
}

export const makeSubject = async (bed: Bed, namespace: string): Promise<Subject> => {
  const { client } = bed;
  await bed.makeNamespace(namespace);
  const arrivals = new Arrivals();
  const onChange = (object: object, atMs: number): void => {
    const { metadata, status } = object as Council;
    arrivals.note(`written ${metadata.generation}`, atMs);
    arrivals.note(`reconciled ${status?.observedGeneration ?? 0}`, atMs);
  };
  const watching = await watchFromNow(client, { resource: COUNCILS, namespace, onChange });
  const { metadata: _, ...rest } = unstored(council({ model: { endpoint: 'nowhere', name: 'none' } }, false));
  await client.create(COUNCILS, { ...rest, metadata: { namespace, name: NAME } });
  return {
    ...{ client, namespace },
    changed: async (n, shown) => {
      const patch = { spec: { model: { endpoint: `nowhere-${n}` } } };
      const startedAt = nowMs();
      const written = (await client.patch(COUNCILS, { namespace, name: NAME }, patch)) as Council;
      return (await arrivals.when(`${shown} ${written.metadata.generation}`)) - startedAt;
    },
    stop: () => watching.stop(),
  };
};

export interface Floors {
  readonly statusMs: number;
  readonly createMs: number;
  readonly writeToWatchMs: number;
}

const timed = async (action: () => Promise<unknown>): Promise<number> => {
  const startedAt = nowMs();
  await action();
  return nowMs() - startedAt;
};

/** Medians. The status is applied as the operator does, the object that is created is an attempt's Job, which starts nothing. */
export const measureFloors = async (bed: Bed): Promise<Floors> => {
  const { client } = bed;
  const subject = await makeSubject(bed, FLOOR_NAMESPACE);
  const ref = { apiVersion: 'swefleet.io/v1alpha1', kind: 'Council', metadata: { namespace: FLOOR_NAMESPACE, name: NAME } };
  const how = { fieldManager: 'swe-fleet-bench', force: true, subresource: 'status' } as const;
  const [status, create, writeToWatch]: number[][] = [[], [], []];
  await sampled(async (n) => {
    status?.push(await timed(() => client.apply(COUNCILS, { ...ref, status: { observedGeneration: n + 1 } }, how)));
    create?.push(
      await timed(() => client.create(jobs, bareJob({ namespace: FLOOR_NAMESPACE, name: `floor-${n}`, suspend: true }))),
    );
    writeToWatch?.push(await subject.changed(n, 'written'));
  });
  await subject.stop();
  const middle = (samples: number[] | undefined): number => median(counted(samples ?? []));
  return { statusMs: middle(status), createMs: middle(create), writeToWatchMs: middle(writeToWatch) };
};
