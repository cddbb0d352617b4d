// One step of a workspace as a container. Restricted in every way that Pod Security asks for, and a few more.
// May: build. May not: take anything from a user but numbers that the platform engineer bounds: no image, command, variable or volume.

import { FLEET_PROGRAM, GATEWAY_HOST, PATHS, STEP_ENVIRONMENT } from '../../crds/contracts/steps.ts';
import type { GatewayEndpoint } from '../snapshot.ts';
import { holdsToken, runsFleetImage, volumePaths, type JobKind, type StepRow } from './step-table.ts';

export interface Resources {
  readonly requests?: Readonly<Record<string, string>> | undefined;
  readonly limits?: Readonly<Record<string, string>> | undefined;
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

const TOKEN_FOLDER = PATHS.token.slice(0, PATHS.token.lastIndexOf('/'));

const environment = (setting: WorkspaceSetting, row: StepRow): readonly { readonly name: string; readonly value: string }[] =>
  Object.entries({
    [STEP_ENVIRONMENT.kind]: setting.kind,
    [STEP_ENVIRONMENT.ownerUid]: setting.ownerUid,
    [STEP_ENVIRONMENT.attempt]: String(setting.attempt),
    [STEP_ENVIRONMENT.gatewayUrl]: `https://${GATEWAY_HOST}:${setting.gatewayPort}`,
    [STEP_ENVIRONMENT.gatewayCa]: setting.gateway.caPem,
    [STEP_ENVIRONMENT.gatewayAddress]: setting.gateway.address,
    [STEP_ENVIRONMENT.canaryPort]: String(setting.canaryPort),
    [STEP_ENVIRONMENT.deadlineSeconds]: String(setting.deadlineSeconds),
    HOME: '/tmp',
    // the toolchain image need not have the C++ libraries of our node
    ...(runsFleetImage(row) ? {} : { LD_LIBRARY_PATH: PATHS.runnerLibraries }),
  }).map(([name, value]) => ({ name, value }));

const command = (row: StepRow): readonly string[] =>
  runsFleetImage(row) ? ['node', FLEET_PROGRAM, row.command] : [PATHS.runnerNode, PATHS.runnerProgram, row.command];

export const tokenVolume = (row: StepRow): string => `token-${row.name}`;
export const tmpVolume = (row: StepRow): string => `tmp-${row.name}`;

const volumeMounts = (row: StepRow): readonly object[] => [
  { name: tmpVolume(row), mountPath: '/tmp' },
  ...row.writes.map((name) => ({ name, mountPath: volumePaths[name] })),
  ...row.reads.map((name) => ({ name, mountPath: volumePaths[name], readOnly: true })),
  ...(holdsToken(row) ? [{ name: tokenVolume(row), mountPath: TOKEN_FOLDER, readOnly: true }] : []),
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
