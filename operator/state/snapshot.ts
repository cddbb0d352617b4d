// The view that controllers see: caches under the overlay of own writes, answers, usage, and where the gateway is.
// It is always the present; a pass sees one frozen state, as observe and decide run in one synchronous turn.

import { controllerOf } from '../../crds/kinds/meta.ts';
import type { Snapshot } from '../../controllers/snapshot.ts';
import { standingProbeIds, type CommandAnswer } from '../../crds/contracts/commands.ts';
import type { Receipt } from '../../crds/contracts/receipts.ts';
import type { PlatformConfig } from '../../crds/contracts/platform.ts';
import { keyOf, type KubeObject } from '../../kube/object.ts';
import { timestamp } from '../../crds/time.ts';
import { NAMESPACE, OF_STORY, STORY } from './watched-kinds.ts';
import type { Answer } from '../../crds/deliberation/contributions.ts';
import { turnKey, type LedgerAccount } from './feeds.ts';
import type { Lines } from './lines.ts';
import type { Places } from './places.ts';
import type { Caches } from './caches.ts';

export interface SnapshotSources {
  readonly caches: Caches;
  readonly platform: PlatformConfig;
  readonly answers: { get(commandId: string): CommandAnswer | undefined };
  readonly cursors: { get(uid: string): number | undefined };
  /** Asked for late: they judge by this very snapshot. */
  readonly places: () => Pick<Places, 'place'>;
  readonly lines: () => Pick<Lines, 'line'>;
  readonly turns: { get(key: string): Answer | undefined };
  readonly receipts: { get(jobUid: string): Receipt | undefined };
  readonly ledger: { get(account: string): LedgerAccount | undefined };
  readonly storeAvailable: () => boolean;
  /** PEM; undefined until it was read. */
  readonly gatewayCa: () => string | undefined;
  readonly nowMs: () => number;
}

const controlledBy = <T extends KubeObject>(objects: readonly T[], uid: string): readonly T[] =>
  objects.length === 0 ? objects : objects.filter((object) => controllerOf(object)?.uid === uid);

const usageOf = (account: LedgerAccount | undefined, nowMs: number): ReturnType<Snapshot['usage']> => {
  if (account === undefined) return undefined;
  const living = account.reservations.filter(({ until }) => until > nowMs);
  return { spent: account.spent, reserved: living.reduce((sum, { amount }) => sum + amount, 0) };
};

export const makeSnapshot = (sources: SnapshotSources): Snapshot => {
  const { caches, platform } = sources;
  const gatewayKey = keyOf({ namespace: platform.gateway.namespace, name: platform.gateway.serviceName });
  return {
    story: (key) => caches.overlay('Story').get(key),
    plan: (key) => caches.overlay('Plan').get(key),
    task: (key) => caches.overlay('Task').get(key),
    council: (key) => caches.overlay('Council').get(key),
    deliberation: (key) => caches.overlay('Deliberation').get(key),
    storyByUid: (uid) => caches.overlay('Story').byUid(uid),
    plansOf: (storyUid) => {
      const story = caches.overlay('Story').byUid(storyUid);
      return story === undefined ? [] : caches.overlay('Plan').by(STORY, keyOf(story.metadata));
    },
    tasksOf: (storyUid) => caches.overlay('Task').by(OF_STORY, storyUid),
    place: (core) => sources.places().place(core),
    councilsIn: (namespace) => caches.overlay('Council').by(NAMESPACE, namespace),
    jobsOf: (ownerUid) => controlledBy(caches.overlay('Job').ownedBy(ownerUid), ownerUid),
    podsOf: (jobUid) => controlledBy(caches.overlay('Pod').ownedBy(jobUid), jobUid),
    serviceAccount: (key) => caches.overlay('ServiceAccount').get(key),
    networkPolicy: (key) => caches.overlay('NetworkPolicy').get(key),
    answer: (commandId) => sources.answers.get(commandId),
    probeAnswers: (endpoint, model) =>
      standingProbeIds(endpoint, model, sources.nowMs()).flatMap((id) => {
        const answer = sources.answers.get(id);
        return answer?.kind === 'probe' ? [answer] : [];
      }),
    turnAnswer: (rootUid, deliberationUid, n) => sources.turns.get(turnKey(rootUid, deliberationUid, n)),
    line: (core) => sources.lines().line(core),
    eventCursor: (uid) => sources.cursors.get(uid),
    receipt: (jobUid) => sources.receipts.get(jobUid),
    usage: (account) => usageOf(sources.ledger.get(account), sources.nowMs()),
    get today() {
      return timestamp(sources.nowMs()).slice(0, 'yyyy-mm-dd'.length);
    },
    get storeAvailable() {
      return sources.storeAvailable();
    },
    platform,
    get gateway() {
      const address = caches.overlay('Service').get(gatewayKey)?.spec?.clusterIP;
      const caPem = sources.gatewayCa();
      return address === undefined || address === '' || address === 'None' || caPem === undefined
        ? undefined
        : { address, caPem };
    },
  };
};
