// The API server refuses what our processes ask, by its own means: as under load (429), or because an admission webhook fails (500).
// And a leader that stands still until another leads.
import { setTimeout as delay } from 'node:timers/promises';
import { auditedSoFar, auditedWrites, operatorUser, type AuditedWrite } from '../../environment/audit.ts';
import { RELEASE, RELEASE_NAMESPACE } from '../../environment/chart.ts';
import type { Kubectl } from '../../environment/kubernetes.ts';
import type { Fault, Moment, Scene } from '../contract.ts';
import { isReady, ownProcesses } from './processes.ts';

const ACCOUNTS = [`${RELEASE}-operator`, `${RELEASE}-gateway`];
const NAME = 'chaos-refusal';

/** No seat and no queue for our two processes: every request of theirs is answered 429. */
const jail: readonly object[] = [
  {
    apiVersion: 'flowcontrol.apiserver.k8s.io/v1',
    kind: 'PriorityLevelConfiguration',
    metadata: { name: NAME },
    spec: {
      type: 'Limited',
      limited: { nominalConcurrencyShares: 0, borrowingLimitPercent: 0, limitResponse: { type: 'Reject' } },
    },
  },
  {
    apiVersion: 'flowcontrol.apiserver.k8s.io/v1',
    kind: 'FlowSchema',
    metadata: { name: NAME },
    spec: {
      matchingPrecedence: 2, // the first is the server's own
      priorityLevelConfiguration: { name: NAME },
      rules: [
        {
          subjects: ACCOUNTS.map((name) => ({ kind: 'ServiceAccount', serviceAccount: { name, namespace: RELEASE_NAMESPACE } })),
          resourceRules: [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'], namespaces: ['*'], clusterScope: true }],
        },
      ],
    },
  },
];

/** Nobody listens there, so that the API server answers 500 to whatever the operator writes. */
const brokenWebhook: readonly object[] = [
  {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingWebhookConfiguration',
    metadata: { name: NAME },
    webhooks: [
      {
        name: 'broken.swefleet.example.com',
        admissionReviewVersions: ['v1'],
        sideEffects: 'None',
        failurePolicy: 'Fail',
        timeoutSeconds: 2,
        clientConfig: { url: 'https://127.0.0.1:9/' },
        matchConditions: [{ name: 'operator', expression: `request.userInfo.username == '${operatorUser}'` }],
        rules: [
          { operations: ['CREATE', 'UPDATE', 'DELETE'], apiGroups: ['*'], apiVersions: ['*'], resources: ['*/*'], scope: '*' },
        ],
      },
    ],
  },
];

/** A decision was refused, and the Lease; or the Lease so often that its holder has given up. */
const isFelt = (refused: readonly AuditedWrite[]): boolean => {
  const decisions = refused.filter(({ resource }) => resource !== 'leases').length;
  return (decisions > 0 && refused.length > 2) || refused.length > 5;
};

const refusing = (code: number, objects: readonly object[], moments: readonly Moment[]): Fault => ({
  moments,
  strike: async ({ rig, signal }) => {
    const { kubectl, cluster } = rig.environment;
    const since = auditedSoFar(cluster);
    const refused = (): readonly AuditedWrite[] =>
      auditedWrites(cluster, since).filter((write) => write.user === operatorUser && write.code === code);
    await kubectl.apply(objects);
    return {
      what: `the API server answers ${code} to the operator`,
      heal: async () => {
        try {
          while (!isFelt(refused())) {
            if (signal.aborted) throw new Error(`no ${code} was felt`);
            await delay(200);
          }
        } finally {
          await withdrawRefusals(kubectl);
        }
      },
    };
  },
});

/** Takes the refusals away; there may be none. */
export const withdrawRefusals = async (kubectl: Kubectl): Promise<void> => {
  const kinds = ['flowschemas', 'prioritylevelconfigurations', 'validatingwebhookconfigurations'];
  for (const kind of kinds) await kubectl('delete', kind, NAME, '--ignore-not-found');
};

export const tooManyRequests = (...moments: readonly Moment[]): Fault => refusing(429, jail, moments);
export const internalErrors = (...moments: readonly Moment[]): Fault => refusing(500, brokenWebhook, moments);

const holder = async (kubectl: Kubectl): Promise<string> =>
  kubectl('get', 'leases', `${RELEASE}-operator`, '--namespace', RELEASE_NAMESPACE, '-o', 'jsonpath={.spec.holderIdentity}');

export const scaled = async ({ rig, signal }: Pick<Scene, 'rig' | 'signal'>, replicas: number): Promise<void> => {
  await rig.environment.kubectl(
    'scale',
    'deployment',
    `${RELEASE}-operator`,
    '--namespace',
    RELEASE_NAMESPACE,
    `--replicas=${replicas}`,
  );
  await rig.pods.until((pods) => {
    const ours = pods.filter(({ metadata }) => metadata.labels?.['app.kubernetes.io/component'] === 'operator');
    return ours.length === replicas && ours.every(isReady) ? true : undefined;
  }, signal);
};

/** The second replica leads before the first goes on, which then still believes to lead. */
export const leaderFrozen = (...moments: readonly Moment[]): Fault => ({
  moments,
  strike: async (scene) => {
    const { kubectl } = scene.rig.environment;
    await scaled(scene, 2);
    const leader = await holder(kubectl);
    const pod = scene.rig.pods.pods().find(({ metadata }) => leader.startsWith(metadata.name));
    const frozen = ownProcesses(scene.rig, 'operator').find(({ podUid }) => podUid === pod?.metadata.uid);
    if (frozen === undefined) throw new Error(`the leader "${leader}" is none of the operator's pods`);
    process.kill(frozen.pid, 'SIGSTOP');
    return {
      what: `the leader ${leader} frozen until another led`,
      heal: async () => {
        while ((await holder(kubectl)) === leader) {
          if (scene.signal.aborted) break;
          await delay(300);
        }
        process.kill(frozen.pid, 'SIGCONT');
        await scaled(scene, 1);
      },
    };
  },
});
