// The images that the project's own clusters load: name, Dockerfile, build context. Paths are relative to the checkout. (The sandbox image of pods is the
// box's own affair.)

export interface CatalogEntry {
  readonly name: string;
  readonly dockerfile: string;
  readonly context: string;
}

export const catalog: readonly CatalogEntry[] = [
  { name: 'swefleet.local/nats:dev', dockerfile: 'images/nats/Dockerfile', context: 'images/nats' },
  { name: 'swefleet.local/toolchain-node:dev', dockerfile: 'images/toolchain-node/Dockerfile', context: 'images/toolchain-node' },
  {
    name: 'swefleet.local/toolchain-python:dev',
    dockerfile: 'images/toolchain-python/Dockerfile',
    context: 'images/toolchain-python',
  },
  { name: 'swefleet.local/fleet:dev', dockerfile: 'images/fleet/Dockerfile', context: '.' },
];
