import { describe, expect, it } from 'vitest';
import { Queue, type Next, type QueueOptions } from '../../../runtime/queue.ts';
import { handClock, flush, type HandClock } from './hand-clock.ts';

const DONE: Next = { kind: 'done' };

interface Rig {
  readonly queue: Queue;
  readonly clock: HandClock;
  /** `start key` and `end key`, with the time. */
  readonly log: string[];
  /** Ends the oldest running work on that key. */
  readonly finish: (key: string, next?: Next) => Promise<void>;
}

/** A queue whose work runs until the test finishes it. */
const rigged = (options: Partial<QueueOptions> = {}): Rig => {
  const clock = handClock();
  const log: string[] = [];
  const pending = new Map<string, (next: Next) => void>();
  const work = (key: string): Promise<Next> => {
    log.push(`${clock.nowMs()} start ${key}`);
    return new Promise((resolve) => pending.set(key, resolve));
  };
  const queue = new Queue({ work, clock, workers: 2, backoff: { baseMs: 100, maxMs: 1_000 }, ...options });
  queue.open();
  const finish = async (key: string, next: Next = DONE): Promise<void> => {
    log.push(`${clock.nowMs()} end ${key}`);
    pending.get(key)?.(next);
    await flush();
  };
  return { queue, clock, log, finish };
};

/** A queue whose work ends at once with the next of the given wishes. */
const scripted = (...wishes: Next[]): Pick<Rig, 'queue' | 'clock' | 'log'> => {
  const clock = handClock();
  const log: string[] = [];
  const work = async (key: string): Promise<Next> => {
    log.push(`${clock.nowMs()} ${key}`);
    return wishes.shift() ?? DONE;
  };
  const queue = new Queue({ work, clock, workers: 1, backoff: { baseMs: 100, maxMs: 1_000 } });
  queue.open();
  return { queue, clock, log };
};

