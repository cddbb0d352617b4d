// What must hold among the tasks of a Plan, beyond what the schema of one task says.
// May: compute. May not: repair anything; a Plan that does not hold is refused whole.
import { TASK_PHASES, type PlanTask } from '../kinds/plan-task.ts';
import { MAX_PLAN_BYTES, planBytes } from './size.ts';

export interface PlanProblem {
  /** Place in the Plan: `tasks[2].dependsOn`, `line 7`, or `source`. */
  readonly where: string;
  readonly message: string;
}

/** Everything that is wrong among tasks which are valid one by one; in the order of the tasks. */
export const planProblems = (tasks: readonly PlanTask[]): readonly PlanProblem[] => {
  const byId = new Map<string, number>();
  const problems: PlanProblem[] = [];
  tasks.forEach(({ id }, index) => {
    const first = byId.get(id);
    if (first === undefined) byId.set(id, index);
    else problems.push({ where: `tasks[${index}].id`, message: `"${id}" is the id of tasks[${first}] already` });
  });
  tasks.forEach((task, index) => problems.push(...dependencyProblems(tasks, byId, task, `tasks[${index}].dependsOn`)));
  if (problems.length === 0) problems.push(...cycleProblems(tasks));
  const bytes = planBytes(tasks);
  if (bytes > MAX_PLAN_BYTES)
    problems.push({
      where: 'tasks',
      message: `the tasks take ${bytes} bytes of the Plan, and at most ${MAX_PLAN_BYTES} fit: say less, or make several Stories`,
    });
  return problems;
};

const dependencyProblems = (
  tasks: readonly PlanTask[],
  byId: ReadonlyMap<string, number>,
  task: PlanTask,
  where: string,
): readonly PlanProblem[] => {
  const rank = TASK_PHASES.indexOf(task.phase);
  return task.dependsOn.flatMap((id, index) => {
    const target = tasks[byId.get(id) ?? -1];
    if (id === task.id) return [{ where, message: `"${id}" depends on itself` }];
    if (target === undefined) return [{ where, message: `there is no task "${id}"` }];
    if (task.dependsOn.indexOf(id) < index) return [{ where, message: `"${id}" is listed twice` }];
    if (TASK_PHASES.indexOf(target.phase) > rank)
      return [{ where, message: `"${id}" runs in phase ${target.phase}, after this task's phase ${task.phase}` }];
    return [];
  });
};

/** Takes away what waits for nothing until nothing more can go: what is left hangs on a cycle, and one is named. */
const cycleProblems = (tasks: readonly PlanTask[]): readonly PlanProblem[] => {
  const waiting = new Map(tasks.map((task) => [task.id, task.dependsOn.length]));
  const dependants = new Map<string, string[]>(tasks.map((task) => [task.id, []]));
  for (const task of tasks) for (const id of task.dependsOn) dependants.get(id)?.push(task.id);
  const free = tasks.filter((task) => task.dependsOn.length === 0).map((task) => task.id);
  for (let id = free.pop(); id !== undefined; id = free.pop()) {
    waiting.delete(id);
    for (const next of dependants.get(id) ?? []) {
      const left = (waiting.get(next) ?? 0) - 1;
      waiting.set(next, left);
      if (left === 0) free.push(next);
    }
  }
  const start = tasks.findIndex((task) => waiting.has(task.id));
  if (start < 0) return [];
  return [{ where: 'tasks', message: `tasks wait for each other: ${oneCycle(tasks, waiting).join(' → ')}` }];
};

/** Each task left waits for another that is left, so following any of them comes round. */
const oneCycle = (tasks: readonly PlanTask[], left: ReadonlyMap<string, number>): readonly string[] => {
  const byId = new Map(tasks.map((task) => [task.id, task]));
  const path: string[] = [];
  let at = tasks.find((task) => left.has(task.id))?.id;
  while (at !== undefined && !path.includes(at)) {
    path.push(at);
    at = byId.get(at)?.dependsOn.find((id) => left.has(id));
  }
  const cycle = at === undefined ? path : [...path.slice(path.indexOf(at)), at];
  return cycle.length > 12 ? [...cycle.slice(0, 11), '…'] : cycle;
};
