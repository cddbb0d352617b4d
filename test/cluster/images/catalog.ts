// The images that the project's own clusters load: name, Dockerfile, build context. Paths are relative to the checkout.

export interface CatalogEntry {
  readonly name: string;
  readonly dockerfile: string;
  readonly context: string;
}

/** Name of the image that containerd starts as the sandbox of each pod. */
export const pauseImage = 'swefleet.local/pause:dev';

export const catalog: readonly CatalogEntry[] = [
  { name: pauseImage, dockerfile: 'test/cluster/images/pause/Dockerfile', context: 'test/cluster/images/pause' },
  { name: 'swefleet.local/nats:dev', dockerfile: 'images/nats/Dockerfile', context: 'images/nats' },
  { name: 'swefleet.local/toolchain-node:dev', dockerfile: 'images/toolchain-node/Dockerfile', context: 'images/toolchain-node' },
  {
    name: 'swefleet.local/toolchain-python:dev',
    dockerfile: 'images/toolchain-python/Dockerfile',
    context: 'images/toolchain-python',
  },
  { name: 'swefleet.local/fleet:dev', dockerfile: 'images/fleet/Dockerfile', context: '.' },
];
