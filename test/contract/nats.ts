// A real NATS server with JetStream for one test, on a port and folder of its own: it can be killed, started again on its data, or lose them.

import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { JetStreamLink, type LinkOptions } from '../../runtime/bus/link.ts';
import { ensureBinaries } from '../cluster/binaries.ts';
import { clusterConfig } from '../cluster/config.ts';

export interface Connected {
  readonly link: JetStreamLink;
  /** Ends the connection, as the death of its process would. */
  close(): Promise<void>;
}

export interface NatsServer {
  readonly url: string;
  start(): Promise<void>;
  /** Kills it without a word, as a crash would; its data stay. */
  kill(): Promise<void>;
  restart(): Promise<void>;
  /** Kills it and throws its data away; the next start begins with nothing. */
  wipe(): Promise<void>;
  /** A link whose first session has begun. */
  connect(name: string, options?: Partial<LinkOptions>): Promise<Connected>;
  /** The end of it and of its links. */
  stop(): Promise<void>;
}

export const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address !== null ? address.port : 0;
};

/** Resolves when the server says that it is ready; rejects with its last words when it ends before. */
const ready = (child: ChildProcess): Promise<void> =>
  new Promise((resolve, reject) => {
    let said = '';
    child.stderr?.on('data', (chunk: Buffer) => {
      said += chunk.toString();
      if (said.includes('Server is ready')) resolve();
    });
    child.once('exit', () => reject(new Error(`nats-server ended: ${said.slice(-500)}`)));
    child.once('error', reject);
  });

export interface NatsServerOptions {
  /** Default 6 MiB: room for the largest artifact. */
  readonly maxPayloadBytes?: number;
}

const configuration = (port: number, directory: string, { maxPayloadBytes = 6_291_456 }: NatsServerOptions): string =>
  `listen: "127.0.0.1:${port}"\nmax_payload: ${maxPayloadBytes}\njetstream { store_dir: "${join(directory, 'data')}" }\n`;

/** A link of its own; resolves when its first session has begun. */
const connectTo = async (url: string, name: string, options: Partial<LinkOptions>): Promise<Connected> => {
  const link = new JetStreamLink({
    ...{ url, name, user: undefined, password: undefined, caFile: undefined },
    ...{ onAvailable: () => undefined, onFailed: () => undefined, ...options },
  });
  const stop = new AbortController();
  const running = link.run(stop.signal);
  await link.connected(stop.signal);
  return {
    link,
    close: async () => {
      stop.abort();
      await running;
    },
  };
};

/** Not started yet. */
export const makeNats = async (options: NatsServerOptions = {}): Promise<NatsServer> => {
  const binDir = await ensureBinaries({ cacheDir: clusterConfig().cacheDir, log: () => undefined, only: ['nats-server'] });
  const directory = await mkdtemp(join(tmpdir(), 'swe-fleet-nats-'));
  const port = await freePort();
  const url = `nats://127.0.0.1:${port}`;
  const file = join(directory, 'nats.conf');
  await writeFile(file, configuration(port, directory, options));
  const connections: Connected[] = [];
  let child: ChildProcess | undefined;
  const start = async (): Promise<void> => {
    child = spawn(join(binDir, 'nats-server'), ['--config', file], { stdio: ['ignore', 'ignore', 'pipe'] });
    await ready(child);
  };
  const kill = async (): Promise<void> => {
    if (child === undefined) return;
    const exit = once(child, 'exit');
    child.kill('SIGKILL');
    await exit;
    child = undefined;
  };
  return {
    ...{ url, start, kill },
    restart: async () => {
      await kill();
      await start();
    },
    wipe: async () => {
      await kill();
      await rm(join(directory, 'data'), { recursive: true, force: true });
    },
    connect: async (name, linkOptions = {}) => {
      const connected = await connectTo(url, name, linkOptions);
      connections.push(connected);
      return connected;
    },
    stop: async () => {
      await Promise.all(connections.map((connected) => connected.close()));
      await kill();
      await rm(directory, { recursive: true, force: true });
    },
  };
};

export const startNats = async (options: NatsServerOptions = {}): Promise<NatsServer> => {
  const nats = await makeNats(options);
  await nats.start();
  return nats;
};
