/**
 * The components of a box: what each is started with and how it is known to serve. Data only; the supervisor starts them.
 */
import { join } from 'node:path';
import { CONTAINERD_SOCKET, apiUrlOf, kubeconfigOf, type BoxParameters } from './component-files.ts';
import { API_PORT, NODE_NAME, POD_CIDR, POLICY_TABLE, SERVICE_CIDR, boxLayout, type BoxLayout } from './layout.ts';

export const COMPONENTS = [
  'containerd',
  'etcd',
  'kube-apiserver',
  'kube-controller-manager',
  'kube-scheduler',
  'network-policy',
  'kubelet',
  'kube-proxy',
  'coredns',
] as const;

export type ComponentName = (typeof COMPONENTS)[number];

/** What is asked until it answers: a socket that accepts, or a URL that answers 200. */
export type Probe = { readonly socket: string } | { readonly url: string };

/** The API server reads for administrators, about a second before it is ready for everybody. */
export const ANSWERS = 'api-answers';

export interface Component {
  readonly name: ComponentName;
  readonly argv: readonly [string, ...string[]];
  /** What must serve before this one is started; nothing by default. */
  readonly after?: readonly (ComponentName | typeof ANSWERS)[];
  readonly probe?: Probe;
}

const ETCD_URL = 'http://127.0.0.1:2379';
const ETCD_PEER_URL = 'http://127.0.0.1:2380';
export const COMPILE_CACHE = join(import.meta.dirname, 'compile-cache.ts');
const ENFORCER = join(import.meta.dirname, 'enforcer', 'main.ts');

const etcd = (layout: BoxLayout): readonly string[] => [
  '--name=box',
  `--data-dir=${layout.etcd}`,
  `--listen-client-urls=${ETCD_URL}`,
  `--advertise-client-urls=${ETCD_URL}`,
  `--listen-peer-urls=${ETCD_PEER_URL}`,
  `--initial-advertise-peer-urls=${ETCD_PEER_URL}`,
  `--initial-cluster=box=${ETCD_PEER_URL}`,
  '--unsafe-no-fsync', // a test's data need not survive a power cut; it makes every write several times quicker
  '--log-level=warn',
];

const apiServer = (layout: BoxLayout, parameters: BoxParameters): readonly string[] => {
  const pki = (file: string): string => join(layout.pki, file);
  const server = `apiserver-${parameters.address.index}`;
  return [
    `--etcd-servers=${ETCD_URL}`,
    '--bind-address=0.0.0.0',
    `--advertise-address=${parameters.address.boxIp}`,
    `--secure-port=${API_PORT}`,
    `--tls-cert-file=${pki(`${server}.crt`)}`,
    `--tls-private-key-file=${pki(`${server}.key`)}`,
    `--client-ca-file=${pki('ca.crt')}`,
    `--service-cluster-ip-range=${SERVICE_CIDR}`,
    '--authorization-mode=Node,RBAC',
    '--enable-admission-plugins=NodeRestriction',
    '--service-account-issuer=https://kubernetes.default.svc',
    `--service-account-key-file=${pki('tokens.pub')}`,
    `--service-account-signing-key-file=${pki('tokens.key')}`,
    `--kubelet-client-certificate=${pki('apiserver-kubelet.crt')}`,
    `--kubelet-client-key=${pki('apiserver-kubelet.key')}`,
    `--kubelet-certificate-authority=${pki('ca.crt')}`,
    '--kubelet-preferred-address-types=InternalIP',
    '--endpoint-reconciler-type=lease',
    `--audit-policy-file=${join(layout.config, 'audit-policy.yaml')}`,
    `--audit-log-path=${layout.auditLog}`,
    '--audit-log-maxsize=500',
    `--cert-dir=${layout.config}`,
    '--profiling=false',
  ];
};

const controllerManager = (layout: BoxLayout): readonly string[] => [
  `--kubeconfig=${kubeconfigOf(layout, 'kube-controller-manager')}`,
  '--bind-address=127.0.0.1',
  '--leader-elect=false',
  '--use-service-account-credentials',
  `--service-account-private-key-file=${join(layout.pki, 'tokens.key')}`,
  `--root-ca-file=${join(layout.pki, 'ca.crt')}`,
  `--cluster-signing-cert-file=${join(layout.pki, 'ca.crt')}`,
  `--cluster-signing-key-file=${join(layout.pki, 'ca.key')}`,
  '--allocate-node-cidrs=false',
  `--cluster-cidr=${POD_CIDR}`,
  `--service-cluster-ip-range=${SERVICE_CIDR}`,
  `--cert-dir=${layout.config}`,
  '--kube-api-qps=500', // with the default of 20 its many controllers queue for seconds at the start
  '--kube-api-burst=1000',
];

const CONTROL_PLANE: readonly ComponentName[] = ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler'];

/** What runs in that box, in the order of its start. */
export const componentsOf = (parameters: BoxParameters): readonly Component[] =>
  allComponents(parameters).filter(({ name }) => !parameters.controlPlaneOnly || CONTROL_PLANE.includes(name));

const allComponents = (parameters: BoxParameters): readonly Component[] => {
  const layout = boxLayout(parameters.cacheDir, parameters.name);
  const bin = (name: string): string => join(parameters.binDir, name);
  const config = (name: string): string => join(layout.config, name);
  return [
    {
      name: 'containerd',
      argv: ['containerd', '--config', config('containerd.toml')],
      probe: { socket: CONTAINERD_SOCKET },
    },
    { name: 'etcd', argv: [bin('etcd'), ...etcd(layout)] },
    {
      name: 'kube-apiserver',
      argv: [bin('kube-apiserver'), ...apiServer(layout, parameters)],
      probe: { url: `${apiUrlOf(parameters.address)}/readyz` },
    },
    {
      name: 'kube-controller-manager',
      argv: [bin('kube-controller-manager'), ...controllerManager(layout)],
      after: ['kube-apiserver'],
    },
    {
      name: 'kube-scheduler',
      argv: [
        bin('kube-scheduler'),
        `--kubeconfig=${kubeconfigOf(layout, 'kube-scheduler')}`,
        '--bind-address=127.0.0.1',
        '--leader-elect=false',
        `--cert-dir=${layout.config}`,
      ],
      after: ['kube-apiserver'],
    },
    {
      name: 'network-policy',
      argv: [
        process.execPath,
        `--import=${COMPILE_CACHE}`,
        ENFORCER,
        '--kubeconfig',
        kubeconfigOf(layout, 'network-policy'),
        '--nft-table',
        POLICY_TABLE,
      ],
      after: [ANSWERS],
      probe: { url: 'http://127.0.0.1:10260/readyz' },
    },
    {
      name: 'kubelet',
      argv: [
        bin('kubelet'),
        `--config=${config('kubelet.yaml')}`,
        `--kubeconfig=${kubeconfigOf(layout, 'kubelet')}`,
        `--hostname-override=${NODE_NAME}`,
        `--node-ip=${parameters.address.boxIp}`,
      ],
      after: ['kube-apiserver', 'containerd'],
      probe: { url: 'http://127.0.0.1:10248/healthz' },
    },
    {
      name: 'kube-proxy',
      argv: [bin('kube-proxy'), `--config=${config('kube-proxy.yaml')}`],
      after: ['kube-apiserver'],
      probe: { url: 'http://127.0.0.1:10256/healthz' },
    },
    {
      name: 'coredns',
      argv: [bin('coredns'), '-conf', config('Corefile')],
      after: [ANSWERS],
      probe: { url: 'http://127.0.0.1:8181/ready' },
    },
  ];
};
