/**
 * The configuration files of the box's components. Text from parameters; the one function that writes is `writeComponentFiles`.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import type { BoxAddress } from './addresses.ts';
import { CLIENTS, openAuthority, readCertificate, type ClientName } from './certificates.ts';
import { kubeconfigText, writeKubeconfig } from './kubeconfig.ts';
import { API_PORT, NODE_NAME, POD_CIDR, cgroupName, type BoxLayout } from './layout.ts';

/** What the box's supervisor is started with. */
export interface BoxParameters {
  readonly name: string;
  readonly cacheDir: string;
  readonly binDir: string;
  readonly address: BoxAddress;
  /** How many of the extended resource `nvidia.com/gpu` the node offers. */
  readonly gpus: number;
  /** Without a node: only what keeps and schedules objects runs, and somebody else plays the pods. */
  readonly controlPlaneOnly: boolean;
  /** Counts the requests to the supervisor, so that its answer can be told from an older one. */
  readonly revision: number;
}

export const PAUSE_IMAGE = 'localhost/swe-fleet/pause:1';
export const MAX_PROCESSES_PER_POD = 512;
/** A second handler that is runc as well, so that a RuntimeClass can be seen to arrive. */
export const SECOND_RUNTIME = 'runc-second';

/** Inside the box `/run` is a file system of its own, so the usual socket is free and `ctr` finds it. */
export const CONTAINERD_SOCKET = '/run/containerd/containerd.sock';

export const apiUrlOf = (address: BoxAddress): string => `https://${address.boxIp}:${API_PORT}`;

const runtime = (name: string): string => `
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.${name}]
    runtime_type = "io.containerd.runc.v2"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.${name}.options]
      SystemdCgroup = false
`;

/**
 * `restrict_oom_score_adj`: a root without CAP_SYS_RESOURCE may not lower the score, and no pod would start.
 * `oom_score = 0` is for the same root.
 */
const containerdConfig = (layout: BoxLayout): string => `version = 2
root = "${layout.containerd}"
state = "/run/containerd"
oom_score = 0
disabled_plugins = ["io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.zfs", "io.containerd.snapshotter.v1.devmapper"]

[grpc]
  address = "${CONTAINERD_SOCKET}"

[plugins."io.containerd.internal.v1.opt"]
  path = "${layout.containerd}/opt"

[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "${PAUSE_IMAGE}"
  restrict_oom_score_adj = true
  disable_apparmor = true
  [plugins."io.containerd.grpc.v1.cri".containerd]
    default_runtime_name = "runc"
  [plugins."io.containerd.grpc.v1.cri".registry]
    config_path = "${layout.registries}"
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "${join(layout.config, 'cni')}"
${runtime('runc')}${runtime(SECOND_RUNTIME)}`;

/** ptp, not bridge: traffic between pods is routed, so it passes the forward hook, where policies are enforced. */
const podNetwork = {
  cniVersion: '0.4.0',
  name: 'box',
  plugins: [
    {
      type: 'ptp',
      ipMasq: false,
      ipam: {
        type: 'host-local',
        ranges: [[{ subnet: POD_CIDR }]],
        routes: [{ dst: '0.0.0.0/0' }],
        dataDir: '/run/pod-addresses', // forgotten with the pods when the box ends
      },
    },
    { type: 'portmap', capabilities: { portMappings: true } },
  ],
};

