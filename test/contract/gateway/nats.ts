// A real nats-server with JetStream for one test file: its own port and folder, gone afterwards.

import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectJetStream, type JetStream } from '../../../gateway/store/jetstream.ts';
import { ensureBinaries } from '../../cluster/binaries.ts';
import { clusterConfig } from '../../cluster/config.ts';
import { silentLog } from '../../unit/gateway/recorded-log.ts';

export interface NatsServer {
  readonly url: string;
  connect(name: string): Promise<JetStream>;
  /** Kills it without a word, as a crash would. */
  kill(): Promise<void>;
  /** Starts it again on the same port and data. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });

const ended = (child: ChildProcess): Promise<void> =>
  new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) resolve();
    else child.once('exit', () => resolve());
  });

export interface NatsServerOptions {
  /** Default 6 MiB: room for the largest artifact. */
  readonly maxPayloadBytes?: number;
}

export const startNats = async (options: NatsServerOptions = {}): Promise<NatsServer> => {
  const binDir = await ensureBinaries({ cacheDir: clusterConfig().cacheDir, log: () => undefined, only: ['nats-server'] });
  const directory = mkdtempSync(join(tmpdir(), 'swe-fleet-nats-'));
  const port = await freePort();
  const url = `nats://127.0.0.1:${port}`;
  const connections: JetStream[] = [];
  const file = join(directory, 'nats.conf');
  writeFileSync(
    file,
    `listen: "127.0.0.1:${port}"\nmax_payload: ${options.maxPayloadBytes ?? 6_291_456}\njetstream { store_dir: "${join(directory, 'data')}" }\n`,
  );
  const start = (): ChildProcess => spawn(join(binDir, 'nats-server'), ['--config', file], { stdio: 'ignore' });
  let child = start();
  const kill = async (): Promise<void> => {
    child.kill('SIGKILL');
    await ended(child);
  };
  return {
    url,
    kill,
    connect: async (name) => {
      const jetstream = await connectJetStream({ url, name, log: silentLog });
      connections.push(jetstream);
      return jetstream;
    },
    restart: async () => {
      await kill();
      child = start();
    },
    stop: async () => {
      await Promise.all(connections.map(({ connection }) => connection.close()));
      await kill();
      rmSync(directory, { recursive: true, force: true });
    },
  };
};
