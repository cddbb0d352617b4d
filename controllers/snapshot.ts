// What `observe` may ask: one frozen view of the cluster, answered from the shell's caches with this process's own writes laid over
// them until the watch shows them. Synchronous; absence is `undefined`.
// May: name look-ups. May not: hold a cache or know where an answer comes from.

import type { CommandAnswer, ProbeAnswer } from '../crds/contracts/commands.ts';
import type { Answer } from '../crds/deliberation/contributions.ts';
import type { DeliberationCore, LineSeen } from './deliberation/seen.ts';
import type { Council } from '../crds/kinds/council.ts';
import type { Deliberation } from '../crds/kinds/deliberation.ts';
import type { Receipt } from '../crds/contracts/receipts.ts';
import type { Plan } from '../crds/kinds/plan.ts';
import type { PlatformConfig } from '../crds/contracts/platform.ts';
import type { Story } from '../crds/kinds/story.ts';
import type { Task } from '../crds/kinds/task.ts';
import type { PlaceSeen, TaskCore } from './task/seen.ts';
import type { Job, NetworkPolicy, Pod, ServiceAccount } from './kubernetes.ts';

/** Where workspace pods reach the gateway: the ClusterIP of its Service and the CA (PEM) that signed its certificate. */
export interface GatewayEndpoint {
  readonly address: string;
  readonly caPem: string;
}

/** One account of the ledger; tokens, or GPU seconds, or slots. */
export interface Usage {
  readonly spent: number;
  readonly reserved: number;
}

/** Keys are `namespace/name`. Lists come in no order that a decision may rely on. */
export interface Snapshot {
  story(key: string): Story | undefined;
  plan(key: string): Plan | undefined;
  task(key: string): Task | undefined;
  council(key: string): Council | undefined;
  deliberation(key: string): Deliberation | undefined;
  storyByUid(uid: string): Story | undefined;
  /** Every Plan whose storyRef names the Story of that uid. */
  plansOf(storyUid: string): readonly Plan[];
  /** Every Task that belongs to the Story of that uid: its spec names it, and its controller is the same (`isOwnedByItsStory`). */
  tasksOf(storyUid: string): readonly Task[];
  /** What that Task sees of the places that all unfinished Tasks of the cluster share. */
  place(core: TaskCore): PlaceSeen;
  councilsIn(namespace: string): readonly Council[];
  jobsOf(ownerUid: string): readonly Job[];
  podsOf(jobUid: string): readonly Pod[];
  serviceAccount(key: string): ServiceAccount | undefined;
  networkPolicy(key: string): NetworkPolicy | undefined;
  answer(commandId: string): CommandAnswer | undefined;
  /** Answers to the probes of that endpoint and model that still stand; none that is older. */
  probeAnswers(endpoint: string, model: string): readonly ProbeAnswer[];
  /** What the agent pool answered to that turn. */
  turnAnswer(rootUid: string, deliberationUid: string, n: number): Answer | undefined;
  /** How the line before its endpoint looks to that Deliberation. */
  line(core: DeliberationCore): LineSeen;
  /** The last seq of that object's outbox which the publisher had acknowledged; undefined: none yet. */
  eventCursor(uid: string): number | undefined;
  usage(account: string): Usage | undefined;
  /** What the gateway saw of the last step of the Job of that uid. */
  receipt(jobUid: string): Receipt | undefined;
  readonly storeAvailable: boolean;
  /** The day in UTC, such as `2026-11-22`: accounts of namespaces are daily. */
  readonly today: string;
  readonly platform: PlatformConfig;
  readonly gateway: GatewayEndpoint | undefined;
}
