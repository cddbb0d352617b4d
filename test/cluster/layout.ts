/**
 * Where everything of a box lies. Names only: nothing here touches the disk.
 */
import { createHash } from 'node:crypto';
import { join } from 'node:path';

export const KUBERNETES_VERSION = 'v1.35.4';
export const NODE_NAME = 'box';
export const SERVICE_CIDR = '10.96.0.0/16';
export const API_SERVICE_IP = '10.96.0.1';
export const POD_CIDR = '10.244.0.0/24';
export const API_PORT = 6443;
/** The end of the veth pair that the box sees; the machine's end is named after the box's number. */
export const UPLINK = 'uplink';
export const POLICY_TABLE = 'network_policy';
/** The image of every pod's first container, beside the programs. */
export const PAUSE_ARCHIVE = 'pause.tar';

/** Makes the namespaces of a box for the program that follows. */
export const NAMESPACES = ['unshare', '--net', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc'] as const;

export interface BoxLayout {
  readonly name: string;
  readonly stateDir: string;
  /** Held while a box starts or ends. */
  readonly lock: string;
  /** The number of the box's subnet; kept while the box is down. */
  readonly address: string;
  /** The processes of the running box, as the machine sees them. */
  readonly processes: string;
  /** Written by the box's own supervisor. */
  readonly status: string;
  readonly parameters: string;
  readonly images: string;
  readonly pki: string;
  readonly kubeconfigs: string;
  readonly adminKubeconfig: string;
  readonly config: string;
  readonly logs: string;
  readonly auditLog: string;
  readonly etcd: string;
  readonly kubelet: string;
  readonly containerd: string;
  readonly podLogs: string;
  /** How containerd reaches registries: a folder `HOST:PORT` each, with a `hosts.toml`; read at every pull. */
  readonly registries: string;
}

export const boxesDir = (cacheDir: string): string => join(cacheDir, 'boxes');

export const boxLayout = (cacheDir: string, name: string): BoxLayout => {
  const stateDir = join(boxesDir(cacheDir), name);
  const at = (...parts: string[]): string => join(stateDir, ...parts);
  return {
    name,
    stateDir,
    lock: join(boxesDir(cacheDir), `.${name}.lock`),
    address: at('address.json'),
    processes: at('processes.json'),
    status: at('status.json'),
    parameters: at('parameters.json'),
    images: at('images.json'),
    pki: at('pki'),
    kubeconfigs: at('kubeconfigs'),
    adminKubeconfig: at('kubeconfig'),
    config: at('config'),
    logs: at('logs'),
    auditLog: at('audit.log'),
    etcd: at('etcd'),
    kubelet: at('kubelet'),
    containerd: at('containerd'),
    podLogs: at('pod-logs'),
    registries: at('registries'),
  };
};

const NAME = /^[a-z0-9]([a-z0-9-]{0,28}[a-z0-9])?$/;

/** @throws when the name cannot be a directory, a cgroup and part of a message alike */
export const checkedName = (name: string): string => {
  if (!NAME.test(name)) throw new Error(`"${name}" is no name for a box: use at most 30 of a-z, 0-9 and inner dashes`);
  return name;
};

/** Tells a box from one of the same name in another cache directory, where the machine has one place for both. */
const boxId = (layout: BoxLayout): string => createHash('sha256').update(layout.stateDir).digest('hex').slice(0, 8);

export const cgroupName = (layout: BoxLayout): string => `swefleet-${layout.name}-${boxId(layout)}`;

/** What the kernel keeps on a link to say whose it is: links are named by number. */
export const linkNote = (layout: BoxLayout): string => cgroupName(layout);
