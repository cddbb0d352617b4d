// The plain port for the kubelet and Prometheus: /healthz, /readyz, /metrics. Serves nothing else and reads no body.

import { createServer, type Server } from 'node:http';

export interface HealthOptions {
  readonly port: number;
  /** Reasons why this process should be restarted; empty: it is alive. */
  readonly sick: () => readonly string[];
  /** What is still missing before it can do its work; empty: ready. */
  readonly missing: () => readonly string[];
  readonly metrics: () => string;
}

interface Answer {
  readonly code: number;
  readonly body: string;
  readonly type?: string;
}

const verdict = (problems: readonly string[]): Answer =>
  problems.length === 0 ? { code: 200, body: 'ok\n' } : { code: 503, body: `${problems.join('\n')}\n` };

const answerOf = (path: string | undefined, options: HealthOptions): Answer => {
  switch (path) {
    case '/healthz':
      return verdict(options.sick());
    case '/readyz':
      return verdict(options.missing());
    case '/metrics':
      return { code: 200, body: options.metrics(), type: 'text/plain; version=0.0.4; charset=utf-8' };
    default:
      return { code: 404, body: 'not found\n' };
  }
};

/** Resolves when it listens; rejects when it cannot. */
export const serveHealth = async (options: HealthOptions): Promise<Server> => {
  const server = createServer((request, response) => {
    const { code, body, type } = answerOf(request.url?.split('?')[0], options);
    response.writeHead(code, { 'content-type': type ?? 'text/plain; charset=utf-8' }).end(body);
  });
  server.requestTimeout = 5_000;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, () => resolve());
  });
  return server;
};
