// SWEFLEET_REGISTRY for real: a box used like anybody's cluster, a registry, our images pushed there, pulled by containerd, and the chart installed by digest.
import { readFileSync, rmSync } from 'node:fs';
import type { Server } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ensureBox, type Cluster } from '../cluster/cluster.ts';
import { clusterConfig, type ClusterConfig } from '../cluster/config.ts';
import { deliverImages, textOf, type ImageReferences } from '../cluster/images/delivery.ts';
import { boxLayout } from '../cluster/layout.ts';
import { installChart, RELEASE_NAMESPACE } from '../environment/chart.ts';
import { kubectlWith, type Kubectl } from '../environment/kubernetes.ts';
import { openToBox, startRegistry, type RegistryServer } from './registry-server.ts';

const own: ClusterConfig = { ...clusterConfig(), externalKubeconfig: undefined, registry: undefined };
const name = `registry-${process.pid}`;
const log = (): void => undefined;

interface Container {
  readonly image: string;
}
interface Pod {
  readonly spec: { readonly containers: readonly Container[] };
  readonly status: { readonly containerStatuses: readonly (Container & { readonly ready: boolean; readonly imageID: string })[] };
}

describe('a cluster of somebody else with a registry', () => {
  let box: Cluster;
  let cluster: Cluster;
  let registry: RegistryServer;
  let open: Server;
  let config: ClusterConfig;
  let kubectl: Kubectl;
  let images: ImageReferences;
  const imageOf = (folder: string): string => {
    const image = images.get(folder);
    if (image === undefined) throw new Error(`no image ${folder}`);
    return textOf(image);
  };

  beforeAll(async () => {
    [box, registry] = await Promise.all([ensureBox({ name, config: own, log }), startRegistry(own.cacheDir)]);
    open = await openToBox(registry.address, box, own.cacheDir);
    config = { ...own, externalKubeconfig: box.kubeconfig, registry: `${registry.address}/fleet` };
    cluster = await ensureBox({ config, log });
    kubectl = kubectlWith(cluster.binDir, cluster.kubeconfig);
    images = await deliverImages({ cluster, config, log });
  });
  afterAll(async () => {
    rmSync(cluster.stateDir, { recursive: true });
    await box.down({ forget: true });
    open.close();
    await registry.close();
    rmSync(boxLayout(own.cacheDir, name).lock); // nobody else knows that name
  });

  it('has all images pushed, and they are named by the digest that the registry has', async () => {
    expect([...images.keys()].sort()).toEqual(['fleet', 'nats', 'toolchain-node', 'toolchain-python']);
    for (const [folder, { digest }] of images) {
      const accept = 'application/vnd.oci.image.manifest.v1+json';
      const answer = await fetch(`http://${registry.address}/v2/fleet/${folder}/manifests/dev`, { headers: { accept } });
      expect(answer.headers.get('docker-content-digest')).toBe(digest);
      expect(imageOf(folder)).toBe(`${registry.address}/fleet/${folder}@${digest}`);
    }
  });

  it('gets the same names when they are pushed again', async () => {
    expect(await deliverImages({ cluster, config, log })).toEqual(images);
  });

  it('runs the chart on them, pulled by digest', async () => {
    const gitCaPem = readFileSync(join(boxLayout(own.cacheDir, name).pki, 'ca.crt'), 'utf8');
    await installChart({ cluster, kubectl, namespaces: ['team'], gitCaPem, images });
    const pods = (await kubectl.json<{ items: readonly Pod[] }>('get', 'pods', '--namespace', RELEASE_NAMESPACE)).items;
    const used = new Set(pods.flatMap(({ spec }) => spec.containers.map(({ image }) => image)));
    expect([...used].sort()).toEqual([imageOf('fleet'), imageOf('nats')]);
    for (const { status } of pods) for (const { imageID } of status.containerStatuses) expect([...used]).toContain(imageID);
    const platform = await kubectl(
      'get',
      'configmap',
      `swe-fleet-platform`,
      '--namespace',
      RELEASE_NAMESPACE,
      '-o',
      'jsonpath={.data}',
    );
    for (const folder of ['fleet', 'toolchain-node', 'toolchain-python']) expect(platform).toContain(imageOf(folder));
  });

  it('runs a toolchain from there', async () => {
    const argv = ['--image', imageOf('toolchain-python'), '--restart=Never', '--namespace', 'default', '--command', '--'];
    await kubectl('run', 'python', ...argv, 'python3', '-c', 'print(6 * 7)');
    await kubectl('wait', 'pod/python', '--for=jsonpath={.status.phase}=Succeeded', '--timeout=120s');
    expect((await kubectl('logs', 'python')).trim()).toBe('42');
  });

  it('is told when the registry does not answer', async () => {
    const elsewhere = { ...config, registry: '127.0.0.1:1/fleet' };
    await expect(deliverImages({ cluster, config: elsewhere, log })).rejects.toThrow(
      /127\.0\.0\.1:1\/fleet\/nats could not be pushed: .*connection refused.*next: see that SWEFLEET_REGISTRY=127\.0\.0\.1:1\/fleet is up/s,
    );
  });
});
