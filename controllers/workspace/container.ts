// One step of a workspace as a container. Restricted in every way that Pod Security asks for, and a few more.
// May: build. May not: take anything from a user but numbers that the platform engineer bounds: no image, command, variable or volume.

import type { StepVariables } from '../../crds/contracts/environment.ts';
import { FLEET_PROGRAM, PATHS } from '../../crds/contracts/paths.ts';
import { type JobKind, GATEWAY_HOST } from '../../crds/contracts/steps.ts';
import type { GatewayEndpoint } from '../snapshot.ts';
import type { Resources } from './resources.ts';
import { holdsToken, runsFleetImage, volumePaths, type StepRow } from './step-table.ts';

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

const stepVariables = (setting: WorkspaceSetting): StepVariables => ({
  FLEET_KIND: setting.kind,
  FLEET_OWNER_UID: setting.ownerUid,
  FLEET_ATTEMPT: String(setting.attempt),
  FLEET_GATEWAY_URL: `https://${GATEWAY_HOST}:${setting.gatewayPort}`,
  FLEET_GATEWAY_CA: setting.gateway.caPem,
  FLEET_GATEWAY_ADDRESS: setting.gateway.address,
  FLEET_CANARY_PORT: String(setting.canaryPort),
  FLEET_DEADLINE_SECONDS: String(setting.deadlineSeconds),
});

const environment = (setting: WorkspaceSetting, row: StepRow): readonly { readonly name: string; readonly value: string }[] =>
  Object.entries({
    ...stepVariables(setting),
    HOME: PATHS.tmp,
    // whatever an image sets for its own node is not for ours
    NODE_OPTIONS: '',
    // the toolchain image need not have the C++ libraries of our node
    ...(runsFleetImage(row) ? {} : { LD_LIBRARY_PATH: PATHS.runnerLibraries }),
  }).map(([name, value]) => ({ name, value }));

/** The signal by which any process of the same user would open Node's inspector. */
const NODE_FLAGS = ['--disable-sigusr1'] as const;

const command = (row: StepRow): readonly string[] => {
  const [node, program] = runsFleetImage(row) ? ['node', FLEET_PROGRAM] : [PATHS.runnerNode, PATHS.runnerProgram];
  return [node, ...NODE_FLAGS, program, row.command];
};

export const tokenVolume = (row: StepRow): string => `token-${row.name}`;
export const tmpVolume = (row: StepRow): string => `tmp-${row.name}`;

const volumeMounts = (row: StepRow): readonly object[] => [
  { name: tmpVolume(row), mountPath: PATHS.tmp },
  ...row.writes.map((name) => ({ name, mountPath: volumePaths[name] })),
  ...row.reads.map((name) => ({ name, mountPath: volumePaths[name], readOnly: true })),
  ...(holdsToken(row) ? [{ name: tokenVolume(row), mountPath: PATHS.tokenFolder, readOnly: true }] : []),
];

export const container = (setting: WorkspaceSetting, row: StepRow): object => ({
  name: row.name,
  ...(runsFleetImage(row) ? setting.fleet : setting.toolchain),
  command: command(row),
  env: environment(setting, row),
  resources: runsFleetImage(row) ? setting.fleetResources : setting.toolchainResources,
  securityContext,
  terminationMessagePath: PATHS.terminationLog,
  terminationMessagePolicy: 'File',
  volumeMounts: volumeMounts(row),
});
