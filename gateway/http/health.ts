// Health, readiness and metrics, in plain HTTP on a port of its own that no workspace reaches. It answers from memory.

import { createServer, type Server } from 'node:http';

export interface HealthSource {
  /** Undefined when ready; else what is still missing. */
  readonly notReady: () => string | undefined;
  readonly metrics: () => string;
}

const answer = (path: string, source: HealthSource): { readonly status: number; readonly text: string } => {
  switch (path) {
    case '/healthz':
      return { status: 200, text: 'ok\n' };
    case '/readyz': {
      const missing = source.notReady();
      return missing === undefined ? { status: 200, text: 'ok\n' } : { status: 503, text: `${missing}\n` };
    }
    case '/metrics':
      return { status: 200, text: source.metrics() };
    default:
      return { status: 404, text: 'not found\n' };
  }
};

export const healthServer = (source: HealthSource): Server =>
  createServer({ requestTimeout: 10_000, maxHeaderSize: 8_192 }, (request, response) => {
    const { status, text } = answer((request.url ?? '').split('?')[0] ?? '', source);
    response.writeHead(status, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8', connection: 'close' }).end(text);
  });
