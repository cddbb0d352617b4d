import { describe, expect, it } from 'vitest';
import { SharedRefs } from '../../../gateway/git/shared-refs.ts';
import type { Repository } from '../../../gateway/git/smart-http.ts';
import { handClock, flush } from '../runtime/hand-clock.ts';

const repository = (host: string, path = '/team/app.git'): Repository => ({
  path,
  upstream: {
    ...{ name: host, kind: 'git', scheme: 'https', host, prefix: '/team', namespaces: ['shop'] },
    ...{ credentials: true, ca: false, allowPrivate: false },
  },
});

interface Call {
  readonly what: string;
  readonly end: PromiseWithResolvers<string | undefined>;
  readonly signal: AbortSignal;
}

const rigged = () => {
  const calls: Call[] = [];
  const clock = handClock();
  const inner = {
    commitAt: ({ upstream, path }: Repository, ref: string, signal: AbortSignal) => {
      const end = Promise.withResolvers<string | undefined>();
      calls.push({ what: `${upstream.host}${path} ${ref}`, end, signal });
      return end.promise;
    },
  };
  const refs = new SharedRefs(inner, { perHost: 2, waitingPerHost: 3, clock });
  const ask = (host: string, ref: string, signal = new AbortController().signal, path?: string) =>
    refs.commitAt(repository(host, path), ref, signal).catch((error: unknown) => error);
  return { calls, clock, ask };
};

const asked = (calls: readonly Call[]): readonly string[] => calls.map(({ what }) => what);

describe('equal questions for a ref', () => {
  it('share one call while it is under way, and its answer for a second after', async () => {
    const { calls, clock, ask } = rigged();
    const first = [ask('git', 'main'), ask('git', 'main'), ask('git', 'main')];
    await flush();
    calls[0]?.end.resolve('abc');
    expect(await Promise.all(first)).toEqual(['abc', 'abc', 'abc']);
    await clock.advance(999);
    expect(await ask('git', 'main')).toBe('abc');
    expect(asked(calls)).toEqual(['git/team/app.git main']);
    await clock.advance(1);
    void ask('git', 'main');
    await flush();
    expect(calls).toHaveLength(2);
  });

  it('share a failure, too', async () => {
    const { calls, ask } = rigged();
    const both = [ask('git', 'main'), ask('git', 'main')];
    await flush();
    calls[0]?.end.reject(new Error('broken'));
    expect((await Promise.all(both)).map(String)).toEqual(['Error: broken', 'Error: broken']);
    expect(String(await ask('git', 'main'))).toBe('Error: broken');
    expect(calls).toHaveLength(1);
  });

  it('are not equal when ref, path or row differ', async () => {
    const { calls, ask } = rigged();
    void ask('git', 'main');
    void ask('git', 'next');
    void ask('forge', 'main');
    void ask('forge', 'main', undefined, '/team/other.git');
    await flush();
    expect(asked(calls)).toEqual([
      'git/team/app.git main',
      'git/team/app.git next',
      'forge/team/app.git main',
      'forge/team/other.git main',
    ]);
  });

  it('go on for the others when one of those who asked goes away', async () => {
    const { calls, ask } = rigged();
    const leaving = new AbortController();
    const [gone, stays] = [ask('git', 'main', leaving.signal), ask('git', 'main')];
    await flush();
    leaving.abort(new Error('stopping'));
    expect(String(await gone)).toBe('Error: stopping');
    expect(calls[0]?.signal.aborted).toBe(false);
    calls[0]?.end.resolve('abc');
    expect(await stays).toBe('abc');
  });
});

describe('one git server', () => {
  it('has so many calls at a time and the rest in turn, and holds up no other server', async () => {
    const { calls, ask } = rigged();
    const answers = ['a', 'b', 'c'].map((ref) => ask('slow', ref));
    void ask('quick', 'a');
    await flush();
    expect(asked(calls)).toEqual(['slow/team/app.git a', 'slow/team/app.git b', 'quick/team/app.git a']);
    calls[1]?.end.resolve('b');
    await flush();
    expect(asked(calls).at(-1)).toBe('slow/team/app.git c');
    calls[0]?.end.resolve('a');
    calls[3]?.end.resolve('c');
    expect(await Promise.all(answers)).toEqual(['a', 'b', 'c']);
  });

  it('has no more waiting than its bound: the next are told to come again', async () => {
    const { calls, ask } = rigged();
    const waiting = ['a', 'b', 'c', 'd', 'e'].map((ref) => ask('slow', ref));
    expect(await ask('slow', 'f')).toMatchObject({ code: 'RepositoryBusy', status: 503 });
    await flush();
    for (let n = 0; n < 5; n += 1) {
      calls[n]?.end.resolve('x');
      await flush();
    }
    expect(await Promise.all(waiting)).toEqual(['x', 'x', 'x', 'x', 'x']);
  });
});
