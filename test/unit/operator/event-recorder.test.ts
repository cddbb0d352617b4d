import { describe, expect, it } from 'vitest';
import type { ObjectEvent } from '../../../controllers/object-events.ts';
import { answerError, networkError } from '../../../kube/error.ts';
import type { KubeObject, ObjectRef, Resource } from '../../../kube/object.ts';
import { EventRecorder } from '../../../operator/publish/event-recorder.ts';
import { Queue } from '../../../runtime/queue.ts';
import { task, work } from '../../builders/objects.ts';
import { handClock, flush } from '../runtime/hand-clock.ts';

const greet = task(work('greet'));
const running: ObjectEvent = { type: 'Normal', reason: 'Running', note: 'Running: attempt 1 is at work' };
const lost: ObjectEvent = { type: 'Warning', reason: 'PodLost', note: 'attempt 1 failed' };

/** A recorder on an API server that fails as told, one answer a request; undefined: it does as it is asked. */
const stage = (failures: (Error | undefined)[] = []) => {
  const clock = handClock(Date.parse('2026-01-02T03:04:05Z'));
  const requests: string[] = [];
  const dropped: unknown[] = [];
  const answer = (text: string): void => {
    requests.push(text);
    const failure = failures.shift();
    if (failure !== undefined) throw failure;
  };
  const recorder = new EventRecorder({
    clock,
    instance: 'operator-0',
    makeQueue: (options) => new Queue({ ...options, clock }),
    onDropped: (error) => dropped.push(error),
    api: {
      create: async <T extends KubeObject>(_resource: Resource, object: T) => {
        const { reason, regarding } = object as T & { readonly reason: string; readonly regarding: { readonly name: string } };
        answer(`create ${reason} of ${regarding.name}`);
        return { ...object, metadata: { ...object.metadata, uid: 'uid-event', resourceVersion: '1' } };
      },
      patch: async (_resource: Resource, _ref: ObjectRef, patch: object) => answer(`patch ${JSON.stringify(patch)}`),
    },
  });
  return { clock, requests, dropped, recorder };
};

describe('Kubernetes Events', () => {
  it('are told in order', async () => {
    const { recorder, requests } = stage();
    recorder.open();
    recorder.record(greet, running);
    recorder.record(greet, lost);
    await flush();
    expect(requests).toEqual(['create Running of login-greet', 'create PodLost of login-greet']);
  });

  it('of the time before this process led were told by another, and are not kept', async () => {
    const { recorder, requests } = stage();
    recorder.record(greet, running);
    recorder.open();
    recorder.record(greet, lost);
    await flush();
    expect(requests).toEqual(['create PodLost of login-greet']);
  });

  it('that repeat become one series with a count, told at most once a minute', async () => {
    const { recorder, requests, clock } = stage();
    recorder.open();
    for (const waitMs of [0, 10_000, 10_000, 10_000]) {
      recorder.record(greet, running);
      await clock.advance(waitMs);
    }
    expect(requests).toEqual(['create Running of login-greet']);
    await clock.advance(60_000);
    expect(requests.slice(1)).toEqual(['patch {"series":{"count":4,"lastObservedTime":"2026-01-02T03:04:25.000000Z"}}']);
    await clock.advance(3_600_000);
    expect(requests).toHaveLength(2);
  });

  it('that the API server has forgotten are created anew', async () => {
    const { recorder, requests, clock } = stage([undefined, answerError('x', 404, { reason: 'NotFound', message: 'gone' })]);
    recorder.open();
    recorder.record(greet, running);
    await clock.advance(3_700_000);
    recorder.record(greet, running);
    await clock.advance(1_000);
    expect(requests.map((request) => request.slice(0, 6))).toEqual(['create', 'patch ', 'create']);
  });

  it('that an operator before this one told are not told again', async () => {
    const { recorder, requests, dropped } = stage([answerError('x', 409, { reason: 'AlreadyExists', message: 'there is one' })]);
    recorder.open();
    recorder.record(greet, running);
    await flush();
    expect([requests.length, dropped]).toEqual([1, []]);
  });

  it('are tried again a few times while the server is ill, then dropped and counted', async () => {
    const ill = networkError('x', new Error('reset'));
    const { recorder, requests, dropped, clock } = stage([ill, ill, ill, ill]);
    recorder.open();
    recorder.record(greet, running);
    await clock.advance(600_000);
    expect([requests.length, dropped]).toEqual([4, [ill]]);
  });

  it('that the server refuses are dropped at once', async () => {
    const refused = answerError('x', 403, { reason: 'Forbidden', message: 'no' });
    const { recorder, requests, dropped, clock } = stage([refused]);
    recorder.open();
    recorder.record(greet, running);
    await clock.advance(600_000);
    expect([requests.length, dropped]).toEqual([1, [refused]]);
  });
});
