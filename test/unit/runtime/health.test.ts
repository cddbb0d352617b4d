import { describe, expect, it } from 'vitest';
import { serveHealth } from '../../../runtime/health.ts';

describe('the health port', () => {
  const options = { port: 0, sick: () => [], missing: () => [], metrics: async () => 'm 1\n' };
  const ask = async (path: string, missing: readonly string[] = []): Promise<readonly [number, string]> => {
    const server = await serveHealth({ ...options, missing: () => missing });
    const answer = await fetch(`http://127.0.0.1:${server.port}${path}`);
    const text = await answer.text();
    await server.close();
    return [answer.status, text];
  };
  const cases: readonly {
    readonly name: string;
    readonly path: string;
    readonly missing?: readonly string[];
    readonly want: readonly [number, string];
  }[] = [
    { name: 'alive', path: '/healthz', want: [200, 'ok\n'] },
    { name: 'alive although not ready', path: '/healthz', missing: ['x'], want: [200, 'ok\n'] },
    { name: 'ready', path: '/readyz?verbose', want: [200, 'ok\n'] },
    {
      name: 'not ready, and what is missing',
      path: '/readyz',
      missing: ['Story was not listed yet', 'b'],
      want: [503, 'Story was not listed yet\nb\n'],
    },
    { name: 'metrics', path: '/metrics', want: [200, 'm 1\n'] },
    { name: 'nothing else', path: '/', want: [404, 'not found\n'] },
  ];
  for (const { name, path, missing, want } of cases)
    it(name, async () => {
      expect(await ask(path, missing)).toEqual(want);
    });

  it('says when its port is taken', async () => {
    const first = await serveHealth(options);
    await expect(serveHealth({ ...options, port: first.port })).rejects.toThrow('EADDRINUSE');
    await first.close();
  });

  it('answers 500 when the metrics cannot be read, and goes on', async () => {
    const metrics = () => Promise.reject(new Error('a bug'));
    const server = await serveHealth({ ...options, metrics });
    const statusOf = async (path: string) => (await fetch(`http://127.0.0.1:${server.port}${path}`)).status;
    expect([await statusOf('/metrics'), await statusOf('/healthz')]).toEqual([500, 200]);
    await server.close();
  });
});
