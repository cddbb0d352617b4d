// Puts the chart's admission policies and roles on a real API server, bound to one namespace so that no other test feels them.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import type { ApiClient } from '../../kube/client.ts';
import { ApiError } from '../../kube/error.ts';
import { apiVersionOf, type KubeObject, type Resource } from '../../kube/object.ts';
import { chartDir, render } from './chart.ts';

const cluster = (group: string, plural: string, kind: string): Resource => ({
  group,
  version: 'v1',
  plural,
  kind,
  namespaced: false,
});
const ADMISSION = 'admissionregistration.k8s.io';
const RBAC = 'rbac.authorization.k8s.io';
const policies = cluster(ADMISSION, 'validatingadmissionpolicies', 'ValidatingAdmissionPolicy');
const bindings = cluster(ADMISSION, 'validatingadmissionpolicybindings', 'ValidatingAdmissionPolicyBinding');
const clusterRoles = cluster(RBAC, 'clusterroles', 'ClusterRole');
const roleBindings: Resource = { ...cluster(RBAC, 'rolebindings', 'RoleBinding'), namespaced: true };
const crds = cluster('apiextensions.k8s.io', 'customresourcedefinitions', 'CustomResourceDefinition');

const OURS = { fieldManager: 'contract-tests', force: true } as const;

export interface Admission {
  readonly release: string;
  readonly operator: string;
  remove(): Promise<void>;
}

export const installCrds = async (admin: ApiClient): Promise<void> => {
  const dir = join(chartDir, 'crds');
  for (const file of readdirSync(dir)) {
    const crd = parse(readFileSync(join(dir, file), 'utf8')) as KubeObject & {
      readonly spec: { readonly group: string; readonly names: { readonly plural: string } };
    };
    await admin.apply(crds, crd, OURS);
    await untilServed(admin, `/apis/${crd.spec.group}/v1alpha1/${crd.spec.names.plural}`);
  }
};

const untilServed = async (admin: ApiClient, path: string): Promise<void> => {
  for (;;) {
    const code = await admin.raw({ method: 'GET', path, query: { limit: 1 } }).then(
      () => 200,
      (error: unknown) => (error instanceof ApiError ? error.code : undefined),
    );
    if (code === 200) return;
    if (code !== 404) throw new Error(`${path} answers ${code}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
};

const boundTo = (binding: KubeObject, namespace: string): KubeObject => {
  const { spec, ...rest } = binding as KubeObject & { readonly spec: object };
  const matchResources = { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } } };
  return { ...rest, spec: { ...spec, matchResources } } as KubeObject;
};

/** Installs policies and roles of a release of that name and returns when the policies are in force. */
export const installAdmission = async (admin: ApiClient, release: string, namespace: string): Promise<Admission> => {
  const objects = await render({ name: release, namespace });
  const of = (resource: Resource): readonly KubeObject[] =>
    objects.filter((object) => object.kind === resource.kind && object.apiVersion === apiVersionOf(resource));
  for (const resource of [policies, clusterRoles]) for (const object of of(resource)) await admin.apply(resource, object, OURS);
  for (const binding of of(bindings)) await admin.apply(bindings, boundTo(binding, namespace), OURS);
  await untilInForce(admin, namespace);
  return {
    release,
    operator: `system:serviceaccount:${namespace}:${release}-operator`,
    async remove() {
      for (const resource of [bindings, policies, clusterRoles])
        for (const object of of(resource)) await admin.delete(resource, { name: object.metadata.name });
    },
  };
};

/** Policies take effect some moments after they are stored: asks, without storing anything, until each set refuses what it must. */
const untilInForce = async (admin: ApiClient, namespace: string): Promise<void> => {
  const spec = { containers: [{ name: 'c', image: 'i' }] };
  const refused: readonly (readonly [string, object])[] = [
    [`/api/v1/namespaces/${namespace}/pods`, { metadata: { name: 'fleet-ws-probe' }, spec }],
    [
      `/apis/networking.k8s.io/v1/namespaces/${namespace}/networkpolicies`,
      { metadata: { name: 'fleet-workspace-probe' }, spec: { podSelector: {} } },
    ],
    [
      `/apis/batch/v1/namespaces/${namespace}/jobs`,
      { metadata: { name: 'fleet-ws-probe' }, spec: { template: { spec: { ...spec, restartPolicy: 'Never' } } } },
    ],
  ];
  for (const [path, body] of refused)
    while ((await answerTo(admin.raw({ method: 'POST', path, query: { dryRun: 'All' }, body }))) === 'allowed')
      await new Promise((resolve) => setTimeout(resolve, 50));
};

export const bindRole = async (admin: ApiClient, namespace: string, role: string, user: string): Promise<void> => {
  const name = `${role}-${user.replace(/[^a-z0-9]/g, '-')}`;
  await admin.apply(
    roleBindings,
    {
      apiVersion: `${RBAC}/v1`,
      kind: 'RoleBinding',
      metadata: { name, namespace },
      roleRef: { apiGroup: RBAC, kind: 'ClusterRole', name: role },
      subjects: [{ kind: 'User', apiGroup: RBAC, name: user }],
    } as KubeObject,
    OURS,
  );
};

/** What the server said to a request: `allowed`, or its refusal's code and message. */
export const answerTo = (request: Promise<unknown>): Promise<string> =>
  request.then(
    () => 'allowed',
    (error: unknown) => {
      if (!(error instanceof ApiError)) throw error;
      return error.message;
    },
  );
