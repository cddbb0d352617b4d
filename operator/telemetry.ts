// What the operator logs and counts, in one place: the decision line of each pass that wrote, problems by their sort, the health of
// watches and of the bus. The operator itself knows neither log nor metrics.

import type { Write } from '../kube/client.ts';
import type { Report } from '../kube/reflector.ts';
import { errorFields, type Log } from '../runtime/log.ts';
import type { Metrics } from '../runtime/metrics.ts';
import type { ProblemSort } from './reconcile/problem.ts';
import type { PassRecord } from './reconcile/reconcile.ts';
import type { ObjectKind } from './state/watched-kinds.ts';

/** Read when metrics are scraped. */
export interface Readings {
  readonly queueDepth: () => number;
  readonly queueRunning: () => number;
  readonly publishingDepth: () => number;
  readonly isStoreAvailable: () => boolean;
  readonly isApiAvailable: () => boolean;
  readonly cachedObjects: Readonly<Record<ObjectKind, () => number>>;
}

export interface Telemetry {
  readonly onPass: (record: PassRecord) => void;
  readonly onDecided: (kind: string) => void;
  readonly onReport: (report: Report) => void;
  readonly onBug: (error: unknown) => void;
  readonly onThrown: (key: string, error: unknown) => void;
  readonly onMalformedMessage: (key: string, error: unknown) => void;
  readonly onStoreAvailable: () => void;
  readonly onPublished: (subject: string) => void;
  readonly onUnpublishable: (key: string, event: { readonly type: string; readonly seq: number }) => void;
  /** An event for people could not be told and is dropped. */
  readonly onEventDropped: (error: unknown) => void;
  readonly read: (readings: Readings) => void;
}

const LEVELS = { conflict: 'info', transient: 'warn', terminal: 'warn', bug: 'error' } as const satisfies Record<
  ProblemSort,
  string
>;

const passObserver =
  (log: Log, metrics: Metrics): Telemetry['onPass'] =>
  ({ problem, ...record }) => {
    if (problem === undefined) {
      log.info('decided', record);
      return;
    }
    metrics.count('pass_errors_total', 'Passes that did not end well, by sort of problem.', {
      kind: record.kind,
      sort: problem.sort,
    });
    log[LEVELS[problem.sort]]('decided, not done', {
      ...record,
      sort: problem.sort,
      ...errorFields(problem.error, problem.sort === 'bug'),
    });
  };

const reportObserver =
  (log: Log, metrics: Metrics): Telemetry['onReport'] =>
  (report) => {
    const { kind } = report.resource;
    switch (report.type) {
      case 'listed':
        metrics.count('lists_total', 'Whole lists read.', { kind });
        log.debug('listed', { kind, objects: report.objects });
        return;
      case 'broken':
        metrics.count('watch_reconnects_total', 'Watches and lists that broke.', { kind, then: report.then });
        log.info('watch broke', { kind, then: report.then, ...errorFields(report.error) });
        return;
      case 'malformed':
        metrics.count('malformed_objects_total', 'Objects that could not be read and are not seen.', { kind });
        log.error('a malformed object is not seen', { kind, key: report.key, ...errorFields(report.error) });
    }
  };

const gauges =
  (metrics: Metrics): Telemetry['read'] =>
  ({ queueDepth, queueRunning, publishingDepth, isStoreAvailable, isApiAvailable, cachedObjects }) => {
    metrics.gauge('queue_depth', 'Keys that could be worked on now.', queueDepth);
    metrics.gauge('queue_running', 'Keys being worked on.', queueRunning);
    metrics.gauge('publishing_queue_depth', 'Objects with events to publish.', publishingDepth);
    metrics.gauge('bus_available', '1 while JetStream can be used.', () => (isStoreAvailable() ? 1 : 0));
    metrics.gauge('api_available', '1 while all lists and watches stand.', () => (isApiAvailable() ? 1 : 0));
    for (const [kind, size] of Object.entries(cachedObjects))
      metrics.gauge('cached_objects', 'Objects in the cache, by kind.', size, { kind });
  };

export const makeTelemetry = (log: Log, metrics: Metrics): Telemetry => {
  const bug = (what: string, fields: object, error: unknown): void => {
    metrics.count('bugs_total', 'Errors that nobody expected.');
    log.error(what, { ...fields, ...errorFields(error, true) });
  };
  return {
    onPass: passObserver(log, metrics),
    onDecided: (kind) => metrics.count('passes_total', 'Decisions made.', { kind }),
    onReport: reportObserver(log, metrics),
    onBug: (error) => bug('a listener threw', {}, error),
    onThrown: (key, error) => bug('work on a key threw', { key }, error),
    onMalformedMessage: (key, error) => log.error('a malformed message is not seen', { key, ...errorFields(error) }),
    onStoreAvailable: () => log.info('JetStream is available'),
    onPublished: (subject) => metrics.count('events_published_total', 'Events acknowledged by JetStream.', { subject }),
    onUnpublishable: (key, { type, seq }) => log.error('an event cannot be published and is skipped', { key, type, seq }),
    onEventDropped: (error) => {
      metrics.count('kube_events_dropped_total', 'Kubernetes Events that could not be written.');
      log.warn('a Kubernetes Event was dropped', errorFields(error));
    },
    read: gauges(metrics),
  };
};

/** Counts API writes by verb, kind and answer. */
export const writeObserver =
  (metrics: Metrics) =>
  ({ verb, resource, subresource, code }: Write): void => {
    const kind = subresource === undefined ? resource.kind : `${resource.kind}/${subresource}`;
    metrics.count('api_writes_total', 'Writes sent to the API server.', {
      verb,
      kind,
      code: code === undefined ? 'none' : String(code),
    });
  };
