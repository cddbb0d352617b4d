// The Tasks of a Story: one object per plan task, its name a function of Story, plan digest and task id.
// May: build. May not: add anything to what was approved.

import { LABEL_MANAGED_BY, LABEL_STORY, MANAGED_BY } from '../../crds/labels.ts';
import { API_VERSION, isAssumed } from '../../crds/kinds/meta.ts';
import { labelValue } from '../../crds/names.ts';
import type { Plan } from '../../crds/kinds/plan.ts';
import type { Story } from '../../crds/kinds/story.ts';
import type { Task, TaskSpec } from '../../crds/kinds/task.ts';
import type { Effect, KubeObject } from '../contract.ts';
import { controlledBy } from '../ownership.ts';
import type { PlannedTask } from './progress.ts';

export interface BuiltTask extends KubeObject {
  readonly spec: TaskSpec;
}

export const taskObject = (story: Story, plan: Plan, { wanted, digest, name }: PlannedTask): BuiltTask => ({
  apiVersion: API_VERSION,
  kind: 'Task',
  metadata: {
    name,
    namespace: story.metadata.namespace,
    labels: { [LABEL_STORY]: labelValue(story.metadata.name), [LABEL_MANAGED_BY]: MANAGED_BY },
    ownerReferences: [controlledBy('Story', story)],
  },
  spec: {
    storyRef: { name: story.metadata.name, uid: story.metadata.uid },
    planRef: {
      name: plan.metadata.name,
      uid: plan.metadata.uid,
      revision: plan.spec.revision,
      digest: plan.status?.digest ?? '',
    },
    task: wanted,
    taskDigest: digest,
    suspend: false,
    priority: wanted.priority,
    extraAttempts: 0,
    cancel: false,
  },
});

/** A Task is ended by its spec; its own controller does the rest. */
export const cancellation = ({ apiVersion, kind, metadata, spec }: Task): Effect => {
  const { name, namespace, uid, labels, ownerReferences } = metadata;
  const meta = { name, namespace, uid, ...(labels && { labels }), ...(ownerReferences && { ownerReferences }) };
  const object: KubeObject & { readonly spec: TaskSpec } = { apiVersion, kind, metadata: meta, spec: { ...spec, cancel: true } };
  return { verb: 'apply', object };
};

/** Cancellations for those that are not cancelled yet. */
export const cancellations = (tasks: readonly Task[]): readonly Effect[] =>
  tasks.filter((task) => !task.spec.cancel && !isAssumed(task)).map(cancellation);
