// The plain port for the kubelet and Prometheus: /healthz, /readyz, /metrics. Serves nothing else, reads no body, answers from memory.

import { once } from 'node:events';
import { createServer } from 'node:http';

export interface HealthOptions {
  /** Absent: all addresses. */
  readonly host?: string;
  /** 0: any free port. */
  readonly port: number;
  /** Reasons why this process should be restarted; empty: it is alive. */
  readonly sick: () => readonly string[];
  /** What is still missing before it can do its work; empty: ready. */
  readonly missing: () => readonly string[];
  readonly metrics: () => Promise<string>;
}

export interface HealthServer {
  readonly port: number;
  close(): Promise<void>;
}

interface Answer {
  readonly code: number;
  readonly body: string;
  readonly type?: string;
}

const reportOf = (problems: readonly string[]): Answer =>
  problems.length === 0 ? { code: 200, body: 'ok\n' } : { code: 503, body: `${problems.join('\n')}\n` };

const answerOf = async (path: string | undefined, options: HealthOptions): Promise<Answer> => {
  switch (path) {
    case '/healthz':
      return reportOf(options.sick());
    case '/readyz':
      return reportOf(options.missing());
    case '/metrics':
      return { code: 200, body: await options.metrics(), type: 'text/plain; version=0.0.4; charset=utf-8' };
    default:
      return { code: 404, body: 'not found\n' };
  }
};

const broken = (): Answer => ({ code: 500, body: 'the answer could not be made\n' });

/** Resolves when it listens; rejects when it cannot. */
export const serveHealth = async (options: HealthOptions): Promise<HealthServer> => {
  const server = createServer({ requestTimeout: 5_000, maxHeaderSize: 8_192 }, (request, response) => {
    const path = request.url?.split('?')[0];
    void answerOf(path, options)
      .catch(broken)
      .then(({ code, body, type }) =>
        response.writeHead(code, { 'content-type': type ?? 'text/plain; charset=utf-8', connection: 'close' }).end(body),
      );
  });
  server.listen(options.port, options.host);
  await once(server, 'listening');
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : options.port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
};
