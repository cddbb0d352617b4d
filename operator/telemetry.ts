// What is logged and counted, in one place: the decision line of each pass that wrote, problems by their sort, the health of watches.

import type { Write } from '../kube/client.ts';
import type { Report } from '../kube/reflector.ts';
import { errorFields, type Log } from '../runtime/log.ts';
import type { Metrics } from '../runtime/metrics.ts';
import type { ProblemSort } from './reconcile/problem.ts';
import type { PassRecord } from './reconcile/reconcile.ts';

export interface Observers {
  readonly onPass: (record: PassRecord) => void;
  readonly onDecided: (kind: string) => void;
  readonly onReport: (report: Report) => void;
  readonly onBug: (error: unknown) => void;
  readonly onThrown: (key: string, error: unknown) => void;
  readonly onMalformedMessage: (key: string, error: unknown) => void;
}

const LEVELS = { conflict: 'info', transient: 'warn', terminal: 'warn', bug: 'error' } as const satisfies Record<
  ProblemSort,
  string
>;

const passObserver =
  (log: Log, metrics: Metrics): Observers['onPass'] =>
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
  (log: Log, metrics: Metrics): Observers['onReport'] =>
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

export const makeObservers = (log: Log, metrics: Metrics): Observers => {
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