describe('the queue', () => {
  it('runs keys in the order they came, as many at once as it has workers', async () => {
    const { queue, log, finish } = rigged();
    for (const key of ['a', 'b', 'c']) queue.add(key);
    expect(log).toEqual([]);
    await flush();
    expect(log).toEqual(['0 start a', '0 start b']);
    await finish('b');
    expect(log).toEqual(['0 start a', '0 start b', '0 end b', '0 start c']);
  });

  it('merges a key that was added twice before it ran', async () => {
    const { queue, log, finish } = rigged({ workers: 1 });
    for (const key of ['a', 'b', 'b', 'b']) queue.add(key);
    await flush();
    await finish('a');
    await finish('b');
    expect(log).toEqual(['0 start a', '0 end a', '0 start b', '0 end b']);
  });

  it('never runs one key twice at once, and runs it exactly once more when it was added meanwhile', async () => {
    const { queue, log, finish } = rigged();
    queue.add('a');
    await flush();
    queue.add('a');
    queue.add('a');
    await flush();
    expect(log).toEqual(['0 start a']);
    await finish('a');
    expect(log).toEqual(['0 start a', '0 end a', '0 start a']);
    await finish('a');
    expect(log).toHaveLength(4);
    expect([queue.depth, queue.running]).toEqual([0, 0]);
  });

  it('runs a key at the date its work asked for', async () => {
    const { queue, clock, log } = scripted({ kind: 'after', delayMs: 5_000 });
    queue.add('a');
    await clock.advance(4_999);
    expect(log).toEqual(['0 a']);
    await clock.advance(1);
    expect(log).toEqual(['0 a', '5000 a']);
  });

  it('keeps the earliest of several dates, and a pass before it makes the date void', async () => {
    const { queue, clock, log } = scripted();
    queue.addAfter('a', 500);
    queue.addAfter('a', 200);
    queue.addAfter('a', 900);
    await clock.advance(2_000);
    expect(log).toEqual(['200 a']);
    queue.addAfter('b', 500);
    queue.add('b');
    await clock.advance(2_000);
    expect(log).toEqual(['200 a', '2000 b']);
  });

  it('backs off exponentially up to its limit, per key, and starts over after a success', async () => {
    const retry: Next = { kind: 'retry' };
    const { queue, clock, log } = scripted(retry, retry, retry, retry, retry, retry, DONE, retry, DONE);
    queue.add('a');
    await clock.advance(60_000);
    // 100, 200, 400, 800, 1000, 1000 ms, each times 0.75 (jitter at chance 0.5)
    expect(log).toEqual(['0 a', '75 a', '225 a', '525 a', '1125 a', '1875 a', '2625 a']);
    queue.add('a');
    await clock.advance(60_000);
    expect(log.slice(7)).toEqual(['60000 a', '60075 a']);
  });

  it('knows which keys wait for their retry, until one of theirs succeeds', async () => {
    const { queue, finish } = rigged();
    queue.add('a');
    await flush();
    expect(queue.isFailing('a')).toBe(false);
    await finish('a', { kind: 'retry' });
    expect([queue.isFailing('a'), queue.isFailing('b')]).toEqual([true, false]);
    queue.add('a');
    await flush();
    await finish('a');
    expect(queue.isFailing('a')).toBe(false);
  });

  it('waits at least as long as the server asked for', async () => {
    const { queue, clock, log } = scripted({ kind: 'retry', minMs: 7_000 });
    queue.add('a');
    await clock.advance(60_000);
    expect(log).toEqual(['0 a', '7000 a']);
  });

  it('waits no longer than the work allows, however often it failed and whatever the server asked for', async () => {
    const retry: Next = { kind: 'retry', minMs: 86_400_000, maxMs: 30_000 };
    const { queue, clock, log } = scripted(...Array.from({ length: 200 }, () => retry));
    queue.add('a');
    await clock.advance(3_600_000);
    const atMs = log.map((line) => Number(line.split(' ')[0]));
    expect(Math.max(...atMs.slice(1).map((ms, index) => ms - (atMs[index] ?? 0)))).toBe(30_000);
    expect(atMs.at(-1)).toBe(3_600_000);
  });

  it('retries a key whose work threw, tells of it, and goes on with the others', async () => {
    const clock = handClock();
    const log: string[] = [];
    const thrown: string[] = [];
    const work = async (key: string): Promise<Next> => {
      log.push(`${clock.nowMs()} ${key}`);
      if (key === 'bad' && log.length === 1) throw new Error('a bug');
      return DONE;
    };
    const onThrown = (key: string, error: unknown) => thrown.push(`${key}: ${String(error)}`);
    const queue = new Queue({ work, clock, workers: 1, backoff: { baseMs: 100, maxMs: 1_000 }, onThrown });
    queue.open();
    queue.add('bad');
    queue.add('good');
    await clock.advance(1_000);
    expect(log).toEqual(['0 bad', '0 good', '75 bad']);
    expect(thrown).toEqual(['bad: Error: a bug']);
  });

  it('only collects keys until it is opened', async () => {
    const clock = handClock();
    const log: string[] = [];
    const work = async (key: string): Promise<Next> => {
      log.push(key);
      return DONE;
    };
    const queue = new Queue({ work, clock, workers: 1, backoff: { baseMs: 100, maxMs: 1_000 } });
    queue.add('a');
    queue.add('b');
    await flush();
    expect([log, queue.depth]).toEqual([[], 2]);
    queue.open();
    await flush();
    expect(log).toEqual(['a', 'b']);
  });

  it('lets the event loop have its turn: work that never waits for anything goes on in slices', async () => {
    const clock = handClock();
    const log: string[] = [];
    const work = async (key: string): Promise<Next> => {
      log.push(key);
      clock.spend(3);
      return DONE;
    };
    const queue = new Queue({ work, clock, workers: 2, backoff: { baseMs: 100, maxMs: 1_000 } });
    queue.open();
    for (const key of ['a', 'b', 'c', 'd', 'e', 'f']) queue.add(key);
    await flush();
    expect(log.length).toBeLessThan(6);
    const first = log.length;
    await clock.turn();
    expect(log.length).toBeGreaterThan(first);
    await clock.turn();
    await clock.turn();
    expect([log, queue.depth, queue.running]).toEqual([['a', 'b', 'c', 'd', 'e', 'f'], 0, 0]);
  });

  it('drains while it lets the event loop have its turn', async () => {
    const { queue, clock, log, finish } = rigged({ workers: 4 });
    queue.add('a');
    await flush();
    clock.spend(100);
    queue.add('b');
    await flush();
    const end = queue.drain();
    await finish('a');
    await end;
    await clock.turn();
    expect(log).toEqual(['0 start a', '100 end a']);
  });

  it('drains: ends what runs, starts nothing more, forgets dates', async () => {
    const { queue, clock, log, finish } = rigged({ workers: 1 });
    queue.add('a');
    await flush();
    queue.add('a');
    queue.add('b');
    queue.addAfter('c', 100);
    let drained = false;
    const end = queue.drain().then(() => {
      drained = true;
    });
    await flush();
    expect(drained).toBe(false);
    await finish('a');
    await end;
    queue.add('d');
    await clock.advance(10_000);
    expect(log).toEqual(['0 start a', '0 end a']);
  });
});