const kubeletConfig = (layout: BoxLayout, address: BoxAddress): unknown => ({
  apiVersion: 'kubelet.config.k8s.io/v1beta1',
  kind: 'KubeletConfiguration',
  address: address.boxIp,
  healthzBindAddress: '127.0.0.1',
  readOnlyPort: 0,
  authentication: {
    anonymous: { enabled: false },
    webhook: { enabled: true },
    x509: { clientCAFile: join(layout.pki, 'ca.crt') },
  },
  authorization: { mode: 'Webhook' },
  tlsCertFile: join(layout.pki, `kubelet-server-${address.index}.crt`),
  tlsPrivateKeyFile: join(layout.pki, `kubelet-server-${address.index}.key`),
  // each box has its own part of the cgroup tree: two kubelets would remove each other's pods from a shared one
  cgroupRoot: `/${cgroupName(layout)}`,
  cgroupDriver: 'cgroupfs',
  failCgroupV1: false,
  failSwapOn: false,
  oomScoreAdj: 0,
  podPidsLimit: MAX_PROCESSES_PER_POD,
  clusterDNS: [address.boxIp],
  clusterDomain: 'cluster.local',
  resolvConf: join(layout.config, 'resolv.conf'),
  makeIPTablesUtilChains: false,
  imageGCHighThresholdPercent: 100,
  evictionHard: { 'memory.available': '100Mi', 'nodefs.available': '1%', 'imagefs.available': '1%' },
  containerRuntimeEndpoint: `unix://${CONTAINERD_SOCKET}`,
  volumePluginDir: '/var/lib/kubelet/volume-plugins',
  podLogsDir: layout.podLogs,
  serializeImagePulls: false,
  // a new node is ready when its next status says so; what did not change is still reported only now and then
  nodeStatusUpdateFrequency: '1s',
  nodeStatusReportFrequency: '5m',
});

const kubeProxyConfig = (layout: BoxLayout): unknown => ({
  apiVersion: 'kubeproxy.config.k8s.io/v1alpha1',
  kind: 'KubeProxyConfiguration',
  bindAddress: '127.0.0.1',
  healthzBindAddress: '127.0.0.1:10256',
  metricsBindAddress: '127.0.0.1:10249',
  clientConnection: { kubeconfig: kubeconfigOf(layout, 'kube-proxy') },
  clusterCIDR: POD_CIDR,
  hostnameOverride: NODE_NAME,
  mode: 'nftables',
  nftables: { minSyncPeriod: '100ms' },
  oomScoreAdj: 0,
  conntrack: { maxPerCore: 0, min: 0, tcpEstablishedTimeout: '0s', tcpCloseWaitTimeout: '0s' }, // those limits are the machine's
});

const corefile = (layout: BoxLayout, address: BoxAddress): string => `.:53 {
  bind ${address.boxIp}
  errors
  ready 127.0.0.1:8181
  kubernetes cluster.local in-addr.arpa {
    kubeconfig ${kubeconfigOf(layout, 'coredns')}
    ttl 5
  }
}
`;

/** Every write by everybody, no reads: the log answers "who wrote what, and when". */
const auditPolicy = {
  apiVersion: 'audit.k8s.io/v1',
  kind: 'Policy',
  omitStages: ['RequestReceived'],
  rules: [{ level: 'Metadata', verbs: ['create', 'update', 'patch', 'delete', 'deletecollection'] }, { level: 'None' }],
};

export const kubeconfigOf = (layout: BoxLayout, client: ClientName): string =>
  client === 'admin' ? layout.adminKubeconfig : join(layout.kubeconfigs, `${client}.yaml`);

/** Writes all of them; certificates must be there. */
export const writeComponentFiles = async (layout: BoxLayout, address: BoxAddress): Promise<void> => {
  const writeText = (name: string, text: string): void => writeFileSync(join(layout.config, name), text);
  mkdirSync(join(layout.config, 'cni'), { recursive: true });
  const authority = (await openAuthority(layout.pki)).certificate;
  for (const client of Object.keys(CLIENTS) as ClientName[]) {
    const credentials = readCertificate(layout.pki, client);
    const text = kubeconfigText({ cluster: layout.name, apiUrl: apiUrlOf(address), authority, user: client, credentials });
    writeKubeconfig(kubeconfigOf(layout, client), text);
  }
  writeText('containerd.toml', containerdConfig(layout));
  writeText('cni/10-box.conflist', JSON.stringify(podNetwork, null, 2));
  writeText('resolv.conf', `nameserver ${address.boxIp}\n`);
  writeText('kubelet.yaml', stringify(kubeletConfig(layout, address)));
  writeText('kube-proxy.yaml', stringify(kubeProxyConfig(layout)));
  writeText('Corefile', corefile(layout, address));
  writeText('audit-policy.yaml', stringify(auditPolicy));
};
