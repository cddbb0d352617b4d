// What the decision about a Deliberation is made from. Plain data.

import type { PlatformConfig } from '../../crds/contracts/platform.ts';
import type { Answer } from '../../crds/deliberation/contributions.ts';
import type { Council } from '../../crds/kinds/council.ts';
import type { Deliberation } from '../../crds/kinds/deliberation.ts';
import type { Story } from '../../crds/kinds/story.ts';
import type { Task } from '../../crds/kinds/task.ts';
import type { ServiceAccount } from '../kubernetes.ts';
import type { Usage } from '../snapshot.ts';

/** How the line before its model endpoint looks to a Deliberation that has not begun. */
export interface LineSeen {
  /** Whether it may begin now. */
  readonly isNext: boolean;
}

/** Without what others who deliberate mean to it. */
export type DeliberationCore = Omit<DeliberationSeen, 'line'>;

export interface DeliberationSeen {
  readonly deliberation: Deliberation;
  /** The Story that it is about: named by the spec, or the owner's. */
  readonly story: Story | undefined;
  readonly task: Task | undefined;
  /** The operator made it for that Story or one of its Tasks, so that the Story pays. */
  readonly isOfStory: boolean;
  readonly council: Council | undefined;
  /** Where the architect comes from who selects. */
  readonly architects: Council | undefined;
  /** Answers to its turns, by their numbers; in the order of the numbers. */
  readonly answers: readonly (readonly [n: number, answer: Answer])[];
  readonly line: LineSeen;
  /** By which people read its texts; the namespace may have had no workspace yet. */
  readonly readerAccount: ServiceAccount | undefined;
  /** Of the account that pays. */
  readonly usage: Usage | undefined;
  readonly platform: PlatformConfig;
  readonly storeAvailable: boolean;
  /** The last published event of the Deliberation. */
  readonly cursor: number | undefined;
}
