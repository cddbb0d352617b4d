// Every controller, once. What wakes them is in operator/reconcile/wakes.ts.

import type { Kind } from '../crds/kinds/registry.ts';
import type { Controller, Decision } from './contract.ts';
import { decideCouncil } from './council/decide.ts';
import { observeCouncil } from './council/observe.ts';
import { decideDeliberation } from './deliberation/decide.ts';
import { observeDeliberation } from './deliberation/observe.ts';
import { decidePlan } from './plan/decide.ts';
import { observePlan } from './plan/observe.ts';
import type { Snapshot } from './snapshot.ts';
import { decideStory } from './story/decide.ts';
import { observeStory } from './story/observe.ts';
import { decideTask } from './task/decide.ts';
import { observeTask } from './task/observe.ts';

/** The kind's own record goes from `observe` to `decide` and nowhere else, so that nobody else needs to know its type. */
const controller = <Seen, Status>(
  kind: Kind,
  observe: (key: string, snapshot: Snapshot) => Seen | undefined,
  decide: (seen: Seen, now: number) => Decision<Status>,
): Controller<unknown, unknown> => ({
  kind,
  observe,
  decide: (seen, now) => decide(seen as Seen, now),
});

export const controllers: readonly Controller<unknown, unknown>[] = [
  controller('Story', observeStory, decideStory),
  controller('Plan', observePlan, decidePlan),
  controller('Task', observeTask, decideTask),
  controller('Council', observeCouncil, decideCouncil),
  controller('Deliberation', observeDeliberation, decideDeliberation),
];
