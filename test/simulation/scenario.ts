// What a run is given: objects, what happens in workspaces, and what people do.

import type { PlatformConfig } from '../../crds/contracts/platform.ts';
import type { KubeObject } from '../../kube/object.ts';
import type { ApiServer } from './api-server.ts';
import type { Plot } from './kubelet.ts';
import type { TurnPlot } from './pool.ts';
import type { Repository } from './repository.ts';

/** Somebody's deed, done once, as soon as `when` holds. */
export interface Deed {
  readonly what: string;
  readonly when: (server: ApiServer) => boolean;
  readonly then: (server: ApiServer) => void;
}

/** Something that can happen now. */
export interface Move {
  readonly what: string;
  readonly make: () => void;
}

/** What somebody would do now, looking at the cluster as it is; asked again after each write. */
export type Habit = (server: ApiServer, repository: Repository) => readonly Move[];

export interface Scenario {
  readonly objects: readonly KubeObject[];
  readonly plot: Plot;
  /** What comes of turns; absent: all are answered. */
  readonly turns?: TurnPlot;
  readonly deeds: readonly Deed[];
  readonly habits?: readonly Habit[];
  readonly platform?: PlatformConfig;
  readonly isOver: (server: ApiServer) => boolean;
}
