// Who a caller turned out to be. Everything in it comes from the API server and the caches, nothing from the request.

import type { Step } from '../../crds/contracts/steps.ts';
import type { Story } from '../../crds/kinds/story.ts';
import type { Attempt, Task } from '../../crds/kinds/task.ts';
import type { Pod } from '../cluster/objects.ts';

export interface StepCaller {
  readonly kind: 'step';
  readonly step: Step;
  readonly namespace: string;
  readonly podName: string;
  readonly podUid: string;
  readonly jobUid: string;
  readonly pod: Pod;
  readonly task: Task;
  readonly attempt: Attempt;
  readonly story: Story;
}

/** Account `fleet-reader` of a namespace, with a token of audience artifacts-read. */
export interface ReaderCaller {
  readonly kind: 'reader';
  readonly namespace: string;
}

/** A pod of the agent pool. What it may do hangs on the turn that it asks for. */
export interface PoolCaller {
  readonly kind: 'pool';
  readonly namespace: string;
  readonly podName: string;
  readonly podUid: string;
}

export type Caller = StepCaller | ReaderCaller | PoolCaller;
