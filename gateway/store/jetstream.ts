// The one NATS connection of the process and the few things of it that the gateway uses. Streams and buckets are made by the
// operator; here they are only used, and their absence is an error that passes.

import { readFile } from 'node:fs/promises';
import { jetstream, jetstreamManager, JetStreamApiError, type JetStreamClient, type JetStreamManager } from '@nats-io/jetstream';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { wordsOf, type Log } from '../log.ts';

export interface NatsOptions {
  readonly url: string;
  readonly user?: string | undefined;
  readonly password?: string | undefined;
  /** Trusted for the server's certificate, read when the URL begins with tls://. */
  readonly caFile?: string | undefined;
  readonly name: string;
  readonly log: Log;
}

export interface JetStream {
  readonly connection: NatsConnection;
  readonly client: JetStreamClient;
  readonly manager: JetStreamManager;
  readonly isUp: () => boolean;
}

/** Waits for the server as long as it takes, and reconnects for ever. */
export const connectJetStream = async (options: NatsOptions): Promise<JetStream> => {
  const { url, caFile } = options;
  const ca = url.startsWith('tls:') && caFile !== undefined ? await readFile(caFile, 'utf8') : undefined;
  const connection = await connect({
    servers: url,
    name: options.name,
    // each user may hear its own inbox only
    ...(options.user !== undefined && { user: options.user, inboxPrefix: `_INBOX_${options.user}` }),
    ...(options.password !== undefined && { pass: options.password }),
    ...(ca !== undefined && { tls: { ca } }),
    waitOnFirstConnect: true,
    maxReconnectAttempts: -1,
    reconnectTimeWait: 500,
    reconnectJitter: 500,
    pingInterval: 10_000,
    maxPingOut: 2,
  });
  let up = true;
  void followStatus(connection, options.log, (now) => (up = now));
  const manager = await jetstreamManager(connection, { checkAPI: false });
  return { connection, client: jetstream(connection), manager, isUp: () => up };
};

const followStatus = async (connection: NatsConnection, log: Log, onUp: (up: boolean) => void): Promise<void> => {
  for await (const status of connection.status()) {
    if (status.type === 'error') log.write('warn', 'nats error', { error: wordsOf(status.error) });
    if (status.type !== 'disconnect' && status.type !== 'reconnect') continue;
    onUp(status.type === 'reconnect');
    log.write('info', `nats ${status.type}`, { server: status.server });
  }
  onUp(false);
};

/** Error codes of the JetStream API that mean something to us. */
const CODES = { wrongLastSequence: [10071, 10164], noMessage: [10037], storeFailed: [10077] } as const;

export const isApiError = (error: unknown, sort: keyof typeof CODES): boolean =>
  error instanceof JetStreamApiError && (CODES[sort] as readonly number[]).includes(error.code);

/** The stream keeps one message per subject, and that subject has its one. */
export const isSubjectTaken = (error: unknown): boolean =>
  isApiError(error, 'storeFailed') && error instanceof Error && error.message.includes('maximum messages per subject');
