// What the gateway counts, each metric once. Label values come from closed sets (routes, codes, upstream names of the table), never from
// callers, so that nobody can grow the series.

import type { Metrics } from '../runtime/metrics.ts';
import type { Usage } from './model/usage.ts';

export interface GatewayMetrics {
  requestAnswered(route: string, status: number, seconds: number): void;
  refused(code: string): void;
  tokensUsed(endpoint: string, usage: Usage): void;
  commandAnswered(kind: string, outcome: string): void;
  tunnelOpened(upstream: string): void;
  purged(): void;
}

export const makeGatewayMetrics = (metrics: Metrics): GatewayMetrics => ({
  requestAnswered: (route, status, seconds) => {
    metrics.count('requests_total', 'Requests answered, by route and HTTP status.', { route, status: String(status) });
    metrics.count('request_seconds_total', 'Seconds spent on requests, by route.', { route }, seconds);
  },
  refused: (code) => metrics.count('refusals_total', 'Requests refused, by code.', { code }),
  tokensUsed: (endpoint, { prompt, completion }) => {
    const count = (sort: string, by: number): void =>
      metrics.count('model_tokens_total', 'Tokens that models counted, by endpoint.', { endpoint, sort }, by);
    count('prompt', prompt);
    count('completion', completion);
  },
  commandAnswered: (kind, outcome) =>
    metrics.count('commands_total', 'Commands answered, by kind and outcome.', { kind, outcome }),
  purged: () => metrics.count('purged_total', 'Objects that are gone and whose leavings in JetStream were purged.'),
  tunnelOpened: (upstream) => metrics.count('tunnels_total', 'Egress tunnels opened, by upstream.', { upstream }),
});
