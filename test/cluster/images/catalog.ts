// The images that the project's own clusters run: Dockerfile, build context, and what a build depends on. Paths are relative to the checkout. (The sandbox
// image of pods is the box's own affair.)
import { imageBundles } from '../../../images/bundle.ts';
import type { BaseName } from './base-images.ts';

export interface CatalogEntry {
  /** With tag. */
  readonly name: string;
  readonly dockerfile: string;
  readonly context: string;
  /** Build arguments that name a base image, and what stands in for it here. */
  readonly bases: Readonly<Record<string, BaseName>>;
  /** Every file of the context that the Dockerfile copies. */
  readonly files: readonly string[];
}

const imageOf = (name: string): Pick<CatalogEntry, 'name' | 'dockerfile' | 'context'> => ({
  name: `swefleet.local/${name}:dev`,
  dockerfile: `images/${name}/Dockerfile`,
  context: `images/${name}`,
});

export const catalog: readonly CatalogEntry[] = [
  { ...imageOf('nats'), bases: { NATS_BASE: 'nats' }, files: [] },
  { ...imageOf('toolchain-node'), bases: { NODE_BASE: 'node' }, files: [] },
  { ...imageOf('toolchain-python'), bases: { DEBIAN_BASE: 'debian' }, files: [] },
  { ...imageOf('fleet'), context: '.', bases: { NODE_BASE: 'node' }, files: imageBundles.map(({ output }) => output) },
];
