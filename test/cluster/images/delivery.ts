/**
 * Brings the project's images to where a cluster finds them, and says how it is to name them: loaded into a box under their tags, pushed to the registry of an
 * external cluster and named by digest there. What an external cluster without a registry has is its owner's affair.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Cluster } from '../cluster.ts';
import { run } from '../command.ts';
import type { ClusterConfig } from '../config.ts';
import { ensureImagePackages } from '../packages.ts';
import { timed, type Log } from '../progress.ts';
import { ensureImages } from './build.ts';
import { catalog } from './catalog.ts';
import { stemOf, type BuiltImage } from './layout.ts';

/** How a cluster names an image. */
export interface ImageReference {
  readonly repository: string;
  readonly tag: string;
  /** Wins over the tag. */
  readonly digest?: string;
  /** Digest of what was built: tells a new image from the one before under the same tag. */
  readonly built?: string;
}

/** By the name of the folder under `images/`. */
export type ImageReferences = ReadonlyMap<string, ImageReference>;

export interface DeliveryOptions {
  readonly cluster: Cluster;
  readonly config: ClusterConfig;
  readonly log: Log;
}

const TAG = 'dev';

export const textOf = ({ repository, tag, digest }: ImageReference): string =>
  digest === undefined ? `${repository}:${tag}` : `${repository}@${digest}`;

export const deliverImages = async ({ cluster, config, log }: DeliveryOptions): Promise<ImageReferences> => {
  const { cacheDir, registry } = config;
  const build = (): Promise<readonly BuiltImage[]> => ensureImages({ binDir: cluster.binDir, cacheDir, log });
  if (cluster.kind === 'box') {
    const images = await build();
    for (const image of images) await cluster.loadImage(image.layout);
    return new Map(images.map(({ name, digest }) => [stemOf(name), { ...tagged(name), built: digest }]));
  }
  if (registry === undefined) return new Map(catalog.map(({ name }) => [stemOf(name), tagged(name)]));
  await ensureImagePackages(log);
  const references = new Map<string, ImageReference>();
  for (const image of await build()) references.set(stemOf(image.name), await push(image, registry, log));
  return references;
};

const tagged = (name: string): ImageReference => ({ repository: name.slice(0, name.lastIndexOf(':')), tag: TAG });

/** As docker does: a registry on this machine may speak plain HTTP. Others need `insecure = true` in the machine's registries.conf. */
const isLoopback = (registry: string): boolean => /^(localhost|127\.[\d.]+|\[::1\])(:|\/|$)/.test(registry);

/** What the registry has already is not sent again. The digest is the registry's: layers are compressed on the way. */
const push = async ({ name, layout }: BuiltImage, registry: string, log: Log): Promise<ImageReference> => {
  const repository = `${registry}/${stemOf(name)}`;
  const home = mkdtempSync(join(tmpdir(), 'swe-fleet-push-'));
  try {
    const digestFile = join(home, 'digest');
    const options = [`--digestfile=${digestFile}`, ...(isLoopback(registry) ? ['--dest-tls-verify=false'] : [])];
    const argv = ['skopeo', 'copy', '--quiet', ...options, `oci:${layout}:${name}`, `docker://${repository}:${TAG}`] as const;
    await timed(log, `pushing ${repository}:${TAG}`, () => run(argv));
    return { repository, tag: TAG, digest: readFileSync(digestFile, 'utf8').trim() };
  } catch (cause) {
    const next = `next: see that SWEFLEET_REGISTRY=${registry} is up, and log in with "skopeo login" where it asks for it`;
    throw new Error(`${repository} could not be pushed: ${cause instanceof Error ? cause.message : String(cause)}\n${next}`, {
      cause,
    });
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
};
