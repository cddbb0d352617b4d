// A NATS server of a test's own on this machine, with JetStream; it can be stopped and started again on its port and data.

import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface NatsServer {
  readonly url: string;
  start(): Promise<void>;
  stop(): Promise<void>;
  /** Stops it and throws its data away; the next start begins with nothing. */
  wipe(): Promise<void>;
}

const freePort = async (): Promise<number> => {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
};

/** Resolves when the server says that it is ready; rejects with its last words when it ends before. */
const ready = (child: ChildProcess): Promise<void> =>
  new Promise((resolve, reject) => {
    const lines: string[] = [];
    child.stderr?.on('data', (chunk: Buffer) => {
      lines.push(chunk.toString());
      if (lines.join('').includes('Server is ready')) resolve();
    });
    child.once('exit', () => reject(new Error(`nats-server ended: ${lines.join('').slice(-500)}`)));
    child.once('error', reject);
  });

/** `program`: path of nats-server. */
export const makeNatsServer = async (program: string): Promise<NatsServer> => {
  const directory = await mkdtemp(join(tmpdir(), 'swe-fleet-nats-'));
  const port = await freePort();
  let child: ChildProcess | undefined;
  const stop = async (): Promise<void> => {
    if (child === undefined) return;
    const ended = once(child, 'exit');
    child.removeAllListeners('exit');
    const exit = once(child, 'exit');
    child.kill('SIGKILL');
    await Promise.race([ended, exit]);
    child = undefined;
  };
  return {
    url: `nats://127.0.0.1:${port}`,
    start: async () => {
      child = spawn(program, ['-a', '127.0.0.1', '-p', String(port), '-js', '-sd', directory], {
        stdio: ['ignore', 'ignore', 'pipe'],
      });
      await ready(child);
    },
    stop,
    wipe: async () => {
      await stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
};
