import { describe, expect, it } from 'vitest';
import { watchFromNow } from '../../../bench/watch.ts';
import type { ApiClient, WatchOptions } from '../../../kube/client.ts';
import type { KubeObject } from '../../../kube/object.ts';
import { pods } from '../../../kube/resources.ts';
import type { WatchEvent } from '../../../kube/watch-stream.ts';

const seen = (name: string, resourceVersion: string): WatchEvent => ({
  type: 'MODIFIED',
  object: { apiVersion: 'v1', kind: 'Pod', metadata: { name, uid: name, resourceVersion } },
});

/** Each watch gives one of the streams and ends; what follows the last one never does. */
const client = (...streams: readonly (readonly WatchEvent[])[]) => {
  const begunFrom: string[] = [];
  const left = [...streams];
  const watch = async function* (_: unknown, { resourceVersion, signal }: WatchOptions): AsyncGenerator<WatchEvent> {
    signal.throwIfAborted();
    begunFrom.push(resourceVersion);
    const events = left.shift();
    if (events === undefined) await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
    yield* events ?? [];
  };
  const listPage = async () => ({ items: [], resourceVersion: '3', continueToken: undefined });
  return { begunFrom, client: { watch, listPage } as unknown as ApiClient };
};

describe('a watch of the bench', () => {
  it('goes on from the last event when the server ends it', async () => {
    const fake = client([seen('a', '5')], [seen('b', '8')]);
    const names: string[] = [];
    const last = Promise.withResolvers<void>();
    const onChange = ({ metadata }: KubeObject): void => {
      if (names.push(metadata.name) === 2) last.resolve();
    };
    const watching = await watchFromNow(fake.client, { resource: pods, onChange });
    await Promise.race([last.promise, watching.until(() => undefined)]);
    await watching.stop();
    expect(names).toEqual(['a', 'b']);
    expect(fake.begunFrom.slice(0, 2)).toEqual(['3', '5']);
  });

  it('that ends without an event fails, and is not asked for in a circle', async () => {
    const fake = client([]);
    const watching = await watchFromNow(fake.client, { resource: pods });
    await expect(watching.until(() => undefined)).rejects.toThrow('the watch ended');
    expect(fake.begunFrom).toEqual(['3']);
  });
});
