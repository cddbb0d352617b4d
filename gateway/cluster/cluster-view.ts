// What the gateway knows of the cluster: the objects last seen, read synchronously. Whoever fills it (reflectors, or a test) is no
// business of the readers'.

import type { Council } from '../../crds/kinds/council.ts';
import type { Deliberation } from '../../crds/kinds/deliberation.ts';
import type { Plan } from '../../crds/kinds/plan.ts';
import type { PlatformConfig } from '../../crds/contracts/platform.ts';
import type { Story } from '../../crds/kinds/story.ts';
import type { Task } from '../../crds/kinds/task.ts';
import type { Job, Pod } from './objects.ts';

export interface ClusterView {
  pod(uid: string): Pod | undefined;
  /** The pod once it is as wanted; undefined when it is not within that time. */
  podWhen(uid: string, wanted: (pod: Pod) => boolean, withinMs: number): Promise<Pod | undefined>;
  job(uid: string): Job | undefined;
  task(uid: string): Task | undefined;
  story(uid: string): Story | undefined;
  plan(uid: string): Plan | undefined;
  /** Those that belong to it (`isOwnedByItsStory`). */
  tasksOf(storyUid: string): readonly Task[];
  storiesIn(namespace: string): readonly Story[];
  councilsIn(namespace: string): readonly Council[];
  /** The Deliberation once it is as wanted; the last one seen, if any, when it is not within that time. */
  deliberationWhen(uid: string, wanted: (found: Deliberation) => boolean, withinMs: number): Promise<Deliberation | undefined>;
  /** The namespace of a root (Story or Deliberation) of that uid. */
  namespaceOfRoot(uid: string): string | undefined;
  /** Whether any object of our kinds has that uid. */
  exists(uid: string): boolean;
  readonly platform: PlatformConfig;
}
