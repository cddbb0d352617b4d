// One step of a workspace as a container. Restricted in every way that Pod Security asks for, and a few more.
// May: build. May not: take anything from a user but numbers that the platform engineer bounds: no image, command, variable or volume.

import type { GatewayEndpoint } from '../snapshot.ts';
import { volumePaths, type JobKind, type StepRow } from './step-table.ts';

export interface Resources {
  readonly requests?: Readonly<Record<string, string>>;
  readonly limits?: Readonly<Record<string, string>>;
}

export interface ImageRef {
  readonly image: string;
  readonly imagePullPolicy: string;
}

/** What the steps of one Job share. `toolchainResources` include GPUs. */
export interface WorkspaceSetting {
  readonly kind: JobKind;
  readonly ownerUid: string;
  readonly attempt: number;
  readonly deadlineSeconds: number;
  readonly gateway: GatewayEndpoint;
  readonly gatewayPort: number;
  readonly canaryPort: number;
  readonly fleet: ImageRef;
  readonly toolchain: ImageRef;
  readonly fleetResources: Resources;
  readonly toolchainResources: Resources;
}

const securityContext = {
  allowPrivilegeEscalation: false,
  capabilities: { drop: ['ALL'] },
  privileged: false,
  readOnlyRootFilesystem: true,
  runAsNonRoot: true,
  seccompProfile: { type: 'RuntimeDefault' },
} as const;

/** The host name under which a pod without DNS knows the gateway. */
export const GATEWAY_HOST = 'fleet-gateway';
const TOKEN_PATH = '/fleet/token';

const environment = (setting: WorkspaceSetting, row: StepRow): readonly { readonly name: string; readonly value: string }[] =>
  Object.entries({
    FLEET_KIND: setting.kind,
    FLEET_OWNER_UID: setting.ownerUid,
    FLEET_ATTEMPT: String(setting.attempt),
    FLEET_GATEWAY_URL: `https://${GATEWAY_HOST}:${setting.gatewayPort}`,
    FLEET_GATEWAY_CA: setting.gateway.caPem,
    FLEET_GATEWAY_ADDRESS: setting.gateway.address,
    FLEET_CANARY_PORT: String(setting.canaryPort),
    FLEET_DEADLINE_SECONDS: String(setting.deadlineSeconds),
    HOME: '/tmp',
    ...(row.image === 'toolchain' ? { LD_LIBRARY_PATH: '/fleet/runner/lib' } : {}),
  }).map(([name, value]) => ({ name, value }));

const command = (row: StepRow): readonly string[] =>
  row.image === 'toolchain'
    ? ['/fleet/runner/node', '/fleet/runner/agent-runner.mjs', row.step]
    : ['node', '/opt/fleet/agent-runner.mjs', row.step];

export const tokenVolume = (row: StepRow): string => `token-${row.name}`;
export const tmpVolume = (row: StepRow): string => `tmp-${row.name}`;

const volumeMounts = (row: StepRow): readonly object[] => [
  { name: tmpVolume(row), mountPath: '/tmp' },
  ...row.writes.map((name) => ({ name, mountPath: volumePaths[name] })),
  ...row.reads.map((name) => ({ name, mountPath: volumePaths[name], readOnly: true })),
  ...(row.audience === undefined ? [] : [{ name: tokenVolume(row), mountPath: TOKEN_PATH, readOnly: true }]),
];

export const container = (setting: WorkspaceSetting, row: StepRow): object => ({
  name: row.name,
  ...(row.image === 'fleet' ? setting.fleet : setting.toolchain),
  command: command(row),
  env: environment(setting, row),
  resources: row.image === 'fleet' ? setting.fleetResources : setting.toolchainResources,
  securityContext,
  terminationMessagePath: '/dev/termination-log',
  terminationMessagePolicy: 'File',
  volumeMounts: volumeMounts(row),
});
