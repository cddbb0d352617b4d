// Golden logs of whole Stories. UPDATE_GOLDEN=1 writes them anew; what changed is then to be read like any other change.

import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { work } from '../builders/objects.ts';
import { ofTasks, scenarios } from '../simulation/scenarios.ts';
import type { Scenario } from '../simulation/scenario.ts';
import { Simulation } from '../simulation/simulation.ts';
import { storyLog } from './story-log.ts';

const logs: readonly (readonly [string, keyof typeof scenarios])[] = [
  ['a Story of three tasks, from its wording to its commits', 'happy'],
  ['verify fails, the second attempt succeeds', 'secondAttempt'],
  ['a Story is cancelled while its tasks are at work', 'cancelledStory'],
  ['the infrastructure fails until a person has to help', 'infrastructureDown'],
  ['a second revision of the plan takes over', 'superseded'],
  ['a task that landed is rewritten in a second revision, and lands again', 'rewrittenTask'],
  ['everything that can go wrong in a workspace, once', 'rough'],
  ['a quota keeps Jobs from being created until a person lifts it', 'overQuota'],
  ['a Story whose Jobs are refused keeps no place from another', 'refusedElsewhere'],
];

const kebab = (name: string): string => name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

describe('golden logs', () => {
  it.each(logs)('%s', async (_, name) => {
    const simulation = new Simulation(scenarios[name]);
    await simulation.run();
    const file = new URL(`${kebab(name)}.golden.log`, import.meta.url);
    const log = storyLog(simulation);
    if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(file, log);
    expect(log).toBe(readFileSync(file, 'utf8'));
  });

  const tenInParallel = Array.from({ length: 10 }, (_, n) => work(`t${n}`, { fileScope: [`src/${n}/**`] }));
  const tenInARow = Array.from({ length: 10 }, (_, n) => work(`t${n}`, n === 0 ? {} : { dependsOn: [`t${n - 1}`] }));
  const tens: readonly (readonly [string, Scenario])[] = [
    ['all at once', ofTasks(tenInParallel, 10)],
    ['with room for three', ofTasks(tenInParallel, 3)],
    ['with room for one', ofTasks(tenInParallel, 1)],
    [
      'that all change the same files',
      ofTasks(
        tenInParallel.map((each) => ({ ...each, fileScope: [] })),
        10,
      ),
    ],
    ['one after the other', ofTasks(tenInARow, 10)],
  ];
  it.each(tens)('a Story of ten tasks %s costs at most eight writes a task, Jobs and Events aside', async (_, scenario) => {
    const simulation = new Simulation(scenario);
    await simulation.run();
    const writes = simulation.server.audit.filter(({ who, kind }) => who === 'operator' && (kind === 'Story' || kind === 'Task'));
    const ofTask = writes.filter(({ kind }) => kind === 'Task').length;
    expect({ ofTask, ofStory: writes.length - ofTask, isFew: writes.length <= 80 }).toMatchObject({ isFew: true });
  });

  it('a task of the happy Story is told in at most four Events', async () => {
    const simulation = new Simulation(scenarios.happy);
    await simulation.run();
    const told = simulation.server.list('Event') as readonly {
      readonly regarding?: { readonly kind: string; readonly name: string };
    }[];
    for (const { metadata } of simulation.server.list('Task')) {
      const own = told.filter(({ regarding }) => regarding?.kind === 'Task' && regarding.name === metadata.name);
      expect(own.length).toBeGreaterThan(1);
      expect(own.length).toBeLessThanOrEqual(4);
    }
  });
});
