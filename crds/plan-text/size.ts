// What of tasks fits into one Plan. etcd takes 1.5 MiB for an object, and limits of single fields add up beyond that. A Plan whose status does
// not fit could never be written to again, so that too much is refused before.
// May: count. May not: count less than the API server stores.
import type { PlanTask } from '../kinds/plan-task.ts';

/** Of etcd's 1,572,864 bytes: kubectl keeps a copy of up to 262,144 bytes in an annotation, and there is more in a status than the tasks. */
export const MAX_PLAN_BYTES = 1_280_000;

/** The API server escapes these as six bytes each. */
const ESCAPED = /[<>&\u2028\u2029]/g;
const escapes = (json: string): number => (json.match(ESCAPED)?.length ?? 0) * 5;

/** Bytes of a value as the API server stores it. */
const storedBytes = (value: unknown): number => {
  const json = JSON.stringify(value);
  return Buffer.byteLength(json) + escapes(json);
};

/** What the record of who wrote which field (managedFields) takes for a task: its fields, each dependency, each criterion of the rubric. */
const TASK_FIELDS_BYTES = 480;
const ENTRY_BYTES = 16;
const CRITERION_BYTES = 80;

const fieldsBytes = ({ id, dependsOn, constraints }: PlanTask): number =>
  TASK_FIELDS_BYTES +
  storedBytes(id) +
  dependsOn.reduce((sum, each) => sum + storedBytes(each) + ENTRY_BYTES, 0) +
  constraints.rubric.reduce((sum, { criterion }) => sum + storedBytes(criterion) + CRITERION_BYTES, 0);

/** About how many bytes the tasks take of a Plan, where they stand twice, as written and as parsed: never less than it will be. */
export const planBytes = (tasks: readonly PlanTask[]): number =>
  2 * (storedBytes(tasks) + tasks.reduce((sum, task) => sum + fieldsBytes(task), 0));
