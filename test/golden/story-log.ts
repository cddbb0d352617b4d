// A run as a log that people can read: each pass of the operator that wrote, in the order it happened, and what others did between.

import type { PassRecord } from '../../operator/reconcile/reconcile.ts';
import { NOW } from '../builders/objects.ts';
import { endOf } from '../simulation/end.ts';
import type { Simulation } from '../simulation/simulation.ts';

const seconds = (atMs: number): string => `${((atMs - NOW) / 1000).toFixed(1)} s`.padStart(9);

/** Times and hashes of one run say nothing in another; they are the same here only because the run is. */
const pass = ({ kind, key, why, effects, flips, problem }: PassRecord): readonly string[] => [
  `${kind} ${key}: ${why}`,
  ...effects.map(
    (effect) => `  ${effect === 'status' ? `status: ${flips.length === 0 ? 'other words' : flips.join(', ')}` : effect}`,
  ),
  ...(problem === undefined ? [] : [`  refused: ${problem.sort}`]),
];

const writesOf = (simulation: Simulation): readonly string[] => {
  const all = simulation.server.audit.filter(({ who }) => who === 'operator');
  const own = all.filter(({ kind }) => kind !== 'Event');
  const tasks = simulation.server.list('Task').map(({ metadata }) => `${metadata.namespace}/${metadata.name}`);
  const perTask = tasks.map((key) => own.filter((record) => record.kind === 'Task' && record.key === key).length);
  const jobs = own.filter(({ kind, verb }) => kind === 'Job' && verb === 'create').length;
  return [
    `API writes of the operator: ${own.length}, of these ${jobs} Jobs; beside them ${all.length - own.length} Events`,
    `writes to each Task object, its creation included: ${perTask.join(', ')}`,
  ];
};

export const storyLog = (simulation: Simulation): string => {
  const lines = [
    ...simulation.happenings.flatMap(({ atMs, what }) => {
      const [first = '', ...rest] = typeof what === 'string' ? [`· ${what}`] : pass(what);
      return [`${seconds(atMs)}  ${first}`, ...rest.map((line) => `${' '.repeat(11)}${line}`)];
    }),
    '',
    ...writesOf(simulation),
    `the end: ${JSON.stringify(endOf(simulation), undefined, 2)}`,
    '',
  ];
  return lines.join('\n');
};
