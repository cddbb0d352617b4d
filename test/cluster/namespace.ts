/**
 * Furnishes the namespaces of a box from within: its network, its own `/run`, and the directories that Kubernetes' programs
 * have fixed names for. Must run inside the box; outside it would change the machine.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import type { BoxAddress } from './addresses.ts';
import { attempt, run } from './command.ts';
import { POD_CIDR, SERVICE_CIDR, UPLINK, type BoxLayout } from './layout.ts';

const KUBELET_ROOT = '/var/lib/kubelet';
/** Empty in each box at its start: sockets and namespaces, results of CNI plugins, and the links that kubelet keeps to container logs. */
const PRIVATE = ['/run', '/var/lib/cni', '/var/log'] as const;

const SHUT_TABLE = 'box_shut';
/**
 * The machine has no route to pods, and the pods of all boxes have the same addresses: it sees the box's address instead.
 * The second table keeps pods silent that kubelet starts before their policies are there.
 */
const RULES = `table ip box {
  chain postrouting {
    type nat hook postrouting priority 110; policy accept;
    ip saddr ${POD_CIDR} oifname "${UPLINK}" masquerade
  }
}
table inet ${SHUT_TABLE} {
  chain forward {
    type filter hook forward priority -10; policy accept;
    iifname "veth*" drop
  }
  chain input {
    type filter hook input priority -10; policy accept;
    iifname "veth*" drop
  }
}
`;

/** Refuses to go on in the machine's own process namespace. */
const insideOrThrow = (): void => {
  const ids = /^NSpid:\s*(.*)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]?.trim().split(/\s+/) ?? [];
  const first = readFileSync('/proc/1/cmdline', 'utf8');
  if (ids.length !== 1 || !first.startsWith('sh\0')) throw new Error('this program runs only as the first of a box');
};

/** No default route: what is not in the box, a pod or this machine cannot be reached. */
const furnishNetwork = async (address: BoxAddress): Promise<void> => {
  const lines = [
    'link set lo up',
    `address add ${address.boxIp}/${address.prefix} dev ${UPLINK}`,
    `link set ${UPLINK} up`,
    `route add ${SERVICE_CIDR} dev ${UPLINK}`, // so that the node itself may dial a ClusterIP: it is translated before it leaves
  ];
  await run(['ip', '-batch', '-'], { input: `${lines.join('\n')}\n` });
  writeFileSync('/proc/sys/net/ipv4/ip_forward', '1');
  await run(['nft', '-f', '-'], { input: RULES });
};

/** Lets pods speak, from when on network policies are enforced. Once is enough; again does no harm. */
export const openPods = async (): Promise<void> => {
  const end = await attempt(['nft', 'delete', 'table', 'inet', SHUT_TABLE]);
  if (end.status !== 0 && !end.stderr.includes('No such file')) throw new Error(`pods stay shut: ${end.stderr}`);
};

const furnishFiles = async (layout: BoxLayout): Promise<void> => {
  const own = [layout.kubelet, layout.containerd, layout.podLogs];
  for (const directory of [...own, ...PRIVATE, KUBELET_ROOT]) mkdirSync(directory, { recursive: true });
  for (const directory of PRIVATE) await run(['mount', '-t', 'tmpfs', '-o', 'mode=0755', 'box', directory]);
  await run(['mount', '--bind', layout.kubelet, KUBELET_ROOT]);
};

export const furnishNamespaces = async (layout: BoxLayout, address: BoxAddress): Promise<void> => {
  insideOrThrow();
  await Promise.all([furnishNetwork(address), furnishFiles(layout)]);
};
