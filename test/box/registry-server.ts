// A registry of its own for a test: Debian's docker-registry on a loopback port, and the way by which the containerd of a box reaches it.
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer, type AddressInfo, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Cluster } from '../cluster/cluster.ts';
import { boxLayout } from '../cluster/layout.ts';
import { unpackPackage } from '../cluster/packages.ts';

export interface RegistryServer {
  /** As this machine and image names have it: `127.0.0.1:PORT`. */
  readonly address: string;
  close(): Promise<void>;
}

const listen = (server: Server, host: string): Promise<number> =>
  new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, host, () => resolve((server.address() as AddressInfo).port));
  });

const freePort = async (): Promise<number> => {
  const server = createServer();
  const port = await listen(server, '127.0.0.1');
  await new Promise((resolve) => server.close(resolve));
  return port;
};

export const startRegistry = async (cacheDir: string): Promise<RegistryServer> => {
  const unpacked = await unpackPackage('docker-registry', cacheDir, () => undefined);
  const home = mkdtempSync(join(tmpdir(), 'registry-'));
  const address = `127.0.0.1:${await freePort()}`;
  const storage = { filesystem: { rootdirectory: join(home, 'data') } };
  writeFileSync(
    join(home, 'config.yml'),
    JSON.stringify({ version: '0.1', log: { level: 'error' }, storage, http: { addr: address } }),
  );
  const child = spawn(join(unpacked, 'usr/bin/docker-registry'), ['serve', join(home, 'config.yml')], { stdio: 'ignore' });
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const close = async (): Promise<void> => {
    child.kill();
    await ended;
    rmSync(home, { recursive: true, force: true });
  };
  while (
    !(await fetch(`http://${address}/v2/`)
      .then((answer) => answer.ok)
      .catch(() => false))
  ) {
    if (child.exitCode !== null) throw new Error(`docker-registry ended with status ${child.exitCode}`);
    await new Promise((resolve) => setTimeout(resolve, 20)); // vitest's own timeout ends it
  }
  return { address, close };
};

/** Lets the box pull what is named after the registry, through a port of the address by which the box sees this machine. */
export const openToBox = async (registry: string, { name, hostIp, ...cluster }: Cluster, cacheDir: string): Promise<Server> => {
  if (cluster.kind !== 'box') throw new Error(`${name} is no box`);
  const port = Number(registry.split(':').at(-1));
  const forwarder = createServer((socket) => {
    const inner = connect(port, '127.0.0.1');
    for (const end of [socket, inner]) end.on('error', () => [socket, inner].forEach((each) => each.destroy()));
    socket.pipe(inner).pipe(socket);
  });
  const open = await listen(forwarder, hostIp);
  const directory = join(boxLayout(cacheDir, name).registries, registry);
  mkdirSync(directory, { recursive: true });
  // containerd 1.6 passes over a file that has no table of hosts
  writeFileSync(join(directory, 'hosts.toml'), `[host."http://${hostIp}:${open}"]\n`);
  return forwarder;
};
