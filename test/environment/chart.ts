// Installs the chart as a platform engineer would: Secrets for the upstreams, values, `helm upgrade --install`, rights for persons.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { scriptedModelName } from '../model/script.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { CommandError, run } from '../cluster/command.ts';
import { textOf, type ImageReference, type ImageReferences } from '../cluster/images/delivery.ts';
import { GIT_BOT, GIT_HOST, MODEL_HOST, MODEL_KEY } from './outside.ts';
import type { Kubectl } from './kubernetes.ts';

export const RELEASE = 'swe-fleet';
export const RELEASE_NAMESPACE = 'swe-fleet';

/** Persons of the demo and the tests, with what they may do in a namespace of Stories. */
export const PERSONS = {
  alice: ['author', 'gatekeeper'],
  bob: ['approver', 'auditor'],
} as const;
export type Person = keyof typeof PERSONS;

export interface Installation {
  readonly cluster: Cluster;
  readonly kubectl: Kubectl;
  /** Namespaces of Stories, with the image profile of their default Councils. */
  readonly namespaces: readonly string[];
  readonly gitCaPem: string;
  readonly images: ImageReferences;
  /** Laid over the values, object by object; for tests of a setting. */
  readonly values?: object;
}

const chart = join(import.meta.dirname, '..', '..', 'charts', 'swe-fleet');

/** Installs what is not installed yet: the same chart with the same values on a kept box is left as it is. */
export const installChart = async (installation: Installation): Promise<void> => {
  const { cluster, kubectl, namespaces } = installation;
  const helm = (argv: readonly string[], input?: string): Promise<string> =>
    run([join(cluster.binDir, 'helm'), '--kubeconfig', cluster.kubeconfig, '--namespace', RELEASE_NAMESPACE, ...argv], {
      env: process.env,
      ...(input !== undefined && { input }),
    });
  const values = JSON.stringify(valuesOf(installation));
  const over = JSON.stringify(installation.values ?? {});
  const description = `swe-fleet ${digestOf(installation, values + over)}`;
  if ((await installed(helm)) === description) return waitForPods(kubectl);
  await kubectl.apply([
    namespaceOf(RELEASE_NAMESPACE),
    ...namespaces.map(namespaceOf),
    secretOf('git-bot', GIT_BOT),
    secretOf('git-ca', { 'ca.crt': installation.gitCaPem }),
    secretOf('model-key', { apiKey: MODEL_KEY }),
  ]);
  // Helm installs crds/ but never upgrades them: a kept box may hold those of an older checkout.
  await kubectl('apply', '--server-side', '--force-conflicts', '-f', join(chart, 'crds'));
  await kubectl.apply([...namespaces.flatMap(bindingsOf), ...gatewayReaderBinding()]);
  const wait = ['--wait', '--timeout', '180s', '--description', description];
  await helm(['upgrade', '--install', RELEASE, chart, '--values', '-', '--set-json', over, ...wait], values);
};

/** Of all that goes into an installation: equal ones make the same one. */
const digestOf = ({ namespaces, gitCaPem }: Installation, values: string): string => {
  const hash = createHash('sha256');
  const files = readdirSync(chart, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  for (const path of files.map((entry) => join(entry.parentPath, entry.name)).sort())
    hash.update(path).update(readFileSync(path));
  const rest = { namespaces, gitCaPem, values, persons: PERSONS, git: GIT_BOT, key: MODEL_KEY };
  return hash.update(JSON.stringify(rest)).digest('hex').slice(0, 16);
};

/** What the release that is deployed says of itself; undefined: none is. */
const installed = async (helm: (argv: readonly string[]) => Promise<string>): Promise<string | undefined> => {
  const text = await helm(['status', RELEASE, '--output', 'json']).catch((error: unknown) => {
    if (error instanceof CommandError && error.end.stderr.includes('not found')) return undefined;
    throw error;
  });
  if (text === undefined) return undefined;
  const { info } = JSON.parse(text) as { readonly info: { readonly status: string; readonly description: string } };
  return info.status === 'deployed' ? info.description : undefined;
};

const waitForPods = async (kubectl: Kubectl): Promise<void> => {
  await kubectl('rollout', 'status', 'deployments,statefulsets', '--namespace', RELEASE_NAMESPACE, '--timeout', '180s');
};

const imageOf = (images: ImageReferences, name: string): ImageReference => {
  const image = images.get(name);
  if (image === undefined) throw new Error(`there is no image "${name}" in test/cluster/images/catalog.ts`);
  return image;
};

const valuesOf = ({ namespaces, images }: Installation): object => {
  const image = (name: string): object => {
    const { repository, tag, digest = '' } = imageOf(images, name);
    return { repository, tag, digest };
  };
  const profile = (name: string, setup: readonly string[]): object => ({
    name,
    image: textOf(imageOf(images, `toolchain-${name}`)),
    imagePullPolicy: 'IfNotPresent',
    setup,
    namespaces: ['*'],
  });
  return {
    image: image('fleet'),
    upstreams: [
      {
        ...{
          name: 'scripted',
          kind: 'model',
          scheme: 'http',
          host: MODEL_HOST,
          prefix: '/v1',
          namespaces: ['*'],
          allowPrivate: true,
        },
        ...{ models: [scriptedModelName], concurrency: 8, credentials: { secretName: 'model-key' } },
      },
      {
        ...{ name: 'git', kind: 'git', host: GIT_HOST, prefix: '/team/', namespaces: ['*'], allowPrivate: true },
        ...{ credentials: { secretName: 'git-bot' }, ca: { secretName: 'git-ca' } },
      },
    ],
    imageProfiles: [profile('node', []), profile('python', [])],
    councils: { namespaces, model: { endpoint: 'scripted', name: scriptedModelName }, imageProfile: 'node' },
    agentPool: { replicas: 1 },
    nats: { image: image('nats'), storage: { persistent: false } },
  };
};

const namespaceOf = (name: string): object => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });

const secretOf = (name: string, stringData: object): object => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name, namespace: RELEASE_NAMESPACE },
  stringData,
});

const bindingsOf = (namespace: string): readonly object[] =>
  Object.entries(PERSONS).flatMap(([person, roles]) =>
    roles.map((role) => ({
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'RoleBinding',
      metadata: { name: `${person}-${role}`, namespace },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: `${RELEASE}-${role}` },
      subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: person }],
    })),
  );

/** The auditor among the persons reaches the gateway by port-forward. */
const gatewayReaderBinding = (): readonly object[] => [
  {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'RoleBinding',
    metadata: { name: 'bob-gateway-reader', namespace: RELEASE_NAMESPACE },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: `${RELEASE}-gateway-reader` },
    subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'bob' }],
  },
];
